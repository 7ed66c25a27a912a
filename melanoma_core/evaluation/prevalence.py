"""Probabilities at another prevalence: the prior shift of Saerens et al. (2002).

Imports NumPy only inside a function, because a page offers the setting before NumPy is there.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from melanoma_core.errors import SettingsError
from melanoma_core.taxonomy import SKIN_CANCERS, Diagnosis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIGITS = 10  # a share is a percentage divided by 100, without its rounding error


@dataclass(frozen=True)
class Prevalence:
    """The share of melanomas and of skin cancers among the lesions of a clinic.

    Attributes:
        melanoma: Share of melanomas, in [0, 1].
        skin_cancer: Share of `taxonomy.SKIN_CANCERS`, melanoma among them, in [melanoma, 1].

    Example:
        >>> Prevalence(melanoma=0.02, skin_cancer=0.08).skin_cancer
        0.08
    """

    melanoma: float
    skin_cancer: float

    def __post_init__(self) -> None:
        """Check the shares.

        Raises:
            ValueError: A share is not in [0, 1], or there are more melanomas than skin cancers.
        """
        for name in ("melanoma", "skin_cancer"):
            if not 0 <= getattr(self, name) <= 1:  # NaN is not either
                raise ValueError(f"{name} is {getattr(self, name)}; it must be in [0, 1]")
        if self.skin_cancer < self.melanoma:
            raise ValueError(
                f"skin_cancer is {self.skin_cancer} and melanoma is {self.melanoma}; every "
                "melanoma is a skin cancer, so skin_cancer must be at least as large"
            )

    @property
    def shares(self) -> tuple[float, float, float]:
        """The shares of melanoma, of the other skin cancers, and of all other lesions."""
        return self.melanoma, self.skin_cancer - self.melanoma, 1 - self.skin_cancer


def parse_percentages(melanoma: str, skin_cancer: str) -> Prevalence | None:
    """Return the prevalence that a person writes as two percentages; None if both are empty.

    Args:
        melanoma: Percentage of melanomas, from 0 to 100; with a decimal point or a decimal comma,
            with or without a percent sign.
        skin_cancer: Percentage of skin cancers, at least as large.

    Raises:
        SettingsError: A text is something else, or one of the two is empty.

    Example:
        >>> parse_percentages("2,5", "8 %")
        Prevalence(melanoma=0.025, skin_cancer=0.08)
    """
    shares = {
        name: _parse_percentage(name, text)
        for name, text in (("melanomas", melanoma), ("skin cancers", skin_cancer))
    }
    missing = [name for name, share in shares.items() if share is None]
    if missing:
        if len(missing) == len(shares):
            return None
        raise SettingsError(f"Found no share of {missing[0]}. Enter it, or clear the prevalence.")
    first, second = (share or 0.0 for share in shares.values())
    if second < first:
        raise SettingsError(
            f"Found {100 * first:g}% melanomas and {100 * second:g}% skin cancers. Every melanoma "
            "is a skin cancer, so the second share is at least as large. Change one of them."
        )
    return Prevalence(first, second)


def _parse_percentage(name: str, text: str) -> float | None:
    """Return a percentage as a share in [0, 1]; None for an empty text."""
    number = text.strip().removesuffix("%").strip()
    if not number:
        return None
    is_number = re.fullmatch(r"[0-9]{1,3}(?:[.,][0-9]*)?|[.,][0-9]+", number)
    percentage = float(number.replace(",", ".")) if is_number else math.inf
    if percentage > 100:
        raise SettingsError(
            f'Found "{text}" as the share of {name}. It must be a percentage from 0 to 100, such '
            "as 2.5. Change it."
        )
    return round(percentage / 100, _DIGITS)


def measure_prevalence(
    class_names: Sequence[str], frequencies: Sequence[float] | None
) -> Prevalence | None:
    """Return the prevalence that class frequencies contain; None if they are unknown.

    Args:
        class_names: C diagnosis codes.
        frequencies: C class shares with the sum 1.

    Raises:
        ValueError: There is not one frequency for each class, or one is not in [0, 1].

    Example:
        >>> measure_prevalence(("MEL", "NV", "BCC"), (0.25, 0.25, 0.5))
        Prevalence(melanoma=0.25, skin_cancer=0.75)
    """
    if frequencies is None:
        return None
    melanoma, others, _ = _sum_groups(class_names, frequencies)
    return Prevalence(melanoma, min(1.0, melanoma + others))


@overload
def adapt_probabilities(
    probabilities: tuple[float, ...],
    class_names: Sequence[str],
    frequencies: Sequence[float] | None,
    prevalence: Prevalence,
) -> tuple[float, ...] | None: ...


@overload
def adapt_probabilities(
    probabilities: "NDArray[np.float64]",
    class_names: Sequence[str],
    frequencies: Sequence[float] | None,
    prevalence: Prevalence,
) -> "NDArray[np.float64] | None": ...


def adapt_probabilities(
    probabilities: "tuple[float, ...] | NDArray[np.float64]",
    class_names: Sequence[str],
    frequencies: Sequence[float] | None,
    prevalence: Prevalence,
) -> "tuple[float, ...] | NDArray[np.float64] | None":
    """Adapt calibrated probabilities to the prevalence of a clinic.

    Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori
    probabilities" (2002), equation 4: each probability is multiplied by the ratio of the new to
    the old share of its class, and the products are scaled to the sum 1. Only the shares of
    melanoma, of the other skin cancers and of the rest change; within each of the three, the
    classes keep their proportions. This assumes that lesions of one class look the same in the
    clinic and in the photographs that the probabilities are calibrated for.

    Args:
        probabilities: C numbers in [0, 1] as a tuple, or float64 [..., C]; calibrated.
        class_names: C diagnosis codes.
        frequencies: C class shares that the probabilities are calibrated for, with the sum 1; None
            if unknown.
        prevalence: Of the clinic.

    Returns:
        The adapted probabilities in the form of `probabilities`; NaN where all classes that are
        possible in the clinic have the probability 0. None if they cannot be adapted: the
        frequencies are unknown, or the clinic has lesions of a kind (melanoma, other skin cancer or
        the rest) whose frequency is 0.

    Raises:
        ValueError: There is not one frequency for each class, or one is not in [0, 1].

    Example:
        >>> names, frequencies = ("MEL", "NV", "BCC"), (0.25, 0.25, 0.5)
        >>> adapted = adapt_probabilities(
        ...     (0.5, 0.25, 0.25), names, frequencies, Prevalence(0.02, 0.08)
        ... )
        >>> [round(each, 4) for each in adapted]
        [0.0404, 0.9293, 0.0303]
    """
    if frequencies is None:
        return None
    known = _sum_groups(class_names, frequencies)
    if any(share and not old for share, old in zip(prevalence.shares, known, strict=True)):
        return None
    ratios = [
        share / old if old else 0.0 for share, old in zip(prevalence.shares, known, strict=True)
    ]
    factors = [ratios[_find_group(name)] for name in class_names]
    if isinstance(probabilities, tuple):
        products = [a * b for a, b in zip(probabilities, factors, strict=True)]
        total = math.fsum(products)
        return tuple(product / total if total else math.nan for product in products)
    import numpy as np

    weighted = np.asarray(probabilities, dtype=np.float64) * np.array(factors)
    sums = weighted.sum(axis=-1, keepdims=True)
    adapted: NDArray[np.float64] = np.divide(
        weighted, sums, out=np.full_like(weighted, np.nan), where=sums > 0
    )
    return adapted


def _find_group(class_name: str) -> int:
    """Return 0 for melanoma, 1 for another skin cancer, 2 for anything else."""
    if class_name == Diagnosis.MEL:
        return 0
    return 1 if class_name in SKIN_CANCERS else 2


def _sum_groups(class_names: Sequence[str], frequencies: Sequence[float]) -> list[float]:
    """Return the frequencies of melanoma, of the other skin cancers, and of the rest."""
    if len(frequencies) != len(class_names):
        raise ValueError(f"{len(frequencies)} frequencies for {len(class_names)} classes")
    if not all(0 <= each <= 1 for each in frequencies):
        raise ValueError(f"frequencies are {tuple(frequencies)}; each must be in [0, 1]")
    sums = [0.0, 0.0, 0.0]
    for name, frequency in zip(class_names, frequencies, strict=True):
        sums[_find_group(name)] += frequency
    return sums
