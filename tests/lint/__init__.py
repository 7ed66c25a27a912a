"""Checks of what is read, not run, after ruff, mypy and the import contract: `make lint`."""
