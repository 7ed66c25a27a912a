"""Check that a split has the classes from which a network can learn what a melanoma is."""

from collections.abc import Sequence

from melanoma_core.data.splitting import Split
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import Diagnosis, RiskTier, parse_diagnosis

_BENIGN = "a benign diagnosis"


def check_classes(split: Split, subsets: Sequence[str] = ("train", "validation")) -> None:
    """Check that train and validation have a melanoma and an image of a benign diagnosis.

    The network learns both from train. The alert threshold is chosen on validation; the networks
    of a study have none.

    Args:
        split: Labels are diagnosis codes, or class names of a folder.
        subsets: The subsets to check.

    Raises:
        DatasetError: One is missing; the message lists the labels that were found.
    """
    for subset in subsets:
        counts = split.subset(subset)["label"].value_counts()
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
