"""Search a hierarchy of names by words, as a person types them.

The vocabularies of the ISIC Archive write a name with all that it lies under, such as
"Trunk:Posterior trunk:Upper back".
"""

import re
import unicodedata
from collections.abc import Sequence

# Spellings that the vocabularies write in the American way.
_SPELLINGS = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"\bnaev", "nev"),
        (r"haem", "hem"),
        (r"rrhoe", "rrhe"),
        (r"tumour", "tumor"),
        (r"\boedem", "edem"),
    )
)


def find_names(text: str, names: Sequence[str], limit: int) -> tuple[str, ...]:
    """Return the names that hold a word for the beginning of each word of a text.

    Case, accents, punctuation and British spellings are ignored.

    Args:
        text: Words; an empty text finds the first names as they come.
        names: Names of the hierarchy, its levels separated by ":".
        limit: The most that are returned.

    Returns:
        First those whose last level holds all words, then those that begin with the first, then
        the shortest.

    >>> sites = ("Trunk", "Trunk:Posterior trunk", "Trunk:Posterior trunk:Upper back")
    >>> find_names("BACK trunk", sites, 5)
    ('Trunk:Posterior trunk:Upper back',)
    >>> find_names("trunk", sites, 2)
    ('Trunk', 'Trunk:Posterior trunk')
    """
    words = fold(text)
    if not words:
        return tuple(names[:limit])
    found = [name for name in names if _holds(name, words)]
    return tuple(sorted(found, key=lambda name: _rank(name, words))[:limit])


def fold(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case, without accents, in American spelling.

    >>> fold("Naevus, Clark’s")
    ('nevus', 'clarks')
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(each for each in plain if not unicodedata.combining(each) and each not in "'’")
    for pattern, word in _SPELLINGS:
        plain = pattern.sub(word, plain)
    return tuple(re.findall(r"\w+", plain))


def _holds(name: str, words: tuple[str, ...]) -> bool:
    """Return whether each word begins a word of a name."""
    held = fold(name)
    return all(any(each.startswith(word) for each in held) for word in words)


def _rank(name: str, words: tuple[str, ...]) -> tuple[bool, bool, bool, int, int]:
    """Return what to sort by: names whose last level fits best come first."""
    last = name.rsplit(":", 1)[-1]
    held = fold(last)
    begins = held[:1] != () and held[0].startswith(words[0])
    return (held != words, not _holds(last, words), not begins, name.count(":"), len(name))
