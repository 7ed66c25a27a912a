"""Lesions that look like it."""

from dashboard.lesion.opened import OpenedLesion


def show_lookalikes(opened: OpenedLesion) -> None:
    """Show the view of an open lesion."""
