"""What a dataset loses: files that are not used, and classes of which nothing is left.

The share that is lost decides how severe a finding is.
"""

from collections import Counter
from dataclasses import replace

import pandas as pd

from melanoma_core.data.cleaning import WITH_DIAGNOSIS, Action
from melanoma_core.data.findings import Finding, FindingKind, Severity, count_of, report
from melanoma_core.taxonomy import Diagnosis, parse_tier, read_label, title_label

_MOST_REASONS = 5
_MEDIUM_SHARE, _HIGH_SHARE = 0.05, 0.2  # of all files


def find_lost_files(decisions: pd.DataFrame) -> "pd.Series[bool]":
    """Return which files are not used, although they are no copy of a file that is used.

    Args:
        decisions: From `cleaning.decide_files`.
    """
    lost: pd.Series[bool] = (decisions["action"] == Action.DROP) & decisions["copy_of"].isna()
    return lost


def rate_loss(num_lost: int, num_files: int) -> Severity:
    """Return how severe it is to lose some of the files.

    Example:
        >>> str(rate_loss(4, 100)), str(rate_loss(5, 100)), str(rate_loss(20, 100))
        ('low', 'medium', 'high')
    """
    share = num_lost / max(num_files, 1)
    if share >= _HIGH_SHARE:
        return Severity.HIGH
    return Severity.MEDIUM if share >= _MEDIUM_SHARE else Severity.LOW


def describe_share(number: int, total: int) -> str:
    """Return a number of files with its share.

    Example:
        >>> describe_share(9, 11)
        '9 of 11 files (82%)'
    """
    return f"{number:,} of {count_of(total, 'file')} ({number / max(total, 1):.0%})"


def find_unreadable(records: pd.DataFrame) -> Finding | None:
    """Find unreadable files. Takes all rows of the file table."""
    paths = records.loc[records["sha256"].isna(), "path"]
    reasons = records.loc[paths.index, "error"].dropna() if "error" in records else ()
    counts = Counter(str(reason).partition(". ")[0].rstrip(".") for reason in reasons)
    texts = [f"{reason} ({count:,})" for reason, count in counts.most_common(_MOST_REASONS)]
    rest = "; and others" if len(counts) > len(texts) else ""
    sentence = (
        f"{count_of(len(paths), 'file')} cannot be read and will not be used"
        f"{': ' if texts else ''}{'; '.join(texts)}{rest}."
    )
    return _report_loss(FindingKind.UNREADABLE, paths, sentence, len(records))


def find_unknown_labels(readable: pd.DataFrame) -> Finding | None:
    """Find files with neither a known diagnosis nor a risk tier, and list all of their labels."""
    unknown = readable[readable["diagnosis"].isna() & readable["name"].map(parse_tier).isna()]
    counts = unknown["name"].value_counts()
    names = [f'"{name}" ({count:,})' for name, count in counts.items()]
    num_unlabelled = int(unknown["name"].isna().sum())
    if num_unlabelled:
        names.append(f"no label ({num_unlabelled:,})")
    sentence = (
        f"{count_of(len(unknown), 'file')} with a label that is none of the eight diagnoses will "
        f"not be used: {', '.join(names)}."
    )
    return _report_loss(FindingKind.UNKNOWN_LABELS, unknown["path"], sentence, len(readable))


def find_tier_labels(decisions: pd.DataFrame) -> Finding | None:
    """Find files of which only the risk tier is known: they serve training alone.

    Where no file has a diagnosis, a two-class network can be trained on tiers and tested on them.
    """
    files = decisions[decisions["action"] == Action.TIER]
    counts = files["label_used"].value_counts()
    listed = ", ".join(f"{tier} ({n:,})" for tier, n in counts.items())
    use = (
        "will be used in training alone"
        if decisions["action"].isin(WITH_DIAGNOSIS).any()
        else "are all that the folder has, so a network trained on it knows tiers alone"
    )
    sentence = (
        f"{count_of(len(files), 'file')} with a risk tier as label, which is no diagnosis, {use}: "
        f"{listed}."
    )
    return report(FindingKind.TIER_LABELS, tuple((path,) for path in files["path"]), sentence)


def find_left_out(decisions: pd.DataFrame) -> Finding | None:
    """Find that a considerable share of the files is not used, whatever the reasons."""
    lost = decisions[find_lost_files(decisions)]
    severity = rate_loss(len(lost), len(decisions))
    if severity is Severity.LOW:  # the findings of each reason say enough
        return None
    reasons = lost["reason"].value_counts()
    sentence = (
        f"{describe_share(len(lost), len(decisions))} will not be used, copies not counted: "
        f"{'; '.join(f'{reason} ({count:,})' for reason, count in reasons.items())}."
    )
    return _report_loss(FindingKind.LEFT_OUT, lost["path"], sentence, len(decisions))


def find_lost_classes(records: pd.DataFrame, decisions: pd.DataFrame) -> Finding | None:
    """Find diagnoses and subsets of which the cleaned table has no file.

    Args:
        records: All rows of the file table with `diagnosis`.
        decisions: The decision on each of them, in the same order.
    """
    diagnoses, subsets = records["diagnosis"], records["subset"]
    labels = set(decisions["label_used"].dropna())
    is_open = diagnoses.isna() & (decisions["action"] != Action.TIER).to_numpy()
    kept = set(subsets[(decisions["action"] != Action.DROP).to_numpy()])
    lost = {
        title_label(read_label(label)): diagnoses == label
        for label in set(diagnoses.dropna()) - labels
    } | {f"the subset {subset}": subsets == subset for subset in set(subsets.dropna()) - kept}
    if is_open.any() and not {Diagnosis.MEL, Diagnosis.MEL.title} & (labels | set(lost)):
        name = f"{Diagnosis.MEL.title} (a label that is not understood may mean it)"
        lost[name] = is_open
    groups = tuple(tuple(records.loc[lost[name], "path"]) for name in sorted(lost))
    sentence = f"The cleaned table has no file of {' and none of '.join(sorted(lost))}."
    return report(FindingKind.LOST_CLASSES, groups, sentence)


def _report_loss(
    kind: FindingKind, paths: pd.Series, sentence: str, num_files: int
) -> Finding | None:
    finding = report(kind, tuple((path,) for path in paths), sentence)
    return replace(finding, severity=rate_loss(len(paths), num_files)) if finding else None
