"""The evaluation of a model on a folder, and its limitations."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core import __version__
from melanoma_core.assessment.assessment import (
    Assessment,
    Part,
    assess,
    locate_photographs,
    read_again,
)
from melanoma_core.assessment.file_predictions import predict_files
from melanoma_core.assessment.selection import select_photographs
from melanoma_core.assessment.tables import (
    describe_assessment,
    describe_origin,
    describe_slices,
    format_tables,
    tabulate_main,
    tabulate_slices,
)
from melanoma_core.data.cache import FactCache
from melanoma_core.data.images import read_image
from melanoma_core.data.opening import OpenedFolder, open_folder
from melanoma_core.errors import DatasetError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.slices import Slice
from melanoma_core.jsonable import from_jsonable, to_jsonable
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.lineage import describe_split
from melanoma_core.reading.reading import Reading, read_photograph
from melanoma_core.taxonomy import Confirmation

KEY = IdKey()


@pytest.fixture(scope="module")
def classifier(unguarded: Path) -> Classifier:
    return load_classifier(unguarded, num_threads=1)


@pytest.fixture(scope="module")
def folder(draw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten images to train on and eight to test on, one of them a copy and one unreadable."""
    folder, seed = tmp_path_factory.mktemp("data") / "moles", 0
    counts = {"Train/melanoma": 4, "Train/nevus": 6, "Test/melanoma": 3, "Test/nevus": 3}
    for place, count in counts.items():
        for number in range(count):
            seed += 1
            draw(folder / place / f"{number}.png", seed)
    # A copy of a nevus, labelled as a melanoma: cleaning would leave it out.
    shutil.copy(folder / "Train" / "nevus" / "0.png", folder / "Test" / "melanoma" / "copy.png")
    (folder / "Test" / "nevus" / "broken.png").write_text("no picture")
    draw(folder / "Test" / "something else" / "0.png", 99)
    return folder


@pytest.fixture(scope="module")
def opened(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenedFolder:
    return open_folder(folder, FactCache(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def assessed(classifier: Classifier, opened: OpenedFolder) -> Assessment:
    return assess(classifier, select_photographs(opened, None, None), num_workers=2)


def test_the_test_subset_of_the_folder_is_evaluated_with_the_folders_labels(assessed: Assessment):
    assert assessed.subset == "test"
    assert assessed.labels.startswith("as in the folder")
    assert (assessed.num_selected, assessed.num_unlabelled) == (8, 1)
    assert list(assessed.unreadable) == ["broken.png"]
    assert assessed.evaluation.num_images == 7
    assert assessed.evaluation.figures["sensitivity"].total == 4  # the copy is one of them
    assert (assessed.num_relatives, assessed.without_relatives.num_images) == (1, 6)


def test_predictions_for_files_equal_those_of_a_reading(
    classifier: Classifier, folder: Path, tmp_path: Path
):
    paths = [folder / "Test" / "nevus" / f"{number}.png" for number in range(3)]
    Image.new("RGB", (100, 100)).save(tmp_path / "black.png")
    calls: list[tuple[int, int]] = []
    files = [*paths, folder / "gone.png", tmp_path / "black.png"]
    predicted = predict_files(classifier, files, 2, lambda *each: calls.append(each))
    for place, path in enumerate(paths):
        reading = read_photograph(classifier, read_image(path))
        assert isinstance(reading, Reading)
        np.testing.assert_allclose(predicted.probabilities[place], reading.probabilities, atol=1e-6)
    assert np.isnan(predicted.probabilities[3]).all()
    assert list(predicted.unreadable) == ["gone.png"]
    # A reading would refuse the black image, which has a prediction all the same.
    assert predicted.is_refused.tolist() == [False, False, False, False, True]
    assert not np.isnan(predicted.probabilities[4]).any()
    assert calls == [(5, 5)]
    assert predict_files(classifier, []).probabilities.shape == (0, 8)


def test_an_exception_of_the_progress_callback_stops_the_work(classifier: Classifier, folder: Path):
    def cancel(*_: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        predict_files(classifier, [folder / "Test" / "nevus" / "0.png"], 1, cancel)


def test_an_assessment_comes_back_from_json_exactly(assessed: Assessment):
    text = json.dumps(to_jsonable(assessed), allow_nan=False)
    assert repr(from_jsonable(Assessment, json.loads(text))) == repr(assessed)
    alone = replace(assessed, without_relatives=None)
    assert repr(from_jsonable(Assessment, to_jsonable(alone))) == repr(alone)


def test_an_assessment_says_with_what_it_was_made_and_what_it_is_not_for(assessed: Assessment):
    assert assessed.app_version == __version__
    assert assessed.operating_points is not None
    assert assessed.operating_points["melanoma"]["chosen_on"] == "validation"
    columns = describe_origin(assessed)
    assert list(columns) == [
        "Model",
        "Software",
        "Melanoma operating point",
        "Skin cancer operating point",
        "Note",
    ]
    assert "for a sensitivity of 95.0%" in columns["Skin cancer operating point"]
    assert columns["Note"] == "For research and education. Not a medical device."
    earlier = replace(assessed, app_version="", operating_points=None)
    assert describe_origin(earlier)["Melanoma operating point"] == ""


def test_images_that_a_reading_would_refuse_are_counted_with_their_melanomas(assessed: Assessment):
    assert (assessed.num_refused, assessed.num_refused_melanomas) == (0, 0)
    refusing = replace(assessed, num_refused=3, num_refused_melanomas=2)
    text = " ".join(describe_assessment(refusing))
    assert "A reading would refuse 3 of the images, of which 2 are melanomas." in text


def test_a_model_that_does_not_record_its_training_images_has_a_warning(assessed: Assessment):
    text = " ".join(describe_assessment(assessed))
    assert "7 of 8 images of moles (subset test)" in text
    assert "WARNING: This model does not record what it was trained on." in text
    assert "1 of the images share a copy, lesion or patient" in text
    assert "Left out: 1 images without a label that the model has." in text
    assert "Left out: 1 images that cannot be read." in text
    assert list(tabulate_main(assessed)[0]) == ["Metric", "All images", "Not related to train"]
    assert "| melanoma | 4 | 4 |" in format_tables(assessed)


def confirm(opened: OpenedFolder, confirmations: dict[str, Confirmation | None]) -> OpenedFolder:
    """Return a folder whose tables say how some diagnoses were confirmed."""
    stated = opened.records["label"].map(confirmations)
    return replace(opened, records=opened.records.assign(confirmation=stated))


def test_the_headline_is_on_the_images_that_histopathology_confirmed(
    classifier: Classifier, opened: OpenedFolder
):
    is_biopsied = opened.records["path"].map(lambda path: Path(path).name in ("0.png", "copy.png"))
    stated = np.where(is_biopsied, Confirmation.HISTOPATHOLOGY, Confirmation.FOLLOW_UP)
    records = opened.records.assign(confirmation=stated)
    assessed = assess(classifier, select_photographs(replace(opened, records=records), None, None))

    assert (assessed.num_confirmed, assessed.confirmed.num_images) == (3, 3)
    assert list(assessed.parts) == [Part.CONFIRMED, Part.ALL, Part.UNRELATED]
    rows = {row["Metric"]: row for row in tabulate_main(assessed)}
    counts = [cell.split(", ")[-1] for cell in rows["Accuracy"].values()]
    assert [count.split(" of ")[-1] for count in counts[1:]] == ["3", "7", "6"]
    said = describe_assessment(assessed)
    assert any("Histopathology confirmed 3 of the 7 images." in each for each in said)
    assert any(each.startswith("Confirmed by histopathology: Of 100 melanomas") for each in said)
    tables = format_tables(assessed)
    assert tables.index("| melanoma | 2 | 2 |") < tables.index("| melanoma | 4 | 4 |")
    assert repr(from_jsonable(Assessment, to_jsonable(assessed))) == repr(assessed)


@pytest.mark.parametrize(
    ("confirmations", "number", "said"),
    [
        ({}, 0, "How each diagnosis was confirmed is not recorded"),
        ({"MEL": Confirmation.HISTOPATHOLOGY}, 4, "which lack melanomas or other lesions"),
        (
            dict.fromkeys(("MEL", "NV"), Confirmation.HISTOPATHOLOGY),
            7,
            "The labels of all images were confirmed by histopathology.",
        ),
    ],
    ids=["none", "melanomas", "all"],
)
def test_without_confirmed_lesions_of_both_kinds_all_images_come_first(
    classifier: Classifier,
    opened: OpenedFolder,
    confirmations: dict[str, Confirmation | None],
    number: int,
    said: str,
):
    selection = select_photographs(confirm(opened, confirmations), None, None)
    assessed = assess(classifier, selection)

    assert assessed.num_confirmed == number
    assert next(iter(assessed.parts)) is Part.ALL
    assert (assessed.confirmed is None) == (number in (0, 7))
    assert said in " ".join(describe_assessment(assessed))
    alerts = [each for each in describe_assessment(assessed) if "Of 100 melanomas" in each]
    assert alerts[0].startswith("All images: ")


def test_subgroups_name_their_units_and_what_an_estimated_tone_is_worth(assessed: Assessment):
    def make_slice(value: str) -> Slice:
        figures = {"sensitivity": Figure(35 / 43, 0.6, 0.9, 35, 43, 32)}
        return Slice("skin_tone", value, 90, 32, 40, figures, "", 33)

    known, estimated = (
        replace(assessed.evaluation, slices=(make_slice(value),))
        for value in ("Fitzpatrick II", "light (estimate)")
    )

    (row,) = tabulate_slices(known)
    assert row["Melanoma lesions"] == 32
    assert row["Sensitivity, images"].endswith("35 of 43")
    assert not any("PAD-UFES-20" in note for note in describe_slices(known))
    note = describe_slices(estimated)[-1]
    assert "unrelated to the Fitzpatrick type (Spearman correlation 0.01" in note
    assert note in format_tables(replace(assessed, evaluation=estimated))


def test_images_seen_in_training_and_related_ones_are_left_out_unless_included(
    classifier: Classifier, opened: OpenedFolder
):
    records = opened.records.assign(group=range(len(opened.records)), parent_image_id=None)
    is_tested = records["subset"] == "test"
    nevi = records[is_tested & (records["label"] == "NV")].head(2)
    # The model has seen the original of the copy in Test, but not the copy.
    original = records[~is_tested & (records["name"] == "nevus")].head(1)
    fitted_on = pd.concat([nevi, original]).assign(subset=["train", "validation", "train"])
    selection = select_photographs(opened, "test", describe_split(fitted_on))

    without = assess(classifier, selection)
    included = assess(classifier, selection, include_seen=True)

    assert (without.num_known, without.evaluation.num_images) == (3, 4)
    assert (included.num_known, included.evaluation.num_images) == (3, 7)
    text = " ".join(describe_assessment(without))
    assert "WARNING: 3 images were seen in training" in text
    assert "They were left out" in text
    assert "They are included as requested" in " ".join(describe_assessment(included))


@pytest.mark.parametrize(
    ("kept_with", "num_seen"), [(KEY, 3), (None, 3), (IdKey(), 1)], ids=["same", "plain", "other"]
)
def test_lesions_seen_in_training_are_found_by_their_hashes_with_the_same_key(
    classifier: Classifier, opened: OpenedFolder, kept_with: IdKey | None, num_seen: int
):
    records = opened.records.assign(group=range(len(opened.records)), parent_image_id=None)
    nevi = records.index[(records["subset"] == "test") & (records["label"] == "NV")]
    records.loc[nevi, "lesion_id"] = [f"clinic/{number}" for number in range(len(nevi))]
    opened = replace(opened, records=records)
    # The model has seen one of these images, and other images of two of the lesions.
    fitted_on = records.loc[nevi[:3]].assign(subset="train")
    fitted_on["sha256"] = [fitted_on["sha256"].iloc[0], "another", "a third"]
    fitted_on = describe_split(fitted_on)
    if kept_with is not None:
        fitted_on = kept_with.hash_ids(fitted_on)

    selection = select_photographs(opened, "test", fitted_on, key=KEY)
    assessed = assess(classifier, selection)

    assert assessed.num_known == num_seen
    warnings = [text for text in describe_assessment(assessed) if "Not compared" in text]
    assert warnings == [f"WARNING: {selection.unchecked}"] * (num_seen == 1)
    assert selection.unchecked == "" or "of 3 of the 3 images" in selection.unchecked


def test_an_image_in_the_models_test_subset_was_not_seen(opened: OpenedFolder):
    records = opened.records.assign(group=range(len(opened.records)), subset="test")
    selection = select_photographs(opened, "test", describe_split(records))
    assert not selection.table["is_seen"].any()


def test_a_model_that_has_seen_all_images_cannot_be_evaluated(
    classifier: Classifier, opened: OpenedFolder
):
    records = opened.records.assign(group=range(len(opened.records)), subset="train")
    selection = select_photographs(opened, "train", describe_split(records))
    with pytest.raises(DatasetError, match=r"Found 10 images .* has seen all of them"):
        assess(classifier, selection)


def test_an_empty_subset_is_an_error(opened: OpenedFolder):
    with pytest.raises(DatasetError, match=r"Found 0 images in .*subset validation"):
        select_photographs(opened, "validation", None)


def test_a_folder_without_subsets_is_evaluated_as_a_whole(opened: OpenedFolder):
    records = opened.records.assign(subset="unassigned")
    selection = select_photographs(replace(opened, records=records), None, None)
    assert selection.subset == "all"
    assert len(selection.table) == 18
    assert not selection.table["has_relative"].any()


def test_the_source_of_images_in_class_folders_is_where_they_were_published(
    opened: OpenedFolder,
):
    companions = replace(opened.companions, known_sources={"ISIC_0000001": "atlas"})
    records = opened.records.assign(image_id="other")
    records.loc[records.index[-1], "image_id"] = "ISIC_0000001"
    changed = replace(opened, records=records, companions=companions)
    sources = select_photographs(changed, "all", None).table["source"]
    assert sources.value_counts().to_dict() == {"moles": 17, "atlas": 1}


def test_wanted_images_are_found_by_their_hash():
    records = pd.DataFrame({"path": ["a", "b", "c", "d"], "sha256": ["1", "2", "1", None]})
    wanted = pd.DataFrame({"sha256": ["2", "elsewhere", "1", None]})

    found = locate_photographs(wanted, records)

    assert found["path"].tolist() == ["b", "a"]


def test_images_are_read_again_as_in_a_reading(classifier: Classifier, folder: Path):
    paths = [folder / "Test" / "nevus" / "0.png", folder / "gone.png"]
    rows = pd.DataFrame({"sha256": ["1", "2"], "path": paths}, index=[7, 8])
    calls: list[tuple[int, int]] = []

    predictions = read_again(classifier, rows, lambda *each: calls.append(each))

    assert predictions["sha256"].tolist() == ["1"]  # the other file is missing
    reading = read_photograph(classifier, read_image(paths[0]))
    assert isinstance(reading, Reading)
    found = predictions.loc[0, [f"p_{name}" for name in reading.class_names]]
    np.testing.assert_allclose(found.to_numpy(float), reading.probabilities, atol=1e-6)
    assert calls == [(2, 2)]
    assert read_again(classifier, rows.tail(1)).empty
    assert read_again(classifier, rows.head(0)).empty


def test_the_nine_class_dataset_has_118_test_images_of_which_44_are_related_to_train(
    shared_data: Path, real_cache: FactCache
):
    opened = open_folder(shared_data / "isic9", real_cache)
    table = select_photographs(opened, "test", None).table
    assert len(table) == 118
    assert table["has_relative"].sum() == 44
    assert table["label"].value_counts()["MEL"] == 16
