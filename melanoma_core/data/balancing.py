"""What is done about uneven classes: weights, or new images of the train subset alone.

Everything here is decided from a table, before a file is read or written; `oversampling` writes
the new images.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis


class Balancing(StrEnum):
    """What is done about classes of different size."""

    NONE = "none"
    CLASS_WEIGHTS = "class-weights"
    OVERSAMPLING = "oversampling"


@dataclass(frozen=True)
class ClassPlan:
    """How many new images one class gets.

    Attributes:
        label: The class.
        num_originals: Photographs that it has.
        num_synthetic: New images to make of them.
    """

    label: str
    num_originals: int
    num_synthetic: int

    @property
    def num_after(self) -> int:
        """Photographs and new images together."""
        return self.num_originals + self.num_synthetic

    @property
    def most_per_original(self) -> int:
        """New images of the photograph that gives most; others of the class give at most 1 less."""
        return -(-self.num_synthetic // self.num_originals)


@dataclass(frozen=True)
class OversamplingPlan:
    """How many new images each class gets.

    Attributes:
        classes: The classes that occur, the eight diagnoses in their order, then others by name.
    """

    classes: tuple[ClassPlan, ...]

    @property
    def num_originals(self) -> int:
        """Photographs of all classes."""
        return sum(plan.num_originals for plan in self.classes)

    @property
    def num_synthetic(self) -> int:
        """New images of all classes: what has to be made and kept on disk."""
        return sum(plan.num_synthetic for plan in self.classes)


@dataclass(frozen=True)
class Child:
    """One new image to be made.

    Attributes:
        parent: Position of its parent among the rows of the table.
        number: It is the parent's 1st, 2nd… new image.
    """

    parent: int
    number: int


@dataclass(frozen=True)
class Leakage:
    """What a validation subset holds if it is drawn after oversampling instead of before.

    Attributes:
        num_validation: Images in it.
        num_synthetic: Of these, how many are new images.
        num_parent_in_train: New images in it whose parent is trained on.
        num_relative_in_train: Images in it, new or not, of which a parent, a child or another
            child of the same parent is trained on.
    """

    num_validation: int
    num_synthetic: int
    num_parent_in_train: int
    num_relative_in_train: int


def class_weights(labels: Iterable[str]) -> dict[str, float]:
    """Return the weight of an image of each class in the loss, so that every class counts alike.

    N / (C · n) with N images in C classes, n of them in this one, as scikit-learn's "balanced":
    the mean over all images is 1.

    Args:
        labels: Those of the train subset; missing ones are left out.

    Returns:
        The classes that occur, the eight diagnoses in their order, then others by name; empty
        without any label.
    """
    counts = _count_labels(labels)
    num_images = sum(counts.values())
    return {label: num_images / (len(counts) * count) for label, count in counts.items()}


def effective_number_weights(labels: Iterable[str], beta: float = 0.999) -> dict[str, float]:
    """Return milder weights: the more images a class has, the less each further one adds to it.

    One over the effective number of images, (1 - beta^n) / (1 - beta): Cui et al. (2019),
    "Class-balanced loss based on effective number of samples", arXiv:1901.05555.

    Args:
        labels: Those of the train subset; missing ones are left out.
        beta: In [0, 1): 0 weighs all classes alike, near 1 it is one over the count.

    Returns:
        The classes that occur, in the same order, scaled to a mean of 1 over classes.

    Raises:
        DatasetError: beta is out of range.
    """
    if not 0 <= beta < 1:
        raise DatasetError(f"Found beta={beta}. It must lie in [0, 1).")
    counts = _count_labels(labels)
    raw = {label: (1 - beta) / (1 - beta**count) for label, count in counts.items()}
    total = sum(raw.values())
    return {label: weight * len(raw) / total for label, weight in raw.items()}


def plan_oversampling(table: pd.DataFrame, target: int | None = None) -> OversamplingPlan:
    """Decide how many new images each class gets; nothing is ever taken away.

    Args:
        table: Rows of the train subset, with `label`.
        target: Images that each class shall have at least; None for as many as the largest has.

    Raises:
        DatasetError: There is no image with a label, or the target is below 1.
    """
    counts = _count_labels(table["label"])
    if not counts:
        raise DatasetError(
            f"Found {len(table)} images to train on and none with a label. Oversampling needs "
            "at least 1. Choose data whose train subset has labels."
        )
    if target is not None and target < 1:
        raise DatasetError(f"Found a target of {target} images per class. It must be at least 1.")
    wanted = max(counts.values()) if target is None else target
    return OversamplingPlan(
        tuple(ClassPlan(label, count, max(0, wanted - count)) for label, count in counts.items())
    )


def choose_parents(table: pd.DataFrame, plan: OversamplingPlan, seed: int) -> list[Child]:
    """Say of which photograph each new image is made; those of a class are used evenly.

    It depends on the seed and the images' ids, not on the order of the rows, and a larger plan
    begins with all the children of a smaller one.

    Args:
        table: Rows with `image_id` and `label`.
        plan: Made of this table.
        seed: Of the draw among a class' photographs.

    Raises:
        DatasetError: The plan was made of another table.
    """
    if _count_labels(table["label"]) != {c.label: c.num_originals for c in plan.classes}:
        raise DatasetError(
            "The plan was made of another table than the one to be oversampled. Make it anew."
        )
    ids, labels = table["image_id"].to_numpy(), table["label"].to_numpy()
    children = []
    for wanted in plan.classes:
        members = sorted(
            np.flatnonzero(labels == wanted.label), key=lambda row: digest(seed, ids[row])
        )
        for index in range(wanted.num_synthetic):
            turn, position = divmod(index, len(members))
            children.append(Child(int(members[position]), turn + 1))
    return children


def count_leaked_parents(
    table: pd.DataFrame, plan: OversamplingPlan, validation_share: float, seed: int
) -> Leakage:
    """Show what oversampling before the split does; no image is made.

    The split is the usual one of published results: at random, image by image.

    Args:
        table: Rows of train and validation together, with `image_id` and `label`.
        plan: Made of this table.
        validation_share: Of all images, old and new, in (0, 1).
        seed: Of the oversampling and of the split.

    Raises:
        DatasetError: The share is out of range.
    """
    if not 0 < validation_share < 1:
        raise DatasetError(
            f"Found a validation share of {validation_share}. It must lie in (0, 1)."
        )
    originals = np.flatnonzero(table["label"].notna())
    parents = np.array([c.parent for c in choose_parents(table, plan, seed)], dtype=np.intp)
    families = np.concatenate([originals, parents])
    is_new = np.arange(len(families)) >= len(originals)

    drawn = np.random.default_rng(seed).permutation(len(families))
    in_train = np.ones(len(families), dtype=bool)
    in_train[drawn[: round(validation_share * len(families))]] = False
    parent_trained = np.isin(families, families[in_train & ~is_new])
    relative_trained = np.isin(families, families[in_train])
    return Leakage(
        num_validation=int((~in_train).sum()),
        num_synthetic=int((~in_train & is_new).sum()),
        num_parent_in_train=int((~in_train & is_new & parent_trained).sum()),
        num_relative_in_train=int((~in_train & relative_trained).sum()),
    )


def check_parents(manifest: pd.DataFrame, table: pd.DataFrame) -> None:
    """Prove that every new image has its parent in the train subset, and no copy of it elsewhere.

    Args:
        manifest: Of `oversampling.oversample`.
        table: `Split.table`; that its groups lie in one subset each, `check_split` proves.

    Raises:
        DatasetError: One has not; the message names it.
    """
    trained = table[table["subset"] == "train"]
    elsewhere = table[table["subset"] != "train"]
    problems = {
        "have a parent that is not in the train subset": ~manifest["parent_image_id"].isin(
            trained["image_id"]
        ),
        "have a parent with a copy in another subset": manifest["parent_sha256"].isin(
            elsewhere["sha256"]
        ),
        "have a parent that has changed": ~manifest["parent_sha256"].isin(trained["sha256"]),
    }
    for problem, found in problems.items():
        if found.any():
            first = manifest.loc[found, "parent_image_id"].iloc[0]
            raise DatasetError(
                f"Found that {found.sum()} of {len(manifest)} new images {problem} (the first is "
                f"{first}). A measured figure would be too good. Oversample the train subset anew."
            )


def digest(*parts: object) -> bytes:
    """Return 32 bytes that depend on the parts alone, on any machine, to seed and to order by."""
    # File names that are no UTF-8 are kept as surrogates.
    text = "\0".join(str(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _count_labels(labels: Iterable[str]) -> Mapping[str, int]:
    counts = pd.Series(list(labels), dtype=object).value_counts()
    others = sorted(label for label in counts.index if label not in set(Diagnosis))
    return {label: int(counts[label]) for label in [*Diagnosis, *others] if label in counts.index}
