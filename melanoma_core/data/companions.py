"""What the collections beside a folder know of its photographs.

A set of class folders says nothing of lesions, nor of where its photographs come from; but its ISIC
ids lead to the tables of the collections that they were taken from.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from melanoma_core.data.layouts import (
    Collection,
    Layout,
    find_collections,
    read_ground_truth,
    read_records,
)
from melanoma_core.errors import DatasetError


@dataclass(frozen=True, eq=False)
class Companions:
    """What is known of images, by image id.

    Attributes:
        known_lesions: Lesion ids.
        known_labels: Diagnosis of the ISIC 2019 ground truth.
        known_sources: Name of the collection that the photograph was published in.
    """

    known_lesions: dict[str, str]
    known_labels: dict[str, str]
    known_sources: dict[str, str]

    def tell(self, records: pd.DataFrame) -> pd.DataFrame:
        """Return the file table with `lesion_id` and `truth` filled in where they were missing."""
        ids = records["image_id"]
        told = {"lesion_id": self.known_lesions, "truth": self.known_labels}
        return records.assign(
            **{
                column: records.get(column, pd.Series(None, records.index, dtype=object))
                .astype(object)
                .fillna(ids.map(known).astype(object))
                for column, known in told.items()
            }
        )


def read_companions(folder: Path) -> Companions:
    """Read the tables of the collections that lie beside `folder`.

    A companion that cannot be read is left out: it is not what the person asked about.
    """
    lesions: dict[str, str] = {}
    labels: dict[str, str] = {}
    sources: dict[str, str] = {}
    for collection in _find_beside(folder.resolve()):
        try:
            is_truth = collection.layout is Layout.GROUND_TRUTH
            table = (
                read_ground_truth(collection)
                if is_truth
                else read_records(collection).drop_duplicates("image_id").set_index("image_id")
            )
        except DatasetError:
            continue
        lesions = _to_dict(table["lesion_id"]) | lesions
        if is_truth:
            labels = _to_dict(table["label"]) | labels
        else:
            sources = dict.fromkeys(table.index, collection.folder.name) | sources
    return Companions(lesions, labels, sources)


def _to_dict(known: pd.Series) -> dict[str, str]:
    return {str(image_id): str(value) for image_id, value in known.dropna().items()}


def _find_beside(folder: Path) -> list[Collection]:
    """Return the collections beside a folder, those with class folders alone left out.

    A name of a folder, into which somebody sorted copies, is no table that came with them.
    """
    try:
        beside = find_collections(folder.parent)
    except DatasetError:  # nothing but tables of labels, or nothing at all
        return []
    return [c for c in beside if c.folder != folder and c.layout is not Layout.CLASS_FOLDERS]
