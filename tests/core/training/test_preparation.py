import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.dataset import COLUMNS, hash_table
from melanoma_core.data.images import encode_jpeg
from melanoma_core.data.splitting import Split
from melanoma_core.errors import DatasetError
from melanoma_core.training.preparation import find_leaked, prepare_split
from melanoma_core.training.recipe import PRESETS, Rebalancing

PLAIN = replace(PRESETS["baseline"], published_share=0.25)
REBALANCED = replace(PRESETS["rebalanced"], published_share=0.25)
LEAKY = replace(PRESETS["leaky"], images_per_class=0, published_share=0.25)


@pytest.fixture
def split(tmp_path) -> Split:
    """8 nevi, 4 melanomas and 1 Kaposi to train on, 2 each to validate and to test."""
    rng = np.random.default_rng(0)
    rows = []
    for subset, counts in {
        "train": {"nevus": 8, "melanoma": 4, "Kaposi's / sarcoma": 1},
        "validation": {"nevus": 2, "melanoma": 2},
        "test": {"nevus": 2, "melanoma": 2},
    }.items():
        for label, count in counts.items():
            for _ in range(count):
                data = encode_jpeg(rng.integers(0, 256, (66, 80, 3), dtype=np.uint8))
                path = tmp_path / "data" / f"{len(rows):02d}.jpg"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(data)
                rows.append(
                    {
                        "image_id": f"image {len(rows)}",
                        "path": str(path),
                        "label": label,
                        "subset": subset,
                        "lesion_id": f"lesion {len(rows)}",
                        "source": "drawn",
                        "sha256": hashlib.sha256(data).hexdigest(),
                        "width": 80,
                        "height": 66,
                        "group": len(rows),
                    }
                )
    return make_split(pd.DataFrame(rows, columns=[*COLUMNS, "group"]))


def make_split(table: pd.DataFrame) -> Split:
    return Split(table, 1, hash_table(table))


def count(table: pd.DataFrame) -> dict[str, int]:
    return table["subset"].value_counts().to_dict()


def test_a_recipe_without_rebalancing_changes_no_row(split, tmp_path):
    prepared = prepare_split(PRESETS["baseline"], split, tmp_path / "run")
    assert prepared.table.drop(columns="parent_image_id").equals(split.table)
    assert prepared.table["parent_image_id"].isna().all()
    assert (prepared.seed, prepared.sha256) == (split.seed, split.sha256)
    assert not (tmp_path / "run").exists()


def test_the_published_share_is_drawn_from_each_class_of_train(split, tmp_path):
    prepared = prepare_split(PLAIN, split, tmp_path / "run")
    assert count(prepared.table) == {"train": 10, "published": 3, "validation": 4, "test": 4}
    published = prepared.subset("published")
    # A quarter of 8 nevi and of 4 melanomas; none of 1 Kaposi's sarcoma.
    assert published["label"].value_counts().to_dict() == {"nevus": 2, "melanoma": 1}
    for name in ("validation", "test"):
        assert list(prepared.subset(name)["image_id"]) == list(split.subset(name)["image_id"])
    assert prepared.sha256 == hash_table(prepared.table) != split.sha256


def test_the_draw_depends_on_the_seed_but_not_on_the_order_of_rows(split, tmp_path):
    def published(recipe, table) -> set[str]:
        prepared = prepare_split(recipe, make_split(table), tmp_path / "run")
        return set(prepared.subset("published")["image_id"])

    one = published(PLAIN, split.table)
    assert published(PLAIN, split.table[::-1].reset_index(drop=True)) == one
    assert any(published(replace(PLAIN, seed=seed), split.table) != one for seed in (2, 3, 4))


def test_oversampling_brings_each_class_to_the_size_of_the_largest(split, tmp_path):
    prepared = prepare_split(REBALANCED, split, tmp_path / "run")
    train = prepared.subset("train")
    assert set(train["label"].value_counts()) == {6}
    assert count(prepared.table) == {"train": 18, "published": 3, "validation": 4, "test": 4}
    assert prepared.table["image_id"].is_unique
    new = train[train["parent_image_id"].notna()]
    assert len(new) == 8
    parents = train.set_index("image_id").loc[new["parent_image_id"]]
    for column in ("label", "group", "source", "lesion_id", "subset"):
        assert list(parents[column]) == list(new[column])
    assert new[["width", "height", "dhash"]].isna().all(axis=None)
    for path, sha256 in zip(new["path"], new["sha256"], strict=True):
        assert Path(path).is_relative_to(tmp_path / "run" / "oversampled")
        assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == sha256


def test_oversampling_brings_each_class_to_the_size_in_the_recipe(split, tmp_path):
    recipe = replace(REBALANCED, images_per_class=7)
    train = prepare_split(recipe, split, tmp_path / "run").subset("train")
    assert set(train["label"].value_counts()) == {7}


def test_classes_that_are_large_enough_get_no_synthetic_image(split, tmp_path):
    recipe = replace(REBALANCED, images_per_class=1)
    prepared = prepare_split(recipe, split, tmp_path / "run")
    assert prepared.table["parent_image_id"].isna().all()


def test_the_same_seed_gives_the_same_split_and_an_interrupted_call_is_continued(split, tmp_path):
    class Cancelled(Exception):  # noqa: N818  # not an error
        pass

    def cancel(done: int, _total: int) -> None:
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        prepare_split(REBALANCED, split, tmp_path / "run", cancel)
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.jpg")}
    assert len(made) >= 3
    resumed = prepare_split(REBALANCED, split, tmp_path / "run")
    assert {path: path.stat().st_mtime_ns for path in made} == made
    again = prepare_split(REBALANCED, split, tmp_path / "another")
    assert resumed.sha256 == again.sha256
    assert resumed.table.drop(columns="path").equals(again.table.drop(columns="path"))
    other = prepare_split(replace(REBALANCED, seed=2), split, tmp_path / "third")
    assert other.sha256 != again.sha256


def test_synthetic_images_have_parents_in_another_subset_only_if_the_recipe_leaks(split, tmp_path):
    for recipe, leaks in ((REBALANCED, False), (LEAKY, True)):
        table = prepare_split(recipe, split, tmp_path / recipe.name).table
        new = table[table["parent_image_id"].notna()]
        parents = table.set_index("image_id").loc[new["parent_image_id"]]
        assert (parents["subset"].to_numpy() != new["subset"].to_numpy()).any() == leaks
        assert set(new["subset"]) == ({"train", "published"} if leaks else {"train"})


def test_oversampling_before_the_split_publishes_photographs_and_synthetic_images(split, tmp_path):
    prepared = prepare_split(LEAKY, split, tmp_path / "run")
    # 8 images of each of 3 classes, of which 2 each are held out; 11 of the 24 are synthetic.
    assert count(prepared.table) == {"train": 18, "published": 6, "validation": 4, "test": 4}
    assert prepared.table["parent_image_id"].notna().sum() == 11
    published = prepared.table["subset"] == "published"
    assert find_leaked(prepared.table)[published].sum() >= 3
    assert not find_leaked(prepared.table)[~published].any()


def test_an_image_is_leaked_only_by_an_earlier_subset():
    table = pd.DataFrame(
        [
            ("train", 1),
            ("published", 1),
            ("published", 2),
            ("validation", 2),
            ("validation", 3),
            ("test", 3),
            ("test", 1),
            ("test", 4),
        ],
        columns=["subset", "group"],
    )
    leaked = [False, True, False, True, False, True, True, False]
    assert find_leaked(table).tolist() == leaked
    assert find_leaked(table[:0]).tolist() == []


def test_known_copies_in_another_subset_are_marked_as_leaked_without_an_error(split, tmp_path):
    table = split.table.copy()
    # The first test nevus is a copy of the first train nevus, in the same group.
    copied = table.index[table["subset"] == "test"][0]
    table.loc[copied, ["sha256", "group"]] = [table["sha256"].iloc[0], table["group"].iloc[0]]
    prepared = prepare_split(REBALANCED, make_split(table), tmp_path / "run")
    leaked = prepared.table["image_id"][find_leaked(prepared.table)]
    assert f"image {copied}" in set(leaked)


def test_a_copy_in_another_group_is_refused(split, tmp_path):
    table = split.table.copy()
    table.loc[table["subset"] == "test", "sha256"] = table.loc[12, "sha256"]  # the one Kaposi
    with pytest.raises(DatasetError, match="a parent with a copy in another subset"):
        prepare_split(REBALANCED, make_split(table), tmp_path / "run")


def test_class_weights_make_no_synthetic_image(split, tmp_path):
    recipe = replace(PLAIN, rebalancing=Rebalancing.CLASS_WEIGHTS)
    prepared = prepare_split(recipe, split, tmp_path / "run")
    assert prepared.table["parent_image_id"].isna().all()


def test_a_tier_is_held_out_where_it_is_a_class_of_the_network(split, tmp_path):
    labels = split.table["label"].unique()
    table = split.table.assign(label=split.table["label"].replace(labels[0], "benign"))
    recipe = replace(PLAIN, published_share=0.5)

    def list_published(class_names: tuple[str, ...]) -> set[str]:
        prepared = prepare_split(recipe, make_split(table), tmp_path, class_names=class_names)
        return set(prepared.subset("published")["label"])

    others = tuple(map(str, labels[1:]))
    assert "benign" in list_published(("benign", *others))
    assert "benign" in list_published(())
    assert "benign" not in list_published(others)
    assert list_published(others)
