"""The callback with which a long computation reports its progress."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of finished items and the total number of items."""
