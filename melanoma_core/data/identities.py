"""Who is who: ids of lesions and patients that mean the same in all collections.

Every clinic may count its patients from 1. An id therefore belongs to its collection, unless it is
an id of the ISIC Archive, which gives each lesion and patient one id for ever.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

ID_COLUMNS = ("lesion_id", "patient_id")

# The prefixes of the ISIC Archive and of the challenges made from it.
_GLOBAL_ID = re.compile(r"(?:HAM|BCN|MSK\d*|UDA\d*|IL|IP)_\d+")
# What tables write for an id that they do not have, besides punctuation and zeros.
_PLACEHOLDERS = {
    *("na", "nan", "nil", "none", "null", "nd", "tbd", "unk", "unknown", "undefined"),
    *("unspecified", "unidentified", "unassigned", "missing", "anonymous", "anonymized"),
    *("anonymised", "notavailable", "notknown", "notprovided", "notrecorded", "notapplicable"),
}
# "train" and "test" of one hospital hold the same patients: their ids belong to the parent folder.
_SUBSET_FOLDER = re.compile(
    r"(?<![a-z])(?:train(?:ing)?|val(?:id|idation)?|test(?:ing)?)(?![a-z])", re.IGNORECASE
)


def is_placeholder(value: object) -> bool:
    """Return whether a table writes this instead of an id that it does not have.

    Example:
        >>> [is_placeholder(value) for value in ("-", "?", "0", "n/a", "Unknown", "-1", "P0", "7")]
        [True, True, True, True, True, True, False, False]
    """
    if pd.isna(value):  # type: ignore[call-overload]
        return True
    text = str(value).strip().casefold()
    bare = re.sub(r"[\W_]", "", re.sub(r"\.0+$", "", text))
    return not bare.strip("0") or bare in _PLACEHOLDERS or text in {"-1", "-99", "-999", "-9999"}


def clean_ids(values: Iterable[Any]) -> list[str | None]:
    """Return ids as text without spaces around them, None for a placeholder.

    Example:
        >>> clean_ids([" P1 ", "unknown", None, "0"])
        ['P1', None, None, None]
    """
    return [None if is_placeholder(value) else str(value).strip() for value in values]


def scope_ids(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Return a table whose ids of lesions and patients differ from those of other collections.

    Args:
        table: Ids as the collection writes them, in `ID_COLUMNS` as far as it has them.
        folder: Folder of the collection. That of a subset ("train") has the ids of its parent.

    Returns:
        The table, in which an id "3" is "<folder>/3". Ids of the ISIC Archive stay as they are.

    Example:
        >>> table = pd.DataFrame({"patient_id": ["3", "IP_0000003", None]})
        >>> scope_ids(table, Path("clinics/a"))["patient_id"].tolist()
        ['a/3', 'IP_0000003', None]
    """
    scope = folder.parent.name if _SUBSET_FOLDER.search(folder.name) else folder.name
    changed = {
        column: pd.Series(
            [
                each if each is None or _GLOBAL_ID.fullmatch(each) else f"{scope}/{each}"
                for each in clean_ids(table[column])
            ],
            table.index,
            dtype=object,
        )
        for column in ID_COLUMNS
        if column in table
    }
    return table.assign(**changed)


def find_repeated_ids(ids: pd.Series) -> dict[str, list[str]]:
    """Find ids that several collections write, which `scope_ids` has therefore kept apart.

    Args:
        ids: From `scope_ids`.

    Returns:
        The folders of each such id, sorted.

    Example:
        >>> find_repeated_ids(pd.Series(["a/3", "b/3", "b/4", "IP_0000003", None]))
        {'3': ['a', 'b']}
    """
    parts = (str(each).partition("/") for each in ids.dropna().unique())
    pairs = pd.DataFrame(
        [(written, scope) for scope, separator, written in parts if separator],
        columns=["written", "scope"],
    )
    folders = pairs.groupby("written")["scope"].agg(sorted)
    return {str(each): found for each, found in folders.items() if len(found) > 1}
