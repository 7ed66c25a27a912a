"""The types of files in which photographs are taken."""


def list_photograph_types() -> list[str]:
    """Return the endings of file names that a file chooser offers."""
    from melanoma_core.data.folders import IMAGE_SUFFIXES

    return sorted(IMAGE_SUFFIXES)
