"""McNemar's test: are two networks equally often correct on the same lesions?

McNemar, "Note on the sampling error of the difference between correlated proportions or
percentages" (1947), in its exact form: if the networks are equally good, each of the lesions on
which exactly one is correct favours either network with probability 1/2.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest


@dataclass(frozen=True)
class McNemar:
    """The result of McNemar's test.

    Attributes:
        only_one: Number of lesions on which only the first network is correct.
        only_other: Number of lesions on which only the second network is correct.
        num_lesions: Number of lesions in total.
        p_value: Two-sided and exact, in (0, 1]; 1 if the networks never differ.
    """

    only_one: int
    only_other: int
    num_lesions: int
    p_value: float


def compare_hits(
    one: NDArray[np.bool_], other: NDArray[np.bool_], lesion_ids: NDArray[Any]
) -> McNemar:
    """Test two networks on the first image of each lesion.

    The test needs independent cases, and images of one lesion are not independent. The intervals
    of `metrics.compare` use all images, resampled by lesion.

    Args:
        one: bool [N], whether the first network is correct.
        other: bool [N], whether the second network is correct.
        lesion_ids: str or int [N], equal for images of the same lesion.

    Example:
        >>> one, other = np.array([True] * 8 + [False]), np.array([False] * 8 + [True])
        >>> compare_hits(one, other, np.arange(9))
        McNemar(only_one=8, only_other=1, num_lesions=9, p_value=0.0390625)
    """
    _, first = np.unique(lesion_ids, return_index=True)
    only_one = int((one & ~other)[first].sum())
    only_other = int((other & ~one)[first].sum())
    num_discordant = only_one + only_other
    p_value = float(binomtest(only_one, num_discordant).pvalue) if num_discordant else 1.0
    return McNemar(only_one, only_other, len(first), p_value)
