import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.errors import ModelError
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import load_card
from melanoma_core.models.lineage import (
    PREDICTIONS_NAME,
    SPLIT_NAME,
    describe_predictions,
    describe_split,
    hash_images,
    read_predictions,
    read_split,
    was_trained_on,
    write_table,
)
from melanoma_core.models.predictions import get_probabilities, list_classes

TABLE = pd.DataFrame(
    {
        "image_id": ["c", "a", "b"],
        "path": ["/data/c.jpg", "/data/a.jpg", "/data/b.jpg"],
        "sha256": ["h3", "h1", "h2"],
        "lesion_id": [None, "NA", "L2"],  # a lesion may be called so
        "patient_id": [None, None, None],
        "group": np.array([2, 0, 1], dtype=np.int32),
        "source": ["s", "s", "s"],
        "label": ["NV", "MEL", "NV"],
        "subset": ["test", "train", "test"],
    }
)


def keep(folder: Path, bundled: Path, **tables: pd.DataFrame) -> Path:
    """Write a card that names the tables, and the tables."""
    names = {"split": SPLIT_NAME, "predictions": PREDICTIONS_NAME}
    hashes = {names[key]: write_table(table, folder / names[key]) for key, table in tables.items()}
    raw = to_jsonable(load_card(bundled)) | {"files": hashes}
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    return folder


def test_a_split_comes_back_as_it_was_kept_without_a_path(tmp_path: Path, bundled: Path):
    folder = keep(tmp_path, bundled, split=describe_split(TABLE))

    split = read_split(folder)

    assert split is not None
    assert split.columns.tolist() == [
        "image_id",
        "sha256",
        "lesion_id",
        "patient_id",
        "group",
        "source",
        "label",
        "subset",
        "parent_image_id",
        "confirmation",
        "fitzpatrick",
        "ita",
    ]
    assert split["image_id"].tolist() == ["a", "b", "c"]
    assert split["lesion_id"].tolist() == ["NA", "L2", None]
    assert split["group"].tolist() == [0, 1, 2]
    assert was_trained_on(split).tolist() == [True, False, False]
    assert b"/data" not in gzip.decompress((folder / SPLIT_NAME).read_bytes())


def test_a_split_keeps_how_diagnoses_are_known_and_the_tone_of_the_skin(
    tmp_path: Path, bundled: Path
):
    table = TABLE.assign(
        confirmation=["consensus", "histopathology", None],
        fitzpatrick=[None, "II", None],
        ita=[41.27, np.nan, -3.0],
    )
    folder = keep(tmp_path, bundled, split=describe_split(table))

    split = read_split(folder)

    assert split is not None
    assert split["confirmation"].tolist() == ["histopathology", None, "consensus"]
    assert split["fitzpatrick"].tolist() == ["II", None, None]
    assert split["ita"].fillna(99).tolist() == [99, -3.0, 41.3]


def test_a_split_of_an_older_model_lacks_the_later_columns_and_is_read(
    tmp_path: Path, bundled: Path
):
    later = ["confirmation", "fitzpatrick", "ita"]
    folder = keep(tmp_path, bundled, split=describe_split(TABLE).drop(columns=later))

    split = read_split(folder)

    assert split is not None
    assert split[later].isna().all(axis=None)


def test_the_same_rows_in_any_order_are_the_same_bytes(tmp_path: Path):
    one = write_table(describe_split(TABLE), tmp_path / "one")
    other = write_table(describe_split(TABLE[::-1]), tmp_path / "other")

    assert one == other
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_model_without_tables_returns_none(tmp_path: Path, bundled: Path):
    folder = keep(tmp_path, bundled)

    assert read_split(folder) is None
    assert read_predictions(folder) is None


def test_a_table_that_is_missing_or_not_the_one_in_the_card_is_refused(
    tmp_path: Path, bundled: Path
):
    folder = keep(tmp_path, bundled, split=describe_split(TABLE))
    write_table(describe_split(TABLE.head(1)), folder / SPLIT_NAME)
    with pytest.raises(ModelError, match="its SHA-256 is not the one in the card"):
        read_split(folder)

    (folder / SPLIT_NAME).unlink()
    with pytest.raises(ModelError, match=r"Cannot read .*split\.csv\.gz"):
        read_split(folder)


def test_training_images_of_an_ancestor_are_inherited_once():
    ancestor = describe_split(
        TABLE.assign(
            image_id=["old", "old a", "held out"],
            sha256=["h9", "h1", "h8"],
            subset=["train", "train", "test"],
        )
    )

    split = describe_split(TABLE, ancestor)
    grandchild = describe_split(TABLE.head(1), split)

    assert split["image_id"].tolist() == ["a", "b", "c", "old"]
    assert split["subset"].tolist()[-1] == "inherited"
    assert split["group"].isna().tolist() == [False, False, False, True]
    assert was_trained_on(split).tolist() == [True, False, False, True]
    assert set(grandchild["sha256"]) == {"h3", "h1", "h9"}


def test_predictions_come_back_exactly_with_the_columns_of_the_split(tmp_path: Path, bundled: Path):
    test = TABLE[TABLE["subset"] == "test"]
    probabilities = np.array([[1 / 3, 2 / 3], [0.1 + 0.2, 1e-300]])
    predictions = describe_predictions(test, probabilities, ("MEL", "NV"))
    folder = keep(tmp_path, bundled, split=describe_split(TABLE), predictions=predictions)

    found = read_predictions(folder)

    assert found is not None
    assert list_classes(found) == ("MEL", "NV")
    assert found["image_id"].tolist() == ["b", "c"]
    assert found["label"].tolist() == ["NV", "NV"]
    np.testing.assert_array_equal(get_probabilities(found), probabilities[::-1])


def test_the_hash_of_images_depends_on_bytes_and_labels_and_not_on_their_order():
    assert hash_images(TABLE) == hash_images(TABLE[::-1])
    assert hash_images(TABLE) != hash_images(TABLE.head(2))
    assert hash_images(TABLE) != hash_images(TABLE.assign(label="MEL"))
