"""Order the lesions of a patient by how unlike the patient's others each is.

The ugly duckling sign: the nevi of a person resemble each other, and a melanoma is often the one
that does not (Grob and Bonerandi 1998, doi:10.1001/archderm.134.1.103-a). A hint, no diagnosis.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_LESIONS = 3


@dataclass(frozen=True)
class Duckling:
    """A lesion among the others of its patient.

    Attributes:
        lesion: Its id.
        distance: How unlike the patient's other lesions it is, in [0, 2]; NaN where the patient has
            fewer than three lesions.
        rank: 1 for the one most unlike the others; equal distances share a rank.
    """

    lesion: str
    distance: float
    rank: int


def order_ducklings(embeddings: Mapping[str, NDArray[np.float32]]) -> tuple[Duckling, ...]:
    """Order the lesions of one patient, the one most unlike the others first.

    Args:
        embeddings: By lesion, float32 [M, D], one row per photograph (`Reading.embedding`).
    """
    raise NotImplementedError
