"""The report of the lesion."""

from dashboard.lesion.opened import OpenedLesion


def show_report(opened: OpenedLesion) -> None:
    """Show the view of an open lesion."""
