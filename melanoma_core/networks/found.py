"""Find the photographs of a released model again, by their SHA-256.

A model keeps its split without paths. Tables say more of the photographs later than they did when
it was trained: how a diagnosis was confirmed, for example.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from melanoma_core.errors import ModelError
from melanoma_core.models.card import ModelCard
from melanoma_core.models.lineage import INHERITED, read_split
from melanoma_core.progress import Progress
from melanoma_core.training.observer import OnPhase, Phase

# What the tables of a folder say about a photograph, and the scan of its file.
_FACTS = (
    *("path", "width", "height", "age", "sex", "site"),
    *("confirmation", "fitzpatrick", "ita", "licence", "attribution"),
)


@dataclass(frozen=True, eq=False)
class Photographs:
    """Where the photographs of a model are.

    Attributes:
        records: File tables of the folders (`dataset.load_records`), with path and sha256.
        folders: The folders, for messages.
        progress: Progress callback, called with the number of photographs classified.
    """

    records: Sequence[pd.DataFrame]
    folders: Sequence[Path]
    progress: Progress | None = None

    @property
    def on_phase(self) -> OnPhase:
        """The progress callback, for work in phases."""
        return partial(_count, self.progress)


@dataclass(frozen=True, eq=False)
class FoundSplit:
    """The split of a released model, with its photographs.

    Attributes:
        table: Every row of its own split, with the facts of the photographs that were found.
        ancestor: Rows that only the model was trained on from which its training started.
    """

    table: pd.DataFrame
    ancestor: pd.DataFrame


def find_split(
    folder: Path, card: ModelCard, photographs: Photographs, needed: Sequence[str]
) -> FoundSplit:
    """Return the split of a released model with its photographs.

    Args:
        folder: Folder of the model.
        card: Its card.
        photographs: Where its photographs are.
        needed: Subsets of which every photograph must be found.

    Raises:
        ModelError: The model keeps no split, or a photograph that is needed is missing.
    """
    split = read_split(folder)
    if split is None:
        raise ModelError(
            f"The model {card.model_id} keeps no split, because an older version made it. Without "
            "it, the photographs that it may be measured on are not known. Train it again."
        )
    is_inherited = split["subset"] == INHERITED
    table = _add_facts(split[~is_inherited], photographs.records)
    missing = table["path"].isna() & table["subset"].isin(needed)
    if missing.any():
        raise ModelError(_describe_missing(table, card, photographs.folders, needed))
    return FoundSplit(table, split[is_inherited])


def _count(progress: Progress | None, _: Phase, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


def _add_facts(split: pd.DataFrame, records: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of a split with the facts of their photographs; missing where not found."""
    files = pd.concat([each.reindex(columns=["sha256", *_FACTS]) for each in records])
    known = files.dropna(subset=["sha256"]).groupby("sha256", sort=False).first()
    found = known.reindex(split["sha256"]).set_index(split.index)
    recorded = split.reindex(columns=list(_FACTS))
    return split.assign(
        **{name: found[name].where(found[name].notna(), recorded[name]) for name in _FACTS}
    )


def _describe_missing(
    table: pd.DataFrame, card: ModelCard, folders: Sequence[Path], needed: Sequence[str]
) -> str:
    """Say which of the photographs that are to be read were not found."""
    rows = table[table["subset"].isin(needed)]
    missing = rows[rows["path"].isna()]
    counts = missing["subset"].value_counts()
    parts = " and ".join(f"{counts[name]:,} of {name}" for name in needed if name in counts)
    return (
        f"Found {len(rows) - len(missing):,} of the {len(rows):,} {' and '.join(needed)} "
        f"photographs of {card.model_id} in {', '.join(map(str, folders))}. Missing: {parts}, for "
        f"example {missing['image_id'].iloc[0]} (SHA-256 {missing['sha256'].iloc[0]}). All are "
        "needed, unchanged: without some, the figures would be of other lesions. Name every "
        "folder that holds them."
    )
