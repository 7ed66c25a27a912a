"""Which classes a network learns, and whether a split has those from which it can learn them."""

from collections.abc import Sequence

from melanoma_core.data.dataset import Dataset
from melanoma_core.data.splitting import Split
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis, RiskTier, parse_diagnosis, parse_tier

_BENIGN = "a benign diagnosis"


def choose_classes(dataset: Dataset) -> tuple[str, ...]:
    """Return the outputs of a network for a dataset: the eight diagnoses.

    Where the dataset has labels of a tier alone, they are these tiers, highest risk first. Such a
    network is evaluated, but never kept as a model.
    """
    if len(dataset.table) or not len(dataset.tiers):
        return tuple(map(str, Diagnosis))
    found = set(dataset.tiers["label"])
    return tuple(str(tier) for tier in RiskTier if tier in found)


def find_positive(class_names: Sequence[str]) -> int:
    """Return the position of melanoma among class names, by any of its common names.

    Among tiers it is that of malignant lesions.

    Raises:
        DatasetError: No class means it, or more than one does.

    Example:
        >>> find_positive(("nevus", "Melanoma")), find_positive(("Benign", "Malignant"))
        (1, 1)
    """
    found = [i for i, name in enumerate(class_names) if parse_diagnosis(name) is Diagnosis.MEL]
    if names_tiers(class_names):
        found = [i for i, name in enumerate(class_names) if parse_tier(name) is RiskTier.MALIGNANT]
    if len(found) != 1:
        raise DatasetError(
            f"Found {len(found)} classes that mean melanoma among {', '.join(class_names)}. "
            "Training needs exactly 1. Put all melanoma images into one folder named melanoma; or, "
            "where no diagnosis is known, all malignant ones into one named malignant."
        )
    return found[0]


def names_tiers(class_names: Sequence[str]) -> bool:
    """Return whether all classes are risk tiers.

    >>> names_tiers(("benign", "malignant")), names_tiers(("melanoma", "benign"))
    (True, False)
    """
    return all(parse_tier(str(name)) for name in class_names)


def check_classes(split: Split, subsets: Sequence[str] = ("train", "validation")) -> None:
    """Check that train and validation have a melanoma and an image of a benign diagnosis.

    Where all labels are tiers, they need a malignant and a benign lesion. The network learns both
    from train. The alert threshold is chosen on validation; the networks of a study have none.

    Args:
        split: Labels are diagnosis codes, or class names of a folder.
        subsets: The subsets to check.

    Raises:
        DatasetError: One is missing; the message lists the labels that were found.
    """
    for subset in subsets:
        counts = split.subset(subset)["label"].value_counts()
        if len(split.table) and names_tiers(
            [str(label) for label in split.table["label"].unique()]
        ):
            tiers = {parse_tier(str(label)) for label in counts.index}
            needed = (RiskTier.MALIGNANT, RiskTier.BENIGN)
            missing = [f"a {tier} lesion" for tier in needed if tier not in tiers]
            if missing:
                raise DatasetError(
                    f"Found no image of {' and none of '.join(missing)} in {subset}. Training on "
                    "risk tiers needs at least 1 of each. Add images, or choose another seed."
                )
            continue
        diagnoses = {parse_diagnosis(str(label)) for label in counts.index} - {None}
        has_benign = any(each and each.tier is RiskTier.BENIGN for each in diagnoses)
        present = {Diagnosis.MEL.title: Diagnosis.MEL in diagnoses, _BENIGN: has_benign}
        missing = [name for name, is_present in present.items() if not is_present]
        if missing:
            found = ", ".join(f"{label} ({count:,})" for label, count in counts.items())
            benign = ", ".join(each.title for each in Diagnosis if each.tier is RiskTier.BENIGN)
            raise DatasetError(
                f"Found no image of {' and none of '.join(missing)} in {subset} (its labels: "
                f"{found or 'none'}). Training needs at least 1 of {Diagnosis.MEL.title} and 1 of "
                f"{_BENIGN} ({benign}) in {' and in '.join(subsets)}. See what the audit "
                "leaves out, add images, or choose another seed."
            )
