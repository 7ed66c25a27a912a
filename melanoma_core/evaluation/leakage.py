"""The result of a search for leakage. `leak_check.find_leaks` does the search.

The two modules are separate because every model card that is opened holds a result, and a reading
must not import pandas.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Leakage:
    """Test images that share something with the images that a network was fitted on.

    Attributes:
        checked_by: What was compared; keys that no table provides are not listed.
        num_test: Number of images in the test subset.
        num_others: Number of images that the network or its threshold was fitted on, including
            images made by oversampling.
        found: Number of test images that leak.
        examples: At most five of them, one sentence each.
        unchecked: What could not be compared, in a sentence; empty if all could be.
    """

    checked_by: tuple[str, ...]
    num_test: int
    num_others: int
    found: int
    examples: tuple[str, ...] = ()
    unchecked: str = ""
