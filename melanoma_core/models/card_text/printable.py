"""What of a text a PDF can print, and what is said of the rest.

The font has the letters of Latin, Greek, Cyrillic, Armenian and Georgian. Chinese, Japanese, Korean
and Indian letters are not in it. Arabic and Hebrew ones are, but fpdf2 without HarfBuzz would print
them in the wrong order. Each letter that cannot be printed is replaced by a sign that is seen, and
the page says so: a letter that is silently missing can change what a text means.
"""

import unicodedata
from collections.abc import Container, Iterable

REPLACEMENT = "▯"
"""What is printed for a letter that cannot be."""

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_MAX_NAMED = 4


def make_printable(text: str, letters: Container[int]) -> tuple[str, frozenset[str]]:
    r"""Return a text as a font prints it, and the letters that it cannot print.

    Control characters and those that are not seen are left out, among them those that turn the
    direction of writing; line feeds stay.

    Args:
        text: Any text.
        letters: The code points that the font has.

    >>> make_printable("Nævus\u202e 中", set(range(256)))
    ('Nævus ▯', frozenset({'中'}))
    """
    if text.isascii() and text.isprintable():
        return text, frozenset()
    kept = strip_unseen(text)
    missing = frozenset(each for each in kept if not _can_print(each, letters))
    for each in missing:
        kept = kept.replace(each, REPLACEMENT)
    return kept, missing


def strip_unseen(text: str) -> str:
    r"""Return a text without control characters and characters that are not seen.

    Those that turn the direction of writing go too. Line feeds stay, other white space is a space.

    >>> strip_unseen("a\tb\u202e\x00")
    'a b'
    """
    return "".join(map(_show, text))


def describe_unprinted(letters: Iterable[str]) -> str:
    """Return which letters a page could not print, by name; "" if it could print all.

    >>> describe_unprinted("中")
    'Not printed, and shown as ▯: CJK UNIFIED IDEOGRAPH-4E2D. The record and the page have it.'
    """
    names = [unicodedata.name(each, f"U+{ord(each):04X}") for each in sorted(letters)]
    if not names:
        return ""
    rest = len(names) - _MAX_NAMED
    named = ", ".join(names[:_MAX_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
    pronoun = "it" if len(names) == 1 else "them"
    return f"Not printed, and shown as ▯: {named}. The record and the page have {pronoun}."


def _show(character: str) -> str:
    if character == "\n":
        return character
    if character.isspace():
        return " "
    return "" if unicodedata.category(character)[0] == "C" else character


def _can_print(character: str, letters: Container[int]) -> bool:
    if character == "\n":
        return True
    is_turned = unicodedata.bidirectional(character) in _RIGHT_TO_LEFT
    return ord(character) in letters and not is_turned
