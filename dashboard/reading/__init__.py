"""The Reading page."""
