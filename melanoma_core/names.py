"""Names of files, which are untrusted, as text that is safe to show."""

import unicodedata


def neutralise(text: str) -> str:
    r"""Return text as one line, with a space for each control or invisible character.

    A control character can reverse the direction of writing, so that `gpj.exe` looks like
    `exe.jpg`; a new line in a name could look like a line of the program.

    >>> neutralise("a.jpg\nb.jpg: no alert")
    'a.jpg b.jpg: no alert'
    """
    return "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text)
