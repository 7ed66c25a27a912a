"""95% confidence intervals that account for lesions of the same patient: patients are resampled.

The cluster bootstrap of `evaluation.resampling`, with patients as clusters, for sums of counts.
Patients with equal counts are interchangeable, so that a resample needs only how many of each kind
it draws. The result is that of drawing patients one by one, and takes little time for 100,000.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import UNDEFINED, Figure
from melanoma_core.evaluation.resampling import Resamples, divide, to_difference, to_figure
from melanoma_core.evaluation.slices import FEWEST_LESIONS

NUM_RESAMPLES = 1000
FEWEST_PATIENTS = FEWEST_LESIONS  # the rule of Evaluation: see there
_BLOCK = 64  # resamples in memory at once
_KINDS_PER_DRAW = 16  # a binomial number takes so much longer than drawing one patient

Key = TypeVar("Key", bound=Hashable)
Share = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""Which lesions have an event, and among which it is counted; bool [N] each."""


@dataclass(frozen=True, eq=False)
class PatientSums:
    """Counts of lesions, with those of each resample of patients.

    Attributes:
        values: float64 [M, 1 + num_resamples]; the counts themselves first.
        patients: int [M], number of patients with such a lesion.
    """

    values: NDArray[np.float64]
    patients: NDArray[np.intp]


def sum_by_patient(
    patient: NDArray[np.integer[Any]],
    rows: NDArray[np.bool_],
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> PatientSums:
    """Count lesions in the data and in resamples of its patients.

    Args:
        patient: int [N], equal for lesions of the same patient.
        rows: bool [M, N], the lesions to count.
        num_resamples: Number of resamples.
        seed: Makes the resamples repeatable.

    Example:
        >>> sums = sum_by_patient(np.array([5, 5, 7]), np.array([[True, True, False]]), 4)
        >>> sums.values[:, 0], sums.values.shape, sums.patients
        (array([2.]), (1, 5), array([1]))
    """
    patients, position = np.unique(patient, return_inverse=True)
    counts = np.stack([np.bincount(position[row], minlength=len(patients)) for row in rows])
    generator = np.random.default_rng(seed)
    # Equal columns get equal numbers, different ones do not but for a chance of 1 in 2**64.
    numbers = generator.integers(-(2**63), 2**63 - 1, len(counts)) @ counts
    _, first, kind, sizes = np.unique(
        numbers, return_index=True, return_inverse=True, return_counts=True
    )
    drawn = _draw(generator, kind, sizes, num_resamples)
    weights = np.concatenate([sizes[None], drawn]).astype(np.float64)
    return PatientSums(counts[:, first] @ weights.T, (counts > 0).sum(axis=1))


def _draw(
    generator: np.random.Generator,
    kind: NDArray[np.intp],
    sizes: NDArray[np.intp],
    num_resamples: int,
) -> NDArray[np.int32]:
    """Draw as many patients as there are, with replacement, and count each kind: [R, kinds]."""
    num_patients, num_kinds = len(kind), len(sizes)
    if num_kinds * _KINDS_PER_DRAW < num_patients:
        shares = sizes / num_patients
        drawn = generator.multinomial(num_patients, shares, size=num_resamples)
        return drawn.astype(np.int32)
    counts = np.empty((num_resamples, num_kinds), dtype=np.int32)
    for row in counts:
        patients = generator.integers(num_patients, size=num_patients, dtype=np.uint32)
        row[:] = np.bincount(kind[patients], minlength=num_kinds)
    return counts


def measure_shares_by_patient(
    patient: NDArray[np.integer[Any]],
    shares: Mapping[Key, Share],
    differences: Mapping[Key, tuple[Key, Key]],
    options: tuple[int, int] = (NUM_RESAMPLES, 0),
) -> dict[Key, Figure]:
    """Compute shares of lesions and differences of shares, all on the same resamples.

    Args:
        patient: int [N], equal for lesions of the same patient.
        shares: By name.
        differences: By name, the names of a share and of the one to subtract.
        options: Number of resamples, and seed.

    Returns:
        Figures by name. `total` counts lesions and `num_lesions` patients.

    Example:
        >>> event, among = np.array([True, False]), np.array([True, True])
        >>> shares = {"found": (event, among)}
        >>> figure = measure_shares_by_patient(np.arange(2), shares, {})["found"]
        >>> figure.value, figure.count, figure.total
        (0.5, 1, 2)
    """
    if not len(patient):
        return dict.fromkeys((*shares, *differences), UNDEFINED)
    rows = np.array(
        [row for event, among in shares.values() for row in (event & among, among)], dtype=bool
    )
    sums = sum_by_patient(patient, rows, *options)
    hits, totals = sums.values[::2], sums.values[1::2]
    values = dict(zip(shares, divide(hits, totals), strict=True))
    counts = {
        name: (int(hit), int(total), int(patients))
        for name, hit, total, patients in zip(
            shares, hits[:, 0], totals[:, 0], sums.patients[1::2], strict=True
        )
    }
    figures = {
        name: to_figure(values[name], patients, hit, total, patients)
        for name, (hit, total, patients) in counts.items()
    }
    for name, (one, other) in differences.items():
        _, total, patients = counts[one]
        figures[name] = to_difference(values[one] - values[other], total, patients)
    return figures


@dataclass(frozen=True, eq=False)
class PatientResamples(Resamples):
    """Resamples of patients for the statistics of Evaluation, an eighth of their size."""

    def _weigh(self, by_lesion: NDArray[Any]) -> NDArray[np.float64]:
        """Return weighted sums as `Resamples` does, in little memory."""
        blocks = (
            self.weights[first : first + _BLOCK].astype(np.float64)
            for first in range(0, len(self.weights), _BLOCK)
        )
        return np.concatenate([by_lesion @ block.T for block in blocks], axis=-1)


def resample_patients(
    patient: NDArray[np.integer[Any]], num_resamples: int = NUM_RESAMPLES, seed: int = 0
) -> PatientResamples:
    """Draw bootstrap resamples of patients: with replacement, as many as there are.

    Args:
        patient: int [N], equal for lesions of the same patient; N above 0.
        num_resamples: Number of resamples.
        seed: Makes the resamples repeatable.

    Example:
        >>> resample_patients(np.array([5, 5, 7])).sum(np.ones(3))[0].item()
        3.0
    """
    patients, position = np.unique(patient, return_inverse=True)
    generator = np.random.default_rng(seed)
    # One byte each: a patient is drawn once on average, and 256 times in no run of any computer.
    weights = np.ones((1 + num_resamples, len(patients)), dtype=np.uint8)
    for row in weights[1:]:
        drawn = generator.integers(len(patients), size=len(patients), dtype=np.uint32)
        row[:] = np.bincount(drawn, minlength=len(patients))
    return PatientResamples(position, cast("NDArray[np.float64]", weights))


def explain_few(num_patients: int, what: str) -> str:
    """Return why patients are too few to say anything; "" if they are enough.

    The rule of Evaluation: fewer than 30. If all of 30 were found, one in ten may still be missed
    (Hanley and Lippman-Hand 1983). Here patients are counted, because they are resampled.

    Args:
        num_patients: Number of patients that a figure is of.
        what: What these patients have.

    >>> explain_few(2, "a melanoma")
    'Too few to say: 2 patients with a melanoma; 30 are needed'
    """
    if num_patients >= FEWEST_PATIENTS:
        return ""
    patients = "1 patient" if num_patients == 1 else f"{num_patients} patients"
    return f"Too few to say: {patients} with {what}; {FEWEST_PATIENTS} are needed"


def number_patients(patient_ids: Sequence[str]) -> NDArray[np.intp]:
    """Return the same number for lesions of the same patient, int [N].

    >>> number_patients(["b", "a", "b"]).tolist()
    [0, 1, 0]
    """
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(each, len(numbers)) for each in patient_ids], dtype=np.intp)
