"""McNemar's test: are two networks right equally often on the same lesions?

McNemar, "Note on the sampling error of the difference between correlated proportions or
percentages" (1947), in its exact form: of the lesions on which just one of the two is right, as
many as a fair coin would give should fall to each.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest


@dataclass(frozen=True)
class McNemar:
    """The outcome.

    Attributes:
        only_one: Lesions on which the one network alone is right.
        only_other: Lesions on which the other alone is right.
        num_lesions: Lesions in all.
        p_value: Two-sided and exact, in (0, 1]; 1 where the two never differ.
    """

    only_one: int
    only_other: int
    num_lesions: int
    p_value: float


def compare_hits(
    one: NDArray[np.bool_], other: NDArray[np.bool_], lesion_ids: NDArray[Any]
) -> McNemar:
    """Test two networks on one photograph of each lesion, its first.

    The test wants independent cases. Photographs of one lesion are none, so that the first counts
    alone; the intervals of `metrics.compare` use all of them, resampled by lesion.

    Args:
        one: bool [N], where the one network is right.
        other: bool [N], where the other is.
        lesion_ids: str or int [N].
    """
    _, first = np.unique(lesion_ids, return_index=True)
    only_one = int((one & ~other)[first].sum())
    only_other = int((other & ~one)[first].sum())
    num_discordant = only_one + only_other
    p_value = float(binomtest(only_one, num_discordant).pvalue) if num_discordant else 1.0
    return McNemar(only_one, only_other, len(first), p_value)
