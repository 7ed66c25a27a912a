"""How a long computation reports how far it has come."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of finished items and their number in all."""
