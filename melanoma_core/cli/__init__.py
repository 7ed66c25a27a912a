"""The command line: a module per command; `main` puts them together."""
