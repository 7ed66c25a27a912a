"""Findings about how the files, folders and tables of a dataset fit together."""

import pandas as pd

from melanoma_core.data.census import Census, Role, list_ignored
from melanoma_core.data.copies import connect_rows
from melanoma_core.data.findings import Finding, FindingKind, Severity, count_of, report
from melanoma_core.taxonomy import Confirmation

_MOST_NAMES = 5
_HIGH_SHARE = 0.2  # of the images; as for files that are lost in other ways


def find_ignored_files(census: Census, num_images: int) -> Finding | None:
    """Find files that are not looked at, and tables whose columns are not understood."""
    number = census.counts.get(Role.IGNORED, 0)
    if not number:
        return None
    tables = "".join(f" The table {text} is not read." for text in census.unread_tables)
    sentence = (
        f"{count_of(number, 'file')} {'is' if number == 1 else 'are'} not looked at: "
        f"{list_ignored(census)}. A folder must be named like a diagnosis, or a table must name "
        f"its images and their diagnosis.{tables}"
    )
    share = number / (number + num_images)
    severity = Severity.HIGH if share >= _HIGH_SHARE else Severity.MEDIUM
    return Finding(FindingKind.NOT_LOOKED_AT, severity, False, False, number, sentence, ())


def find_missing_files(census: Census, num_images: int) -> Finding | None:
    """Find images that a table names and that have no file."""
    number = sum(map(len, census.missing.values()))
    if not number:
        return None
    texts = [
        f"{len(images):,} of {table} (the first is {images[0]})"
        for table, images in census.missing.items()
    ]
    sentence = f"{count_of(number, 'image')} of the tables have no file: {'; '.join(texts)}."
    share = number / (number + num_images)
    severity = Severity.HIGH if share >= _HIGH_SHARE else Severity.MEDIUM
    return Finding(FindingKind.MISSING_FILES, severity, False, False, number, sentence, ())


def find_barred_links(census: Census) -> Finding | None:
    """Find links that are not followed, since they lead out of a shared server's data directory."""
    number = census.counts.get(Role.BARRED, 0)
    if not number:
        return None
    sentence = (
        f"{count_of(number, 'link')} out of the data directory {'is' if number == 1 else 'are'} "
        "not followed, since other people use this server. Copy what should be read into the data "
        "directory."
    )
    return Finding(FindingKind.BARRED_LINKS, Severity.MEDIUM, False, False, number, sentence, ())


def find_contradicted_folders(readable: pd.DataFrame) -> Finding | None:
    """Find files whose table and folder give different diagnoses."""
    found = readable[readable["contradiction"].notna()]
    counts = found["contradiction"].value_counts()
    settled = int(found["truth"].notna().sum())
    sentence = (
        f"{count_of(len(found), 'file')} with one diagnosis in a table and another by the folder: "
        f"{_list_counts(counts)}. The ground truth settles {settled:,} of them; the others will "
        "not be used. Remove the table, or move the files."
    )
    groups = tuple((path,) for path in found["path"])
    return report(FindingKind.CONTRADICTED_FOLDERS, groups, sentence)


def find_relabelled(readable: pd.DataFrame) -> Finding | None:
    """Find files that get another diagnosis from a ground truth."""
    both = readable["truth"].notna() & readable["label"].notna()
    found = readable[both & (readable["truth"] != readable["label"])]
    pairs = found["name"].astype(str) + " → " + found["truth"].astype(str)
    tables = ", ".join(sorted(found["truth_table"].dropna().unique()))
    sentence = (
        f"{count_of(len(found), 'file')} with another diagnosis in the ground truth {tables}, "
        f"which counts: {_list_counts(pairs.value_counts())}."
    )
    groups = tuple((path,) for path in found["path"])
    return report(FindingKind.RELABELLED, groups, sentence)


def find_different_pictures(readable: pd.DataFrame) -> Finding | None:
    """Find image ids that different pictures share."""
    pictures = readable.assign(picture=connect_rows(readable, ("cluster", "pixel_sha256")))
    number = pictures.groupby("image_id")["picture"].transform("nunique")
    groups = tuple(tuple(paths) for _, paths in pictures[number > 1].groupby("image_id")["path"])
    sentence = (
        f"Found {count_of(len(groups), 'image id')} of different pictures, such as a photograph "
        "and a drawing on it, or a photograph in very different colours. The largest picture of "
        "each is kept."
    )
    return report(FindingKind.DIFFERENT_PICTURES, groups, sentence)


def find_mixed_types(readable: pd.DataFrame) -> Finding | None:
    """Find that photographs with and without a dermoscope are mixed."""
    types = readable["image_type"].astype(object)
    known = types[types.notna()].astype(str)
    is_dermoscopic = known.str.contains("dermoscop", case=False)
    if is_dermoscopic.all() or not is_dermoscopic.any():
        return None
    others = known[~is_dermoscopic]
    sentence = (
        f"{count_of(len(others), 'file')} taken without a dermoscope ({_list_counts(others)}) are "
        f"mixed with {count_of(int(is_dermoscopic.sum()), 'dermoscopic file')}. A network can "
        "learn how a photograph was taken instead of the disease. Keep them apart."
    )
    groups = tuple((path,) for path in readable.loc[others.index, "path"])
    return report(FindingKind.MIXED_IMAGE_TYPES, groups, sentence)


def find_unknown_facts(readable: pd.DataFrame) -> Finding | None:
    """Find confirmations and skin types in tables that mean none of the known ones."""
    found = readable[readable["not_understood"].notna()]
    ways = ", ".join(Confirmation)
    sentence = (
        f"{count_of(len(found), 'file')} with a confirmation or skin type that is not understood: "
        f"{_list_counts(found['not_understood'].value_counts())}. It counts as not stated. A "
        f"confirmation is one of {ways}; a skin type is one of I to VI or 1 to 6, and no range."
    )
    return report(FindingKind.UNKNOWN_FACTS, tuple((path,) for path in found["path"]), sentence)


def find_in_records(readable: pd.DataFrame) -> tuple[Finding | None, ...]:
    """Return the findings of this module about readable files.

    Args:
        readable: The readable rows of the file table; columns that it lacks count as missing.
    """
    optional = ("contradiction", "truth", "truth_table", "image_type", "not_understood")
    added = {column: None for column in optional if column not in readable}
    readable = readable.assign(**added)
    return (
        find_contradicted_folders(readable),
        find_relabelled(readable),
        find_different_pictures(readable),
        find_mixed_types(readable),
        find_unknown_facts(readable),
    )


def find_in_census(census: Census | None, num_images: int) -> tuple[Finding | None, ...]:
    """Return the findings of this module about files that are not in the file table."""
    if census is None:
        return ()
    return (
        find_ignored_files(census, num_images),
        find_missing_files(census, num_images),
        find_barred_links(census),
    )


def _list_counts(counts: pd.Series) -> str:
    if counts.dtype != int:
        counts = counts.value_counts()
    texts = [f"{name} ({number:,})" for name, number in counts.items()]
    more = f", and {len(texts) - _MOST_NAMES:,} more" if len(texts) > _MOST_NAMES else ""
    return ", ".join(texts[:_MOST_NAMES]) + more
