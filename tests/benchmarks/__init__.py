"""Speed, measured as a ratio: `make bench`."""
