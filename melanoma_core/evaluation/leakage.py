"""What a search for leaks found. Without pandas, since every card that is opened may hold one.

The search itself is `leak_check.find_leaks`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Leakage:
    """What a search for relatives of test photographs found.

    Attributes:
        checked_by: What was compared; what no table tells is not among it.
        num_test: Photographs in test.
        num_others: Rows that the network or its threshold was fitted on, new images included.
        found: Test photographs that have a relative among those.
        examples: At most five of them, one sentence each.
    """

    checked_by: tuple[str, ...]
    num_test: int
    num_others: int
    found: int
    examples: tuple[str, ...] = ()
