"""A folder, a model, and what may be believed of the figures."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.assessment.assessment import (
    Assessment,
    assess,
    read_probabilities,
)
from melanoma_core.assessment.selection import select_photographs
from melanoma_core.assessment.tables import (
    describe_assessment,
    describe_prevalence,
    tabulate_main,
    write_assessment,
)
from melanoma_core.data.cache import FactCache
from melanoma_core.data.images import read_image
from melanoma_core.data.opening import OpenedFolder, open_folder
from melanoma_core.errors import DatasetError
from melanoma_core.jsonable import from_jsonable, to_jsonable
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.models.lineage import describe_split
from melanoma_core.reading.reading import Reading, read_photograph


@pytest.fixture(scope="module")
def classifier(unguarded: Path) -> Classifier:
    return load_classifier(unguarded, num_threads=1)


@pytest.fixture(scope="module")
def folder(draw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten photographs to train on and eight to test on, of which one is a copy, one broken."""
    folder, seed = tmp_path_factory.mktemp("data") / "moles", 0
    counts = {"Train/melanoma": 4, "Train/nevus": 6, "Test/melanoma": 3, "Test/nevus": 3}
    for place, count in counts.items():
        for number in range(count):
            seed += 1
            draw(folder / place / f"{number}.png", seed)
    # A copy of a nevus that somebody calls a melanoma: cleaning would leave it out.
    shutil.copy(folder / "Train" / "nevus" / "0.png", folder / "Test" / "melanoma" / "copy.png")
    (folder / "Test" / "nevus" / "broken.png").write_text("no picture")
    draw(folder / "Test" / "something else" / "0.png", 99)
    return folder


@pytest.fixture(scope="module")
def opened(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenedFolder:
    return open_folder(folder, FactCache(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def assessed(classifier: Classifier, opened: OpenedFolder) -> Assessment:
    return assess(classifier, opened, select_photographs(opened, None, None), num_workers=2)


def test_what_the_folder_calls_test_is_measured_as_the_folder_has_it(assessed: Assessment):
    assert assessed.subset == "test"
    assert assessed.labels.startswith("as the folder has them")
    assert (assessed.num_selected, assessed.num_unlabelled) == (8, 1)
    assert list(assessed.unreadable) == ["broken.png"]
    assert assessed.evaluation.num_images == 7
    assert assessed.evaluation.figures["sensitivity"].total == 4  # the copy is one of them
    assert (assessed.num_relatives, assessed.without_relatives.num_images) == (1, 6)


def test_every_photograph_is_read_as_the_reading_page_does(
    classifier: Classifier, folder: Path, tmp_path: Path
):
    paths = [folder / "Test" / "nevus" / f"{number}.png" for number in range(3)]
    Image.new("RGB", (100, 100)).save(tmp_path / "black.png")
    calls: list[tuple[int, int]] = []
    files = [*paths, folder / "gone.png", tmp_path / "black.png"]
    said = read_probabilities(classifier, files, 2, lambda *each: calls.append(each))
    for place, path in enumerate(paths):
        reading = read_photograph(classifier, read_image(path))
        assert isinstance(reading, Reading)
        np.testing.assert_allclose(said.probabilities[place], reading.probabilities, atol=1e-6)
    assert np.isnan(said.probabilities[3]).all()
    assert list(said.unreadable) == ["gone.png"]
    # Nothing can be seen on the last: it is measured, and told.
    assert said.is_refused.tolist() == [False, False, False, False, True]
    assert not np.isnan(said.probabilities[4]).any()
    assert calls == [(5, 5)]
    assert read_probabilities(classifier, []).probabilities.shape == (0, 8)


def test_work_that_is_cancelled_ends_with_what_cancels_it(classifier: Classifier, folder: Path):
    def cancel(*_: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        read_probabilities(classifier, [folder / "Test" / "nevus" / "0.png"], 1, cancel)


def test_it_comes_back_from_json_exactly(assessed: Assessment):
    text = json.dumps(to_jsonable(assessed), allow_nan=False)
    assert repr(from_jsonable(Assessment, json.loads(text))) == repr(assessed)
    alone = replace(assessed, without_relatives=None)
    assert repr(from_jsonable(Assessment, to_jsonable(alone))) == repr(alone)


def test_what_a_reading_would_refuse_is_counted_with_its_melanomas(assessed: Assessment):
    assert (assessed.num_refused, assessed.num_refused_melanomas) == (0, 0)
    refusing = replace(assessed, num_refused=3, num_refused_melanomas=2)
    assert "3 of them a reading would refuse, melanomas: 2." in " ".join(
        describe_assessment(refusing)
    )


def test_a_model_that_does_not_tell_what_it_learned_is_warned_of(assessed: Assessment):
    said = " ".join(describe_assessment(assessed))
    assert "7 of 8 photographs of moles (subset test)" in said
    assert "WARNING: this model keeps no list" in said
    assert "1 of those that were read share" in said
    assert "1 more have a label that the model does not know, or none" in said
    assert list(tabulate_main(assessed)[0]) == [
        "Figure",
        "All photographs",
        "Without relatives in train",
    ]
    assert "| melanoma | 4 | 4 |" in write_assessment(assessed)


def test_what_the_model_was_fitted_on_and_its_relatives_are_left_out_unless_asked_for(
    classifier: Classifier, opened: OpenedFolder
):
    records = opened.records.assign(group=range(len(opened.records)), parent_image_id=None)
    is_tested = records["subset"] == "test"
    nevi = records[is_tested & (records["label"] == "NV")].head(2)
    # Of the copy in Test the model has seen the original alone.
    original = records[~is_tested & (records["name"] == "nevus")].head(1)
    fitted_on = pd.concat([nevi, original]).assign(subset=["train", "validation", "train"])
    selection = select_photographs(opened, "test", describe_split(fitted_on))

    without = assess(classifier, opened, selection)
    known = assess(classifier, opened, selection, with_known=True)

    assert (without.num_known, without.evaluation.num_images) == (3, 4)
    assert (known.num_known, known.evaluation.num_images) == (3, 7)
    assert "WARNING: 3 photographs that the model was fitted on" in " ".join(
        describe_assessment(without)
    )
    assert "were left out" in " ".join(describe_assessment(without))
    assert "as was asked for: these figures are too good" in " ".join(describe_assessment(known))


def test_a_photograph_that_the_model_was_only_tested_on_is_new_to_it(opened: OpenedFolder):
    records = opened.records.assign(group=range(len(opened.records)), subset="test")
    selection = select_photographs(opened, "test", describe_split(records))
    assert not selection.table["is_known"].any()


def test_where_the_model_was_fitted_on_everything_nothing_is_measured(
    classifier: Classifier, opened: OpenedFolder
):
    records = opened.records.assign(group=range(len(opened.records)), subset="train")
    selection = select_photographs(opened, "train", describe_split(records))
    with pytest.raises(DatasetError, match="was fitted on every one of them"):
        assess(classifier, opened, selection)


def test_a_subset_that_is_empty_is_named(opened: OpenedFolder):
    with pytest.raises(DatasetError, match=r"Found 0 photographs in .*subset validation"):
        select_photographs(opened, "validation", None)


def test_a_folder_without_subsets_is_measured_whole(opened: OpenedFolder):
    records = opened.records.assign(subset="unassigned")
    selection = select_photographs(replace(opened, records=records), None, None)
    assert selection.subset == "all"
    assert len(selection.table) == 18
    assert not selection.table["has_relative"].any()


def test_photographs_that_somebody_sorted_are_told_apart_by_where_they_were_published(
    opened: OpenedFolder,
):
    companions = replace(opened.companions, known_sources={"ISIC_0000001": "atlas"})
    records = opened.records.assign(image_id="other")
    records.loc[records.index[-1], "image_id"] = "ISIC_0000001"
    told = replace(opened, records=records, companions=companions)
    sources = select_photographs(told, "all", None).table["source"]
    assert sources.value_counts().to_dict() == {"moles": 17, "atlas": 1}


def test_what_the_alert_means_elsewhere_is_told_in_lesions(assessed: Assessment):
    said = describe_prevalence(assessed.evaluation.figures, 0.02)
    assert said.startswith("Of 1,000 lesions in a clinic where 2.0% are melanomas, 20 are:")


def test_the_nine_class_set_is_measured_on_all_118_and_on_the_74_that_are_news(
    shared_data: Path, tmp_path: Path
):
    opened = open_folder(shared_data / "isic9", FactCache(tmp_path))
    table = select_photographs(opened, "test", None).table
    assert len(table) == 118
    assert table["has_relative"].sum() == 44
    assert table["label"].value_counts()["MEL"] == 16
