"""Who and what the lesion is, and what it waits for."""

from dashboard.lesion.opened import OpenedLesion


def show_head(opened: OpenedLesion) -> None:
    """Show the patient, the lesion, and what it waits for."""
