"""Keys of the parts of the test subset that a card and its evidence report on.

A collection has the name of a folder, which can be any. So its key begins with "test/", and no
other key does.
"""

from collections.abc import Mapping

from melanoma_core.evaluation.figure import Figure

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


def find_headline(metrics: Mapping[str, Mapping[str, Figure]]) -> str:
    """Return the key of the metrics that come first in every report.

    These are on the lesions whose diagnosis histopathology confirmed; on all test lesions if the
    confirmed ones are not known, or lack melanomas or other lesions.

    Args:
        metrics: By key and name, as in a model card.

    >>> find_headline({"test": {}})
    'test'
    """
    confirmed = metrics.get(CONFIRMED, {})
    counted = [confirmed.get(name) for name in ("sensitivity", "specificity")]
    return CONFIRMED if all(each is not None and each.total for each in counted) else TEST
