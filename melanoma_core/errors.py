"""Every error that a person can mend: says what was found, what is needed, what to do.

Anything else that is raised is a bug and propagates.
"""


class MelanomaError(Exception):
    """Base of the errors that are shown to a person as they are; never raised itself."""


class ImageError(MelanomaError):
    """A photograph cannot be read."""


class DatasetError(MelanomaError):
    """A folder or table of photographs cannot be used."""


class RecipeError(MelanomaError):
    """A training recipe asks for something impossible."""


class FolderError(MelanomaError):
    """A folder cannot be written to."""


class ModelError(MelanomaError):
    """A model is missing, damaged or not one of ours."""


class RunError(MelanomaError):
    """A training run cannot be started, found, recorded or changed."""


class SettingsError(MelanomaError):
    """A variable of the environment has a value that cannot be used."""


class ExplanationError(MelanomaError):
    """A heatmap cannot be made."""
