"""The first view: the newest photographs, the loop at this visit, and the timeline."""

from dashboard.lesion.opened import OpenedLesion


def show_visit(opened: OpenedLesion) -> None:
    """Show the photographs and the steps of the current visit, then the timeline."""
