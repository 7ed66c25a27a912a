"""What a network is trained towards: a diagnosis, or a risk tier where no diagnosis is known.

A label of a tier is a set of diagnoses, of which one is right. It is learned by the sum of their
probabilities (learning from partial labels: Cour et al. 2011, JMLR 12:1501).
"""

from collections.abc import Iterable, Sequence

import pandas as pd

from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import RiskTier, parse_diagnosis


def list_targets(labels: Iterable[str], class_names: Sequence[str]) -> tuple[str, ...]:
    """Return the class names, and then the risk tiers that are labels, highest risk first.

    Example:
        >>> list_targets(["benign", "MEL"], ("MEL", "NV"))
        ('MEL', 'NV', 'benign')
    """
    found = set(map(str, labels)) - set(map(str, class_names))
    return (*map(str, class_names), *(str(tier) for tier in RiskTier if tier in found))


def find_members(targets: Sequence[str], class_names: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Return the positions of the classes of each tier among the targets.

    Args:
        targets: From `list_targets`.
        class_names: C class names.

    Raises:
        DatasetError: A tier has no class, so that nothing can be learned from its label.

    Example:
        >>> find_members(("MEL", "NV", "DF", "benign"), ("MEL", "NV", "DF"))
        ((1, 2),)
    """
    diagnoses = [parse_diagnosis(str(name)) for name in class_names]
    members = []
    for tier in targets[len(class_names) :]:
        members.append(tuple(i for i, each in enumerate(diagnoses) if each and each.tier == tier))
        if not members[-1]:
            raise DatasetError(
                f'Found images with the label "{tier}", and no {tier} diagnosis among the classes '
                f"{', '.join(map(str, class_names))}. Leave these images out, or add such a class."
            )
    return tuple(members)


def select_classes(table: pd.DataFrame, class_names: Sequence[str]) -> pd.DataFrame:
    """Return the rows whose label is a class; that of the others is a tier of several classes.

    Example:
        >>> table = pd.DataFrame({"label": ["MEL", "benign"]})
        >>> select_classes(table, ("MEL", "NV"))["label"].tolist()
        ['MEL']
        >>> len(select_classes(table.assign(label="benign"), ("malignant", "benign")))
        2
    """
    return table[table["label"].isin([str(name) for name in class_names])]
