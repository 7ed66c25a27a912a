"""The Lesion page."""
