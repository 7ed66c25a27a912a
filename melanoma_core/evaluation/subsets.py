"""Keys of the parts of the test subset that a card and its evidence report on.

A collection has the name of a folder, which can be any. So its key begins with "test/", and no
other key does.
"""

from collections.abc import Collection

TEST = "test"
CONFIRMED = "test:histopathology"  # the photographs of lesions with this confirmation
_COLLECTION = f"{TEST}/"


def make_key(collection: str) -> str:
    """Return the key of a collection's part of the test subset.

    >>> make_key("ham10000")
    'test/ham10000'
    """
    return f"{_COLLECTION}{collection}"


def find_collection(key: str) -> str | None:
    """Return the collection of a key; None if the key is of no collection.

    >>> find_collection("test/ham10000"), find_collection(CONFIRMED)
    ('ham10000', None)
    """
    return key.removeprefix(_COLLECTION) if key.startswith(_COLLECTION) else None


def sort_keys(keys: Collection[str]) -> list[str]:
    """Return keys in the order of a report: confirmed lesions, all lesions, the collections.

    >>> sort_keys(["test", "test/b", "test/a", CONFIRMED])
    ['test:histopathology', 'test', 'test/b', 'test/a']
    """
    first = [key for key in (CONFIRMED, TEST) if key in keys]
    return [*first, *(key for key in keys if key not in first)]
