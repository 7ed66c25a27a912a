"""Errors that a user can fix. Messages state what was found, what is needed and what to do.

Any other exception is a bug and propagates. No message shows a password: `hide_passwords` is the
one function that removes them, from errors, logs and pages.
"""

import re

# A password may contain "/" and "@" unescaped, so all before the last "@" of an address is hidden.
_IN_ADDRESS = re.compile(r"(?<=://)[^\s'\"<>]*@")
_NAMED = re.compile(
    r"(?i)\b([\w-]*(?:password|passwd|pwd|token|secret|api_?key)\s*=\s*)[^\s&;,'\"<>)]+"
)


class MelanomaError(Exception):
    """Base class of errors whose messages are shown to users; never raised directly."""

    def __str__(self) -> str:
        return hide_passwords(super().__str__())


def hide_passwords(text: str) -> str:
    """Replace the user name and the password of every address in a text, and named passwords.

    Example:
        >>> hide_passwords("Cannot reach http://ada:pass@word@server/a, token=1234.")
        'Cannot reach http://…@server/a, token=…'
        >>> hide_passwords("postgresql://server/runs?user=ada&password=secret&ssl=on")
        'postgresql://server/runs?user=ada&password=…&ssl=on'
    """
    return _NAMED.sub(r"\1…", _IN_ADDRESS.sub("…@", text))


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


class LesionError(MelanomaError):
    """Photographs cannot be put together as one lesion."""


class RunError(MelanomaError):
    """A training run cannot be started, found, recorded or changed."""


class RecordError(MelanomaError):
    """The clinic's record cannot be opened, read or written."""


class SettingsError(MelanomaError):
    """An environment variable has an invalid value."""


class ExplanationError(MelanomaError):
    """A heatmap cannot be computed."""


class LookalikeError(MelanomaError):
    """An index of look-alikes is missing, damaged or of another model."""


class AccessError(MelanomaError):
    """The person who acts has not the role that the action needs."""


class ExchangeError(MelanomaError):
    """What is exchanged with another system cannot be read, written or sent."""


class BackupError(MelanomaError):
    """A backup cannot be made, read or restored."""
