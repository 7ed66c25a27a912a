"""Errors that a user can fix. Messages state what was found, what is needed and what to do.

Any other exception is a bug and propagates.
"""


class MelanomaError(Exception):
    """Base class of errors whose messages are shown to users; never raised directly."""


class ImageError(MelanomaError):
    """A photograph cannot be read."""


class DatasetError(MelanomaError):
    """A folder or table of a dataset cannot be used."""


class RecipeError(MelanomaError):
    """A training recipe is not valid."""


class FolderError(MelanomaError):
    """A folder cannot be written to."""


class ModelError(MelanomaError):
    """A model is missing, damaged or of another format."""


class RunError(MelanomaError):
    """A training run cannot be started, found, recorded or changed."""


class SettingsError(MelanomaError):
    """An environment variable has an invalid value."""


class ExplanationError(MelanomaError):
    """A heatmap cannot be computed."""
