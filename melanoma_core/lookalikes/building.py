"""Make an index from photographs with known diagnoses: those of a folder, or of a record."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from melanoma_core.data.cleaning import USED, apply_decisions, decide_files
from melanoma_core.data.copies import connect_rows
from melanoma_core.data.opening import OpenedFolder
from melanoma_core.errors import DatasetError
from melanoma_core.lookalikes.embedder import Embedder, ReadPhotograph
from melanoma_core.lookalikes.index_file import TEXTS, write_index_file
from melanoma_core.lookalikes.lookalike import IndexFacts
from melanoma_core.progress import Progress
from melanoma_core.taxonomy import Confirmation

_SAME_LESION = ("lesion_id", "sha256", "cluster")


@dataclass(frozen=True, eq=False)
class Selection:
    """Photographs to index.

    Attributes:
        rows: One per photograph, all texts: `lesion`, `image`, `file` (SHA-256, hex), `diagnosis`,
            and, missing where unknown, `patient`, `source`, `confirmation`, `title`.
        name: What the index is called.
        num_unreadable: Files that cannot be read and are no rows.
        num_unconfirmed: Photographs left out because histopathology did not confirm them.
        is_own: Whether they are of the clinic's own record.
        with_unfamiliar: Whether those that are out of distribution are indexed too, as the drawn
            lesions of the demonstration record.
    """

    rows: pd.DataFrame
    name: str
    num_unreadable: int = 0
    num_unconfirmed: int = 0
    is_own: bool = False
    with_unfamiliar: bool = False


def select_folder(opened: OpenedFolder, *, with_unconfirmed: bool = False) -> Selection:
    """Select the photographs of a folder whose diagnosis is known.

    Which of them are used, and with which label, is decided as for training
    (`cleaning.decide_files`), but a photograph with a relative in Test stays.

    Args:
        opened: The folder.
        with_unconfirmed: Whether to take also what histopathology did not confirm.

    Raises:
        DatasetError: There are none.
    """
    # Nothing is trained here, so that nothing can leak from Test.
    records = opened.records.assign(subset="unassigned")
    table = apply_decisions(records, decide_files(records), USED)
    is_confirmed = table["confirmation"] == Confirmation.HISTOPATHOLOGY
    chosen = table if with_unconfirmed else table[is_confirmed].reset_index(drop=True)
    if chosen.empty:
        raise DatasetError(
            f"Found {len(table):,} photographs with a diagnosis in {opened.folder}, "
            f"{int(is_confirmed.sum()):,} of them confirmed by histopathology. An index needs at "
            "least 1. Add a table that says how each was confirmed, or index the others too with "
            "`--all`."
        )
    return Selection(
        rows=_describe_rows(chosen),
        name=opened.folder.name,
        num_unreadable=int(opened.records["sha256"].isna().sum()),
        num_unconfirmed=len(table) - len(chosen),
    )


def _describe_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an index. What shares a lesion, a file or a near copy is one lesion."""
    table = table.assign(number=connect_rows(table, _SAME_LESION))
    same = table.groupby("number")
    # A lesion without an id is named by its first photograph.
    lesion = same["lesion_id"].transform("first").astype(object)
    return pd.DataFrame(
        {
            "lesion": lesion.fillna(same["image_id"].transform("first")),
            "patient": same["patient_id"].transform("first"),
            "image": table["path"],
            "file": table["sha256"],
            "source": table["source"],
            "diagnosis": table["label"],
            "confirmation": table["confirmation"],
        }
    ).astype(object)


def build_index(
    selection: Selection,
    embedder: Embedder,
    read: ReadPhotograph,
    path: Path,
    progress: Progress | None = None,
) -> IndexFacts:
    """Write an index, which replaces the one that is there.

    Photographs that were embedded before are not read again: in a call that was cancelled or
    killed, or in an index that has grown since.

    Args:
        selection: What is indexed.
        embedder: Of the model that the index is for.
        read: Reads a photograph of the selection by its `image`.
        path: File to write.
        progress: Progress callback, in photographs. An exception that it raises cancels the work;
            no file is written then.

    Returns:
        What the index holds.

    Raises:
        FolderError: The file cannot be written.
    """
    rows = selection.rows.reindex(columns=[*TEXTS, "patient", "file"])
    rows = rows.sort_values(["lesion", "image"]).drop_duplicates(["lesion", "file"])
    rows = rows.reset_index(drop=True)
    embedder.embed(dict(zip(rows["file"], rows["image"], strict=True)), read, progress)
    made = embedder.make_vectors(list(rows["file"]), with_unfamiliar=selection.with_unfamiliar)
    usable = rows[made.is_usable].assign(fingerprint=made.fingerprints, look=made.looks)
    by_lesion = usable.drop_duplicates("lesion")
    facts = IndexFacts(
        name=selection.name,
        model_id=embedder.classifier.card.model_id,
        num_lesions=len(by_lesion),
        num_photographs=len(usable),
        by_diagnosis=dict(sorted(Counter(by_lesion["diagnosis"]).items())),
        num_unreadable=selection.num_unreadable + made.num_unreadable,
        num_unfamiliar=made.num_unfamiliar,
        num_unconfirmed=selection.num_unconfirmed,
        is_own=selection.is_own,
    )
    write_index_file(path, facts, usable, made.vectors)
    return facts
