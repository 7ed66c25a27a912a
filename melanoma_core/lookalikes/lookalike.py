"""What a search for look-alikes takes and gives: reference for a person, never a verdict.

Imports no NumPy at run time, so that a page appears before it is imported.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from melanoma_core.taxonomy import Confirmation, Diagnosis, Label

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NUM_SHOWN = 8


@dataclass(frozen=True, eq=False)
class Query:
    """A lesion whose look-alikes are searched, and what is its own.

    Attributes:
        model_id: Id of the model that computed the embeddings.
        embeddings: float32 [M, D], one row per photograph of the lesion (`Reading.embedding`).
        lesions: Ids of lesions that are left out: its own.
        patients: Ids of patients whose lesions are left out: its own.
        files: SHA-256 (hex) of its files; their lesions are left out.
        fingerprints: `Reading.fingerprint` of its photographs; their lesions are left out.
    """

    model_id: str
    embeddings: "NDArray[np.float32]"
    lesions: frozenset[str] = frozenset()
    patients: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    fingerprints: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Lookalike:
    """A lesion that looks like the searched one, by its nearest photograph.

    Attributes:
        distance: Between the embeddings, in [0, 2]; 0 for equal ones.
        diagnosis: Its diagnosis, or its risk tier where only that is known.
        confirmation: How the diagnosis was confirmed; None if that is not stated.
        source: Collection of the photograph; "record" for the clinic's own.
        image: Path of the photograph's file; in the clinic's own record its SHA-256 (hex).
        lesion: Id of the lesion.
        is_own: Whether it is of the clinic's own record.
        title: Detailed diagnosis in words, such as that of the histology; "" if there is none.
    """

    distance: float
    diagnosis: Label
    confirmation: Confirmation | None
    source: str
    image: str
    lesion: str
    is_own: bool = False
    title: str = ""


@dataclass(frozen=True)
class Lookalikes:
    """The lesions that look most like one, and among what they were searched.

    Attributes:
        nearest: The nearest first; each lesion once.
        num_lesions: Number of lesions that were searched, without what was left out.
        num_melanomas: How many of these are melanomas.
        num_left_out: Number of lesions left out: the searched one, others of its patient, and those
            with a copy of its photograph.
    """

    nearest: tuple[Lookalike, ...] = ()
    num_lesions: int = 0
    num_melanomas: int = 0
    num_left_out: int = 0

    @property
    def num_near_melanomas(self) -> int:
        """How many of the nearest are melanomas."""
        return sum(each.diagnosis is Diagnosis.MEL for each in self.nearest)


@dataclass(frozen=True)
class IndexFacts:
    """What an index holds.

    Attributes:
        name: Its name: that of the folder, or "record".
        model_id: Id of the model that computed its embeddings.
        num_lesions: Number of lesions.
        num_photographs: Number of photographs.
        by_diagnosis: Number of lesions of each diagnosis or tier.
        num_unreadable: Photographs that could not be read.
        num_unconfirmed: Photographs left out because no histology confirmed them.
        is_own: Whether it is of the clinic's own record.
    """

    name: str
    model_id: str
    num_lesions: int
    num_photographs: int
    by_diagnosis: dict[str, int] = field(default_factory=dict)
    num_unreadable: int = 0
    num_unconfirmed: int = 0
    is_own: bool = False


def describe_lookalikes(found: Lookalikes) -> str:
    """Return how many of the nearest lesions are melanomas, beside how many of all are.

    >>> describe_lookalikes(Lookalikes())
    'There is no lesion to compare with.'
    """
    raise NotImplementedError
