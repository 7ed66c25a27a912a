"""Order the lesions of a patient by how unlike the patient's others each is.

The ugly duckling sign: the nevi of a person resemble each other, and a melanoma is often the one
that does not (Grob and Bonerandi 1998, doi:10.1001/archderm.134.1.103-a). A hint to look twice, no
diagnosis: in a patient with three lesions, one of them is always first.

How often a melanoma is first was not measured: no dermoscopic collection here names its patients.
Among one melanoma and seven nevi of different people of HAM10000, drawn 20 times for each of 90
melanomas of the bundled model's test subset, the melanoma is first in 0.69 (95% CI 0.63-0.75),
0.125 by chance. Nevi of one person are more alike, so that this says little of patients.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoma_core.lookalikes.directions import mean_direction

FEWEST_LESIONS = 3
_DIGITS = 6  # of a distance; float32 gives no more
NOTE = (
    "Ordered by how unlike the patient's other lesions each looks to the network, as a hint to "
    "look twice. It is no diagnosis: one lesion is always first, and that most alike to the others "
    "can be the melanoma."
)


@dataclass(frozen=True)
class Duckling:
    """A lesion among the others of its patient.

    Attributes:
        lesion: Its id.
        distance: How unlike the patient's other lesions it is, in [0, 2]: the median of its
            distances to them. NaN where the patient has fewer than three lesions.
        rank: 1 for the one most unlike the others; equal distances share a rank. None where the
            patient has fewer than three lesions.
    """

    lesion: str
    distance: float
    rank: int | None


def order_ducklings(embeddings: Mapping[str, NDArray[np.float32]]) -> tuple[Duckling, ...]:
    """Order the lesions of one patient, the one most unlike the others first.

    Each lesion counts once, however many photographs it has: its embedding is the mean direction of
    theirs. The median makes the order robust: a second lesion that is as unlike the rest does not
    hide the first.

    Args:
        embeddings: By lesion, float32 [M, D], one row per photograph (`Reading.embedding`).

    Returns:
        Every lesion once. Those with equal distances follow each other by id.

    Example:
        >>> nevus, other = np.array([[1, 0.1]]), np.array([[0.1, 1]])
        >>> first, *_ = order_ducklings({"a": nevus, "b": nevus, "c": other, "d": nevus})
        >>> first.lesion, first.rank
        ('c', 1)
    """
    lesions = sorted(embeddings)
    if len(lesions) < FEWEST_LESIONS:
        return tuple(Duckling(lesion, np.nan, None) for lesion in lesions)
    directions = np.stack([mean_direction(embeddings[lesion]) for lesion in lesions])
    apart = np.linalg.norm(directions[:, None] - directions[None], axis=2)
    np.fill_diagonal(apart, np.nan)
    distances = np.nanmedian(apart, axis=1).round(_DIGITS)
    order = sorted(range(len(lesions)), key=lambda place: (-distances[place], lesions[place]))
    ranks = [1 + int((distances > distance).sum()) for distance in distances]
    return tuple(Duckling(lesions[place], float(distances[place]), ranks[place]) for place in order)
