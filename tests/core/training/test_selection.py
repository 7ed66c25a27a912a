"""Which images of a dataset a training uses, and for what."""

from dataclasses import replace

import pandas as pd
import pytest

from melanoma_core.data.dataset import COLUMNS, Dataset
from melanoma_core.data.splitting import split_dataset
from melanoma_core.errors import DatasetError
from melanoma_core.training.selection import Selection, select_split

NO_DECISIONS = pd.DataFrame({"action": [], "reason": []})


def make_rows(names: list[str], **columns: object) -> pd.DataFrame:
    table = pd.DataFrame({"image_id": names, "sha256": names, "label": "NV"})
    table.loc[::4, "label"] = "MEL"
    table = table.assign(subset="unassigned", source="clinic").assign(**columns)
    return table.reindex(columns=list(COLUMNS))


@pytest.fixture
def dataset() -> Dataset:
    """60 images with a diagnosis, of which 20 are of an archive, and 10 of which only the tier."""
    table = make_rows([f"C{n:02}" for n in range(40)])
    archive = make_rows([f"A{n:02}" for n in range(20)], source="archive")
    tiers = make_rows([f"T{n:02}" for n in range(10)], source="archive", label="benign")
    return Dataset(pd.concat([table, archive], ignore_index=True), NO_DECISIONS, tiers)


def subsets_of(table: pd.DataFrame, prefix: str) -> set[str]:
    return set(table.loc[table["image_id"].str.startswith(prefix), "subset"])


def test_everything_is_the_split_of_the_dataset_and_its_tiers_in_train(dataset: Dataset):
    table = select_split(dataset, Selection(), seed=1).table

    expected = split_dataset(dataset.table, 1).table
    pd.testing.assert_series_equal(table["subset"].iloc[:60], expected["subset"])
    assert subsets_of(table, "T") == {"train"}
    assert len(table) == 70


def test_without_tiers_it_is_the_split_of_the_dataset(dataset: Dataset):
    split = select_split(Dataset(dataset.table, NO_DECISIONS), Selection(), seed=1)

    assert split.sha256 == split_dataset(dataset.table, 1).sha256


def test_a_collection_for_training_alone_is_in_train(dataset: Dataset):
    table = select_split(dataset, Selection(train_only=("archive",)), seed=1).table

    assert subsets_of(table, "A") == {"train"}
    assert subsets_of(table, "C") == {"train", "validation", "test"}


def test_relatives_of_held_out_images_are_not_added_to_train(dataset: Dataset):
    held_out = select_split(dataset, Selection(), seed=1).table.query("subset != 'train'")
    lesion = dict(zip(held_out["image_id"], held_out["image_id"], strict=True))
    table = dataset.table.assign(lesion_id=dataset.table["image_id"].map(lesion))
    tiers = dataset.tiers.assign(lesion_id=held_out["image_id"].iloc[0])

    split = select_split(replace(dataset, table=table, tiers=tiers), Selection(), seed=1)

    assert not split.table["image_id"].str.startswith("T").any()


def test_a_tier_in_a_published_test_set_is_not_added_to_train(dataset: Dataset):
    tiers = dataset.tiers.assign(subset=["test"] * 4 + ["unassigned"] * 6)

    table = select_split(replace(dataset, tiers=tiers), Selection(), seed=1).table

    assert table["image_id"].str.startswith("T").sum() == 6


def test_a_collection_that_is_left_out_is_test_with_its_tiers(dataset: Dataset):
    selection = Selection(train_only=("archive",), left_out="archive")

    table = select_split(dataset, selection, seed=1).table

    assert subsets_of(table, "A") == {"test"}
    assert subsets_of(table, "T") == {"test"}
    assert selection.describe() == {"train_only": ["archive"], "left_out": "archive"}


def test_the_tiers_of_a_left_out_collection_take_their_relatives_with_them(dataset: Dataset):
    trained = select_split(dataset, Selection(), seed=1).table.query("subset == 'train'")
    relative = trained.loc[trained["source"] == "clinic", "image_id"].iloc[0]
    table = dataset.table.assign(
        lesion_id=dataset.table["image_id"].where(dataset.table["image_id"] == relative)
    )
    tiers = dataset.tiers.assign(lesion_id=[relative] + [None] * 9)

    found = select_split(
        replace(dataset, table=table, tiers=tiers), Selection(left_out="archive"), seed=1
    ).table.set_index("image_id")

    assert found.loc[[relative, "T00", "T09"], "subset"].tolist() == ["test"] * 3


def test_a_collection_of_tiers_alone_can_be_left_out(dataset: Dataset):
    tiers = dataset.tiers.assign(source="elsewhere")

    selection = Selection(left_out="elsewhere")
    table = select_split(replace(dataset, tiers=tiers), selection, seed=1).table

    assert subsets_of(table, "T") == {"test"}
    assert subsets_of(table, "A") == {"train", "validation", "test"}


def test_every_left_out_collection_leaves_the_split_of_the_others_as_it_is(dataset: Dataset):
    full, without = (
        select_split(dataset, Selection(left_out=name), seed=1).table.set_index("image_id")
        for name in (None, "archive")
    )

    clinic = [name for name in full.index if name.startswith("C")]
    assert full.loc[clinic, "subset"].equals(without.loc[clinic, "subset"])


def test_without_any_diagnosis_the_tiers_are_split(dataset: Dataset):
    tiers = make_rows([f"T{n:02}" for n in range(40)], label="benign")
    tiers.loc[::4, "label"] = "malignant"

    split = select_split(Dataset(dataset.table[:0], NO_DECISIONS, tiers), Selection(), seed=1)

    assert split.table["subset"].value_counts().to_dict() == {
        "train": 28,
        "test": 6,
        "validation": 6,
    }
    assert set(split.subset("validation")["label"]) == {"malignant", "benign"}


def test_an_image_is_left_out_with_its_relatives_and_a_collection_as_a_whole(dataset: Dataset):
    table = dataset.table.assign(lesion_id=[None] * 5 + ["L"] * 2 + [None] * 53)

    found = select_split(
        replace(dataset, table=table), Selection(without=("C05", "archive")), seed=1
    ).table

    assert len(found) == 38
    assert not {"C05", "C06"} & set(found["image_id"])


def test_the_images_of_an_earlier_split_keep_their_subsets(dataset: Dataset):
    earlier = dataset.table.assign(subset=["test"] * 30 + ["validation"] * 10 + ["train"] * 20)

    table = select_split(dataset, Selection(train_only=("archive",)), 1, earlier).table

    assert table["subset"].tolist() == ["test"] * 30 + ["validation"] * 10 + ["train"] * 30


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(without=("C99",)), "neither a collection nor an image C99"),
        (Selection(train_only=("C01",)), "no collection C01 to use in training alone"),
    ],
)
def test_a_name_that_does_not_exist_is_refused(
    dataset: Dataset, selection: Selection, message: str
):
    with pytest.raises(DatasetError, match=message):
        select_split(dataset, selection, seed=1)
