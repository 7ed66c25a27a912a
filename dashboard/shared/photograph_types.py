"""The types of files in which photographs are taken."""


def list_photograph_types() -> list[str]:
    """Return the endings of file names that a file chooser offers.

    JPEG XL is among them: it is read where its library is installed, and else refused by name.
    """
    from melanoma_core.data.folders import IMAGE_SUFFIXES

    return sorted({*IMAGE_SUFFIXES, ".jxl"})
