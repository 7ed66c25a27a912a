"""Compare two photographs of the lesion."""

from dashboard.lesion.opened import OpenedLesion


def show_compare(opened: OpenedLesion) -> None:
    """Show the view of an open lesion."""
