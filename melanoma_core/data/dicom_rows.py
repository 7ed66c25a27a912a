"""Rows of a dataset's DICOM files: a row per frame, with what the files say of patient and lesion.

Tables of the collection come first: a tag fills what no table says. The frames of one file show one
lesion, and stay in one group.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from melanoma_core.data.formats.dicom_facts import SAID
from melanoma_core.data.identities import scope_ids

_COLUMNS = {name: name for name in SAID} | {"site_text": "site"}


def split_frames(records: pd.DataFrame, counts: Mapping[Path, int]) -> pd.DataFrame:
    """Give each frame of a file a row of its own, all of one lesion.

    Args:
        records: The file table: `path`, `image_id`, `lesion_id`.
        counts: Photographs of each file that has several.

    Returns:
        The file table, with the index 0…N-1. Frame 2 of "scan.dcm" has the path "scan.dcm#2".
    """
    parts = []
    for _, row in records.iterrows():
        count = counts.get(row["path"], 1)
        if count == 1:
            parts.append(row)
            continue
        lesion = row["image_id"] if pd.isna(row["lesion_id"]) else row["lesion_id"]
        for number in range(1, count + 1):
            frame = row.copy()
            frame["path"] = row["path"].with_name(f"{row['path'].name}#{number}")
            frame["image_id"], frame["lesion_id"] = f"{row['image_id']}#{number}", lesion
            parts.append(frame)
    return pd.DataFrame(parts, columns=records.columns).reset_index(drop=True)


def add_said(records: pd.DataFrame) -> pd.DataFrame:
    """Fill what no table says by what the files say.

    Args:
        records: The file table with `said` (`dicom_facts.write_said`), and `folder`, that of the
            collection.

    Returns:
        The file table. Ids are those of the collection (`identities.scope_ids`).
    """
    is_known = records["said"].notna()
    if not is_known.any():
        return records
    said: list[dict[str, Any]] = [json.loads(text) for text in records.loc[is_known, "said"]]
    found = pd.DataFrame(said, records.index[is_known], columns=list(_COLUMNS)).rename(
        columns=_COLUMNS
    )
    found["site"] = found["site"].map(lambda text: text.lower(), na_action="ignore")
    scoped = [
        scope_ids(found.loc[rows.index], Path(str(folder)))
        for folder, rows in records[is_known].groupby("folder", sort=False)
    ]
    filled = pd.concat(scoped).reindex(records.index)
    return records.assign(
        **{
            column: records[column].fillna(filled[column].astype(records[column].dtype))
            for column in found.columns
        }
    )
