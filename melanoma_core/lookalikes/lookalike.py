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
RECORD = "record"  # source of the lesions of the clinic's own record


@dataclass(frozen=True, eq=False, kw_only=True)
class Query:
    """A lesion whose look-alikes are searched, and what is its own.

    Attributes:
        model_id: Id of the model that computed the embeddings.
        embeddings: float32 [M, D], one row per photograph of the lesion (`Reading.embedding`); at
            least one.
        lesions: Ids of lesions that are left out: its own.
        patients: Ids of patients whose lesions are left out: its own.
        files: SHA-256 (hex) of its files; lesions with one of them are left out.
        fingerprints: `Reading.fingerprint` of its photographs; lesions with a photograph in which
            the network saw the same are left out.
        looks: `Reading.look` of its photographs; lesions with a near copy of one are left out.
    """

    model_id: str
    embeddings: "NDArray[np.float32]"
    lesions: frozenset[str] = frozenset()
    patients: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    fingerprints: frozenset[str] = frozenset()
    looks: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Lookalike:
    """A lesion that looks like the searched one, by its nearest photograph.

    Attributes:
        distance: Between the embeddings, in [0, 2]; 0 for equal ones.
        diagnosis: Its diagnosis, or its risk tier where only that is known.
        confirmation: How the diagnosis was confirmed; None if that is not stated.
        source: Collection of the photograph; `RECORD` for the clinic's own.
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


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class IndexFacts:
    """What an index holds, and what was left out of it.

    Attributes:
        name: Its name: that of the folder, or `RECORD`.
        model_id: Id of the model that computed its embeddings.
        num_lesions: Number of lesions.
        num_photographs: Number of photographs.
        by_diagnosis: Number of lesions of each diagnosis or risk tier.
        num_unreadable: Photographs left out because they cannot be read.
        num_unfamiliar: Photographs left out because they are out of distribution.
        num_unconfirmed: Photographs left out because histopathology did not confirm them.
        is_own: Whether it is of the clinic's own record.
    """

    name: str
    model_id: str
    num_lesions: int = 0
    num_photographs: int = 0
    by_diagnosis: dict[str, int] = field(default_factory=dict)
    num_unreadable: int = 0
    num_unfamiliar: int = 0
    num_unconfirmed: int = 0
    is_own: bool = False


def describe_lookalikes(found: Lookalikes) -> str:
    """Return how many of the nearest lesions are melanomas, beside how many of all are.

    It gives no probability: what is indexed is not the mix of lesions of a clinic.

    Example:
        >>> describe_lookalikes(Lookalikes())
        'There is no lesion to compare with.'
    """
    number = len(found.nearest)
    if not number:
        return "There is no lesion to compare with."
    near = found.num_near_melanomas
    are = "is a melanoma" if near == 1 else "are melanomas"
    begins = f"Of the {number} most similar lesions, {near} {are}"
    if number == 1:
        begins = f"The most similar lesion is {'a' if near else 'no'} melanoma"
    all_are = "is a melanoma" if found.num_melanomas == 1 else "are melanomas"
    return (
        f"{begins}; of all {found.num_lesions:,} that were compared, {found.num_melanomas:,} "
        f"{all_are}. This is reference, not a verdict: it says what looks alike to the network, "
        "not what this lesion is."
    )
