import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.errors import ModelError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.leakage import Leakage
from melanoma_core.evaluation.rules import ConformalBound, ConformalBounds
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import ModelCard, OperatingPoint, load_card


@pytest.fixture
def card(bundled: Path) -> ModelCard:
    return load_card(bundled)


def change(card: ModelCard, folder: Path, **fields: object) -> None:
    (folder / "card.json").write_text(json.dumps(to_jsonable(card) | fields), "utf-8")


def test_a_folder_without_a_card_is_an_error_that_describes_a_model(tmp_path: Path):
    with pytest.raises(ModelError, match=r"no card\.json in .* Restore it, or train a new one"):
        load_card(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"not json"])
def test_a_card_that_is_not_json_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "card.json").write_bytes(content)

    with pytest.raises(ModelError, match=r"Cannot read .*card\.json.* or name another model"):
        load_card(tmp_path)


def test_a_folder_in_the_place_of_the_card_is_named(tmp_path: Path):
    (tmp_path / "card.json").mkdir()

    with pytest.raises(ModelError, match=r"Cannot read .*card\.json"):
        load_card(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{}", "3", "null", '{"metrics": 3}'])
def test_json_that_is_not_a_card_is_refused(tmp_path: Path, content: str):
    (tmp_path / "card.json").write_text(content)

    with pytest.raises(ModelError, match="is not a model card of this project"):
        load_card(tmp_path)


def test_a_card_that_lacks_a_field_or_has_a_foreign_one_is_refused(card: ModelCard, tmp_path: Path):
    raw = to_jsonable(card)
    del raw["temperature"]
    for wrong in (raw, to_jsonable(card) | {"mood": "good"}):
        (tmp_path / "card.json").write_text(json.dumps(wrong))

        with pytest.raises(ModelError, match="is not a model card of this project"):
            load_card(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("melanoma_index", 8),
        ("melanoma_index", -1),
        ("image_size", 0),
        ("heatmap_scale", 0.0),
        ("heatmap_scale", -2.0),
        ("temperature", 0.0),
        ("temperature", float("nan")),
        ("temperature", "1.0"),
        ("temperature", None),
        ("lesion_temperature", 0.0),
        ("lesion_temperature", float("inf")),
        (
            "skin_cancer_operating_point",
            {"threshold": 1.1, "target_sensitivity": 0.95, "chosen_on": "validation"},
        ),
        ("created_at", "yesterday"),
        ("created_at", ""),
    ],
)
def test_an_invalid_value_is_refused(card: ModelCard, tmp_path: Path, name: str, value: object):
    change(card, tmp_path, **{name: value})

    with pytest.raises(ModelError, match="is not a model card of this project"):
        load_card(tmp_path)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), "0.5"])
def test_a_threshold_that_is_not_a_probability_is_refused(
    card: ModelCard, tmp_path: Path, threshold: object
):
    change(
        card,
        tmp_path,
        operating_point=to_jsonable(card)["operating_point"] | {"threshold": threshold},
    )

    with pytest.raises(ModelError, match="is not a model card of this project"):
        load_card(tmp_path)


def test_a_saved_card_loads_as_it_was(card: ModelCard, tmp_path: Path):
    defined = replace(card, metrics={"test": {"accuracy": Figure(0.5, 0.25, 0.75, 2, 4, 3)}})

    defined.save(tmp_path)

    assert load_card(tmp_path) == defined


def test_an_undefined_metric_is_null_on_disk_and_nan_in_memory(card: ModelCard, tmp_path: Path):
    undefined = Figure(np.nan, np.nan, np.nan, 0, 0, 0)

    replace(card, metrics={"test": {"recall_DF": undefined}}).save(tmp_path)

    raw = json.loads((tmp_path / "card.json").read_text("utf-8"))
    assert raw["metrics"]["test"]["recall_DF"] == {
        "value": None,
        "low": None,
        "high": None,
        "count": 0,
        "total": 0,
        "num_lesions": 0,
    }
    loaded = load_card(tmp_path).metrics["test"]["recall_DF"]
    assert np.isnan([loaded.value, loaded.low, loaded.high]).all()
    assert (loaded.count, loaded.total) == (0, 0)


def test_a_metric_that_is_not_a_share_has_no_count(card: ModelCard, tmp_path: Path):
    auc = Figure(0.9, 0.85, 0.95, None, 100, 80)

    replace(card, metrics={"test": {"melanoma_roc_auc": auc}}).save(tmp_path)

    assert load_card(tmp_path).metrics["test"]["melanoma_roc_auc"] == auc


def test_the_bundled_card_is_complete(card: ModelCard):
    assert card.class_names == ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")
    assert card.class_names[card.melanoma_index] == "MEL"
    assert set(card.files) >= {"model.keras", "model.onnx"}
    assert card.operating_point.chosen_on == "validation"
    assert card.operating_point.target_sensitivity == 0.95
    assert "non-commercial" in card.data["licence_of_the_model"]
    assert "not a medical device" in card.intended_use.casefold()
    assert card.limitations
    for name in ("balanced_accuracy", "melanoma_roc_auc", "sensitivity", "specificity"):
        figure = card.metrics["test"][name]
        assert figure.low <= figure.value <= figure.high
        assert figure.total > figure.num_lesions / 2 > 0


def test_an_older_card_has_no_leakage_check(card: ModelCard, tmp_path: Path):
    raw = to_jsonable(card)
    del raw["leakage"]
    (tmp_path / "card.json").write_text(json.dumps(raw), "utf-8")

    assert load_card(tmp_path).leakage is None


def test_a_card_with_leakage_has_no_metrics_whatever_its_file_says(card: ModelCard, tmp_path: Path):
    clean = replace(card, leakage=Leakage(("lesion",), 10, 90, 0))
    clean.save(tmp_path)
    assert to_jsonable(load_card(tmp_path)) == to_jsonable(clean)

    leaking = replace(card, leakage=Leakage(("lesion",), 10, 90, 1, ("a in test and b in train",)))
    leaking.save(tmp_path)
    assert load_card(tmp_path).metrics == {}
    assert load_card(tmp_path).leakage == leaking.leakage


def test_conformal_bounds_are_saved_and_an_older_card_has_none(card: ModelCard, tmp_path: Path):
    bounds = {name: ConformalBound(0.25, 40) for name in card.class_names}
    bounds["DF"] = ConformalBound(None, 3)
    making = replace(card, conformal=ConformalBounds(0.9, "validation", bounds))
    making.save(tmp_path)
    assert load_card(tmp_path) == making

    raw = to_jsonable(card)
    del raw["conformal"]
    (tmp_path / "card.json").write_text(json.dumps(raw), "utf-8")
    assert load_card(tmp_path).conformal is None


@pytest.mark.parametrize("lowest", [1.5, -0.1, "0.5"])
def test_a_bound_that_is_not_a_probability_is_refused(
    card: ModelCard, tmp_path: Path, lowest: object
):
    bound = {"lowest_probability": lowest, "num_lesions": 40}
    bounds = dict.fromkeys(card.class_names, bound)
    change(card, tmp_path, conformal={"coverage": 0.9, "fitted_on": "validation", "bounds": bounds})
    with pytest.raises(ModelError, match="is not a model card of this project"):
        load_card(tmp_path)


def test_a_card_of_an_older_version_has_no_skin_cancer_alert(card: ModelCard, tmp_path: Path):
    raw = to_jsonable(card)
    raw.pop("skin_cancer_operating_point")
    raw.pop("lesion_temperature")
    (tmp_path / "card.json").write_text(json.dumps(raw), "utf-8")
    read = load_card(tmp_path)

    assert read.skin_cancer_operating_point is None
    assert read.lesion_temperature is None
    assert read.rules.skin_cancer_threshold is None


def test_the_rules_of_a_card_have_both_thresholds(card: ModelCard):
    point = OperatingPoint(0.125, 0.95, "validation")
    rules = replace(card, skin_cancer_operating_point=point).rules

    assert rules.threshold == card.operating_point.threshold
    assert rules.skin_cancer_threshold == 0.125
    assert [rules.class_names[index] for index in rules.skin_cancer_indices] == [
        "MEL",
        "BCC",
        "SCC",
    ]
