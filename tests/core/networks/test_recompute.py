"""A released model is measured again with the same weights."""

import hashlib
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.dataset import Dataset
from melanoma_core.data.splitting import Split
from melanoma_core.errors import ModelError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.evidence import read_evidence
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.lineage import SPLIT_NAME, read_predictions, read_split, write_table
from melanoma_core.networks.found import Photographs
from melanoma_core.networks.network import build_network
from melanoma_core.networks.recompute import recompute_model
from melanoma_core.networks.release import Origin, release_network
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.description import describe_data
from melanoma_core.training.recipe import PRESETS

RECIPE = replace(PRESETS["augmented"], image_size=64)


@pytest.fixture(scope="module")
def model(
    drawn_dataset: Dataset, drawn_split: Split, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model whose lesions have hashed ids, and which inherits an image of its parent."""
    keras.utils.set_random_seed(1)
    table = drawn_split.table.assign(
        lesion_id=[f"clinic/{number}" for number in range(len(drawn_split.table))]
    )
    split = replace(drawn_split, table=table)
    ancestor = table.head(1).assign(
        image_id="older", sha256="older", lesion_id=None, subset="train", parent_image_id=None
    )
    data = describe_data(drawn_dataset, split)
    origin = Origin(RECIPE, tuple(Diagnosis), data, split, ancestor, key=IdKey(bytes(32)))
    network = build_network(RECIPE, 8, None)
    return release_network(network, origin, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def records(drawn_split: Split) -> pd.DataFrame:
    """The files, as a folder with a table of confirmations would give them."""
    table = drawn_split.table[["sha256", "path", "width", "height"]]
    stated = np.where(np.arange(len(table)) % 3 < 2, "histopathology", "follow-up")
    return table.assign(confirmation=stated, fitzpatrick="II", licence="CC0")


@pytest.fixture(scope="module")
def recomputed(model: Path, records: pd.DataFrame) -> Path:
    return recompute(model, records)


def recompute(model: Path, *records: pd.DataFrame) -> Path:
    return recompute_model(model, Photographs(records, [Path("clinic")]), model.parent)


def test_without_a_test_photograph_the_model_is_not_measured_on_the_others(
    model: Path, records: pd.DataFrame
):
    split = read_split(model)
    assert split is not None
    test = split[split["subset"] == "test"]
    fewer = records[~records["sha256"].isin(test["sha256"].head(2))]

    with pytest.raises(ModelError) as caught:
        recompute(model, fewer)

    assert f"Found 22 of the 24 validation and test photographs of {model.name}" in str(
        caught.value
    )
    assert f"2 of test, for example {test['image_id'].iloc[0]}" in str(caught.value)
    assert [folder for folder in model.parent.glob(".*") if folder.is_dir()] == []


def test_a_model_without_a_split_cannot_be_measured_again(
    bundled: Path, tmp_path: Path, records: pd.DataFrame
):
    card = load_card(bundled)
    replace(card, files={"model.onnx": card.files["model.onnx"]}).save(tmp_path)
    with pytest.raises(ModelError, match="keeps no split"):
        recompute(tmp_path, records)


def test_a_photograph_that_changed_is_missing(model: Path, records: pd.DataFrame):
    with pytest.raises(ModelError, match="Found 0 of the 24"):
        recompute(model, records.assign(sha256="another"))


def test_a_model_that_was_recomputed_is_recomputed_again_and_names_its_first_origin(
    model: Path, recomputed: Path, records: pd.DataFrame
):
    first, second = load_card(recomputed), load_card(recompute(recomputed, records))

    assert second.model_id != first.model_id
    assert second.data["recomputed_from"] == first.data["recomputed_from"] == model.name
    assert second.metrics == first.metrics
    assert second.operating_point == first.operating_point


def test_the_weights_are_the_same_and_the_id_is_new(model: Path, recomputed: Path):
    old, new = load_card(model), load_card(recomputed)

    assert recomputed.name == new.model_id != old.model_id
    assert new.data["recomputed_from"] == old.model_id
    for name in ("model.keras", "model.onnx"):
        assert new.files[name] == old.files[name]
    for name, expected in new.files.items():
        assert hashlib.sha256((recomputed / name).read_bytes()).hexdigest() == expected
    assert new.recipe == old.recipe
    assert new.leakage == old.leakage


def test_on_the_same_data_calibration_and_metrics_come_out_as_in_the_release(
    model: Path, recomputed: Path
):
    old, new = load_card(model), load_card(recomputed)

    assert new.temperature == pytest.approx(old.temperature)
    assert (new.lesion_temperature, old.lesion_temperature) == (None, None)
    assert new.operating_point.threshold == pytest.approx(old.operating_point.threshold)
    assert new.heatmap_scale == pytest.approx(old.heatmap_scale)
    assert list_values(new) == pytest.approx(list_values(old), nan_ok=True)
    one, other = read_predictions(model), read_predictions(recomputed)
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one["p_MEL"], other["p_MEL"], rtol=1e-6)


def list_values(card: ModelCard) -> list[float]:
    figures: dict[str, Figure] = card.metrics["test"]
    return [figure.value for figure in figures.values()]


def test_what_the_tables_say_now_reaches_split_card_and_evidence(
    recomputed: Path, records: pd.DataFrame
):
    card, evidence, split = load_card(recomputed), read_evidence(recomputed), read_split(recomputed)

    assert split is not None
    assert evidence is not None
    own = split[split["subset"] != "inherited"].set_index("sha256")
    stated = records.set_index("sha256")["confirmation"]
    assert own["confirmation"].tolist() == stated.loc[own.index].tolist()
    in_test = own[own["subset"] == "test"]["confirmation"].value_counts().to_dict()
    assert card.data["images_by_confirmation"]["test"] == in_test
    assert next(iter(card.metrics)) == "test:histopathology"
    total = card.metrics["test:histopathology"]["accuracy"].total
    assert total == in_test["histopathology"]
    assert {each.attribute for each in evidence.evaluations["test"].slices} >= {
        "confirmation",
        "skin_tone",
    }


def test_hashed_ids_and_the_images_of_the_parent_stay(model: Path, recomputed: Path):
    columns = ["image_id", "sha256", "lesion_id", "patient_id", "group", "label", "subset"]
    old, new = read_split(model), read_split(recomputed)

    assert old is not None
    assert new is not None
    assert old["lesion_id"].dropna().str.startswith("hmac-sha256:").all()
    pd.testing.assert_frame_equal(old[columns], new[columns])
    assert new["subset"].iloc[-1] == "inherited"


def test_plain_ids_of_an_older_model_stay_too(model: Path, records: pd.DataFrame, tmp_path: Path):
    old = tmp_path / "old"
    old.mkdir()
    for name in ("model.keras", "model.onnx"):
        (old / name).write_bytes((model / name).read_bytes())
    split = read_split(model)
    assert split is not None
    plain = split.assign(lesion_id=[f"HAM_{number}" for number in split.index])
    card = load_card(model)
    files = {name: card.files[name] for name in ("model.keras", "model.onnx")}
    files[SPLIT_NAME] = write_table(plain, old / SPLIT_NAME)
    # Old cards have neither of these.
    replace(card, files=files, skin_cancer_operating_point=None, lesion_temperature=None).save(old)

    new = recompute(old, records)

    again, renewed = read_split(new), load_card(new)
    assert again is not None
    assert again["lesion_id"].tolist() == plain["lesion_id"].tolist()
    assert renewed.skin_cancer_operating_point is not None
    assert renewed.skin_cancer_operating_point.target_sensitivity == 0.95


def test_a_licence_that_was_settled_is_kept(model: Path, recomputed: Path):
    names = ("licences", "licence_of_the_model")
    old, new = load_card(model), load_card(recomputed)
    assert [new.data[name] for name in names] == [old.data[name] for name in names]
    assert new.data["images_by_licence"] == {"CC0": 84}


def test_without_the_train_photographs_their_counts_are_not_invented(
    model: Path, records: pd.DataFrame
):
    split = read_split(model)
    assert split is not None
    measured = split[split["subset"].isin(["validation", "test"])]

    new = load_card(recompute(model, records[records["sha256"].isin(measured["sha256"])]))

    assert new.data["images_by_confirmation"].keys() == {"validation", "test"}
    assert new.data["images"] == {"train": 60, "test": 12, "validation": 12}


def test_heatmap_tests_are_kept_where_no_alert_changes(
    model: Path, records: pd.DataFrame, tmp_path: Path
):
    tested = tmp_path / "tested"
    tested.mkdir()
    for path in model.iterdir():
        (tested / path.name).write_bytes(path.read_bytes())
    (tested / "evidence.json").unlink()
    explanation = {"Grad-CAM": {"all": {"energy_inside": Figure(0.5, 0.4, 0.6, None, 9, 9)}}}
    replace(load_card(model), explanation=explanation).save(tested)

    kept = load_card(recompute(tested, records))

    assert to_jsonable(kept.explanation) == to_jsonable(explanation)
    moved = replace(load_card(tested), temperature=load_card(tested).temperature * 2)
    moved.save(tested)
    # Without outlines there is nothing to test them on.
    assert load_card(recompute(tested, records)).explanation is None
