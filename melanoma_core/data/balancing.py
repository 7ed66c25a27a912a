"""Class weights, and how many synthetic images each class needs.

Everything here works on a table; `oversampling` reads and writes the images.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis


@dataclass(frozen=True)
class ClassPlan:
    """How many synthetic images one class gets.

    Attributes:
        label: The class.
        num_originals: Number of its original images.
        num_synthetic: Number of synthetic images to create from them.
    """

    label: str
    num_originals: int
    num_synthetic: int

    @property
    def num_after(self) -> int:
        """Number of original and synthetic images together."""
        return self.num_originals + self.num_synthetic


@dataclass(frozen=True)
class OversamplingPlan:
    """How many synthetic images each class gets.

    Attributes:
        classes: The classes that occur: diagnoses in taxonomy order, then other labels by name.
    """

    classes: tuple[ClassPlan, ...]

    @property
    def num_originals(self) -> int:
        """Number of original images in all classes."""
        return sum(plan.num_originals for plan in self.classes)

    @property
    def num_synthetic(self) -> int:
        """Number of synthetic images to create in all classes."""
        return sum(plan.num_synthetic for plan in self.classes)


@dataclass(frozen=True)
class Child:
    """One synthetic image to create.

    Attributes:
        parent: Row position of its original image in the table.
        number: 1 for the first synthetic image of that parent, 2 for the second, and so on.
    """

    parent: int
    number: int


@dataclass(frozen=True)
class OversamplingLeakage:
    """The leakage into a validation subset that is drawn after oversampling.

    Attributes:
        num_validation: Number of validation images.
        num_synthetic: How many of them are synthetic.
        num_parent_in_train: How many of them are synthetic and have their parent in train.
        num_relative_in_train: How many of them, original or synthetic, have a parent, a child or
            a child of the same parent in train.
    """

    num_validation: int
    num_synthetic: int
    num_parent_in_train: int
    num_relative_in_train: int


def class_weights(labels: Iterable[str]) -> dict[str, float]:
    """Return loss weights that give every class the same total weight.

    The weight is N / (C · n) for a class with n of N images among C classes, as in scikit-learn's
    "balanced" mode. The mean weight over all images is 1.

    Args:
        labels: Labels of the train subset; missing labels are ignored.

    Returns:
        Weight by class, diagnoses in taxonomy order, then other labels by name. Empty without
        labels.

    Examples:
        >>> class_weights(["NV", "NV", "NV", "MEL"])["MEL"]
        2.0
    """
    counts = _count_labels(labels)
    num_images = sum(counts.values())
    return {label: num_images / (len(counts) * count) for label, count in counts.items()}


def effective_number_weights(labels: Iterable[str], beta: float = 0.999) -> dict[str, float]:
    """Return loss weights based on the effective number of images per class.

    The weight is proportional to (1 - beta) / (1 - beta^n) for a class of n images. It is milder
    than `class_weights` where classes are large. Cui et al. (2019), "Class-balanced loss based on
    effective number of samples", arXiv:1901.05555.

    Args:
        labels: Labels of the train subset; missing labels are ignored.
        beta: In [0, 1). At 0 all classes weigh the same; near 1 the weight approaches 1 / n.

    Returns:
        Weight by class, ordered as in `class_weights`, scaled to a mean of 1 over classes.

    Raises:
        DatasetError: `beta` is out of range.

    Examples:
        >>> effective_number_weights(["NV", "NV", "NV", "MEL"], beta=0)["MEL"]
        1.0
    """
    if not 0 <= beta < 1:
        raise DatasetError(f"Found beta={beta}. It must lie in [0, 1).")
    counts = _count_labels(labels)
    raw = {label: (1 - beta) / (1 - beta**count) for label, count in counts.items()}
    total = sum(raw.values())
    return {label: weight * len(raw) / total for label, weight in raw.items()}


def tabulate_weights(labels: Iterable[str]) -> pd.DataFrame:
    """Tabulate the number of images and the loss weights of each class.

    Args:
        labels: Labels of the train subset; missing labels are ignored.

    Returns:
        One row per class, largest first, with index `diagnosis`. Columns: `before`, its images;
        `after`, its images times the balanced weight, rounded; `balanced`, from `class_weights`;
        `effective_number`, from `effective_number_weights`.
    """
    labels = list(labels)
    table = pd.DataFrame(
        {
            "before": _count_labels(labels),
            "balanced": class_weights(labels),
            "effective_number": effective_number_weights(labels),
        }
    ).rename_axis("diagnosis")
    after = (table["before"] * table["balanced"]).round().astype(int)
    table.insert(1, "after", after)
    return table.sort_values("before", ascending=False, kind="stable")


def plan_oversampling(table: pd.DataFrame, target: int | None = None) -> OversamplingPlan:
    """Plan how many synthetic images each class gets; no original image is removed.

    Args:
        table: Rows of the train subset, with `label`.
        target: Minimum number of images per class; None for the size of the largest class.

    Raises:
        DatasetError: No image has a label, or the target is below 1.
    """
    counts = _count_labels(table["label"])
    if not counts:
        raise DatasetError(
            f"Found {len(table)} training images, none with a label. Oversampling needs at least "
            "1. Choose a dataset whose train subset has labels."
        )
    if target is not None and target < 1:
        raise DatasetError(f"Found a target of {target} images per class. It must be at least 1.")
    wanted = max(counts.values()) if target is None else target
    return OversamplingPlan(
        tuple(ClassPlan(label, count, max(0, wanted - count)) for label, count in counts.items())
    )


def tabulate_plan(plan: OversamplingPlan) -> pd.DataFrame:
    """Tabulate the images per class before and after oversampling.

    Returns:
        One row per class, largest first, with index `diagnosis` and columns `before`, `after`.
    """
    rows = [(each.label, each.num_originals, each.num_after) for each in plan.classes]
    table = pd.DataFrame(rows, columns=["diagnosis", "before", "after"]).set_index("diagnosis")
    return table.sort_values("before", ascending=False, kind="stable")


def choose_parents(table: pd.DataFrame, plan: OversamplingPlan, seed: int) -> list[Child]:
    """Choose the parent of each synthetic image, using all originals of a class equally often.

    The choice depends on the seed and the image ids, not on the row order. A larger plan starts
    with all children of a smaller one.

    Args:
        table: Rows with `image_id` and `label`.
        plan: The plan made for this table.
        seed: Random seed.

    Raises:
        DatasetError: The plan was made for another table.
    """
    if _count_labels(table["label"]) != {c.label: c.num_originals for c in plan.classes}:
        raise DatasetError(
            "Found a plan made for another table. Oversampling needs the plan of its own table. "
            "Create the plan again."
        )
    ids, labels = table["image_id"].to_numpy(), table["label"].to_numpy()
    children = []
    for class_plan in plan.classes:
        members = sorted(
            np.flatnonzero(labels == class_plan.label), key=lambda row: digest(seed, ids[row])
        )
        for index in range(class_plan.num_synthetic):
            previous, position = divmod(index, len(members))
            children.append(Child(int(members[position]), previous + 1))
    return children


def simulate_leakage(
    table: pd.DataFrame, plan: OversamplingPlan, validation_share: float, seed: int
) -> OversamplingLeakage:
    """Simulate a random split by image after oversampling; no image is created.

    This is the usual order of published results that leak.

    Args:
        table: Rows of train and validation together, with `image_id` and `label`.
        plan: The plan made for this table.
        validation_share: Share of all original and synthetic images, in (0, 1).
        seed: Random seed of the oversampling and of the split.

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
    is_synthetic = np.arange(len(families)) >= len(originals)

    order = np.random.default_rng(seed).permutation(len(families))
    in_train = np.ones(len(families), dtype=bool)
    in_train[order[: round(validation_share * len(families))]] = False
    parent_in_train = np.isin(families, families[in_train & ~is_synthetic])
    relative_in_train = np.isin(families, families[in_train])
    return OversamplingLeakage(
        num_validation=int((~in_train).sum()),
        num_synthetic=int((~in_train & is_synthetic).sum()),
        num_parent_in_train=int((~in_train & is_synthetic & parent_in_train).sum()),
        num_relative_in_train=int((~in_train & relative_in_train).sum()),
    )


def check_parents(manifest: pd.DataFrame, table: pd.DataFrame) -> None:
    """Check that the parent of every synthetic image is in train, without a copy elsewhere.

    Args:
        manifest: The manifest that `oversampling.oversample` returns.
        table: `Split.table`. `check_split` checks its groups.

    Raises:
        DatasetError: A parent is not in train, has a copy in another subset, or has changed; the
            message names the first one.
    """
    train = table[table["subset"] == "train"]
    elsewhere = table[table["subset"] != "train"]
    problems = {
        "have a parent that is not in the train subset": ~manifest["parent_image_id"].isin(
            train["image_id"]
        ),
        "have a parent with a copy in another subset": manifest["parent_sha256"].isin(
            elsewhere["sha256"]
        ),
        "have a parent that has changed": ~manifest["parent_sha256"].isin(train["sha256"]),
    }
    for problem, found in problems.items():
        if found.any():
            first = manifest.loc[found, "parent_image_id"].iloc[0]
            raise DatasetError(
                f"Found that {found.sum()} of {len(manifest)} synthetic images {problem} (the "
                f"first is {first}). Metrics would be too optimistic. Oversample the train subset "
                "again."
            )


def digest(*parts: object) -> bytes:
    """Return a 32-byte hash of the parts, the same on every machine, for seeds and orderings.

    Examples:
        >>> digest(1, "ISIC_0000001").hex()[:8]
        'dabcfe89'
    """
    # File names that are not valid UTF-8 contain surrogates.
    text = "\0".join(str(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _count_labels(labels: Iterable[str]) -> Mapping[str, int]:
    counts = pd.Series(list(labels), dtype=object).value_counts()
    others = sorted(label for label in counts.index if label not in set(Diagnosis))
    return {label: int(counts[label]) for label in [*Diagnosis, *others] if label in counts.index}
