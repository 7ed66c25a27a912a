"""Readings as rows: JSON and tables have the same names, and say the same."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core import __version__
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.classifier import Classifier
from melanoma_core.models.origins import describe_origins
from melanoma_core.reading.lesion import combine_readings
from melanoma_core.reading.reading import Refusal, RefusalKind
from melanoma_core.reading.rows import (
    describe_lesion,
    describe_lesion_columns,
    describe_photograph,
    flatten_row,
)
from melanoma_core.reading.worklist import Worklist
from melanoma_core.reading.worklist_table import export_csv
from melanoma_core.settings import PROJECT_ROOT
from tests.made_readings import make_reading


@pytest.fixture
def card(bundled: Path) -> ModelCard:
    counts = {"train": {"MEL": 25, "NV": 50, "BCC": 25}}
    return replace(
        load_card(bundled),
        model_id="test",
        class_names=("MEL", "NV", "BCC"),
        data={"images_by_label": counts},
    )


READING = make_reading({"MEL": 0.01, "NV": 0.29, "BCC": 0.7}, 0.05, 0.1, members=("BCC",))


def test_a_photograph_that_was_read_has_both_alerts_and_its_leading_diagnosis(card: ModelCard):
    row = describe_photograph("a.jpg", READING, card)

    assert row == {
        "image": "a.jpg",
        "status": "read",
        "reason": None,
        "model_id": "test",
        "statement_level": "other skin cancer suspected",
        "statement": "Basal cell carcinoma is the leading diagnosis (70.0%, malignant); the "
        "probability of melanoma (1.0%) is below its alert threshold (5.0%).",
        "top_diagnosis": "BCC",
        "risk_tier": "malignant",
        "melanoma_probability": 0.01,
        "threshold": 0.05,
        "alert": False,
        "skin_cancer_probability": 0.01 + 0.7,
        "skin_cancer_threshold": 0.1,
        "skin_cancer_alert": True,
        "conformal_set": ["BCC"],
        "probabilities": {"MEL": 0.01, "NV": 0.29, "BCC": 0.7},
        "read_anyway": False,
        "novelty": None,
        "novelty_limit": None,
        "quality": [],
        "outline": None,
        "operating_points": describe_origins(card),
        "confirmed_by_person": False,
        "app_version": __version__,
        "disclaimer": "For research and education. Not a medical device.",
    }


def test_a_table_says_in_words_where_both_thresholds_come_from(card: ModelCard):
    columns = flatten_row(describe_photograph("a.jpg", READING, card))
    for name in ("melanoma", "skin_cancer"):
        words = columns[f"{name}_threshold_origin"]
        assert words == "chosen on validation for a sensitivity of 95.0%"
    assert (columns["app_version"], columns["confirmed_by_person"]) == (__version__, "false")
    unseen = Refusal("Why.", RefusalKind.UNREADABLE)
    assert "melanoma_threshold_origin" not in flatten_row(
        describe_photograph("a.jpg", unseen, None)
    )


def test_a_refused_photograph_has_the_same_names_without_values(card: ModelCard):
    refusal = Refusal("Why.", RefusalKind.UNFAMILIAR, novelty=float("nan"), novelty_limit=3.0)
    row = describe_photograph("a.jpg", refusal, card)

    assert list(row) == list(describe_photograph("a.jpg", READING, card))
    assert (row["status"], row["reason"], row["novelty"]) == ("refused", "Why.", None)
    assert row["probabilities"] is None
    assert row["alert"] is None
    assert row["read_anyway"] is False


def test_with_a_prevalence_old_names_keep_their_values_and_alerts(card: ModelCard):
    row = describe_photograph("a.jpg", READING, card)
    adapted = describe_photograph("a.jpg", READING, card, Prevalence(0.02, 0.08))

    assert {name: adapted[name] for name in row} == row
    assert adapted["prevalence"] == {"melanoma": 0.02, "skin_cancer": 0.08}
    # 0.01 × 0.02/0.25, 0.29 × 0.92/0.5, 0.7 × 0.06/0.25, scaled to the sum 1
    assert adapted["adapted_probabilities"] == pytest.approx(
        {"MEL": 0.001139, "NV": 0.759681, "BCC": 0.239180}, abs=1e-6
    )
    assert adapted["adapted_melanoma_probability"] == adapted["adapted_probabilities"]["MEL"]
    assert adapted["adapted_skin_cancer_probability"] == pytest.approx(0.240319, abs=1e-6)


def test_what_cannot_be_adapted_is_missing(card: ModelCard):
    row = describe_photograph("a.jpg", READING, replace(card, data={}), Prevalence(0.02, 0.08))

    assert row["prevalence"] == {"melanoma": 0.02, "skin_cancer": 0.08}
    assert row["adapted_probabilities"] is None
    assert row["adapted_melanoma_probability"] is None
    assert row["adapted_statement"] is None


def test_what_was_read_anyway_is_not_adapted(card: ModelCard):
    unlike = replace(READING, read_anyway=True)
    row = describe_photograph("a.jpg", unlike, card, Prevalence(0.02, 0.08))
    assert (row["read_anyway"], row["adapted_probabilities"]) == (True, None)
    lesion = combine_readings(card, [unlike, replace(unlike, probabilities=(0.1, 0.2, 0.7))])
    images = {"read": ["a.jpg", "b.jpg"], "refused": []}
    of_lesion = describe_lesion("arm", lesion, images, card, Prevalence(0.02, 0.08))
    assert (of_lesion["read_anyway"], of_lesion["adapted_probabilities"]) == (True, None)


def test_with_a_prevalence_a_statement_names_the_adapted_leading_diagnosis(card: ModelCard):
    row = describe_photograph("a.jpg", READING, card, Prevalence(0.02, 0.08))
    assert (row["top_diagnosis"], row["adapted_top_diagnosis"]) == ("BCC", "NV")
    assert row["adapted_statement"] == (
        "Basal cell carcinoma cannot be excluded (any skin cancer unadapted 71.0%, alert threshold "
        "10.0%), although nevus is the leading diagnosis (76.0% at your prevalence). Alerts use "
        "unadapted probabilities."
    )


def test_a_lesion_names_its_photographs_and_in_what_they_disagree(card: ModelCard):
    nevus = make_reading({"MEL": 0.01, "NV": 0.98, "BCC": 0.01}, 0.05, 0.1)
    lesion = combine_readings(card, [READING, nevus])
    images = {"read": ["a.jpg", "b.jpg"], "refused": ["c.jpg"]}
    row = describe_lesion("left arm", lesion, images, card)

    assert (row["lesion_id"], row["status"]) == ("left arm", "read")
    assert (row["images"], row["refused_images"]) == (["a.jpg", "b.jpg"], ["c.jpg"])
    assert row["alerts_differ"]
    assert row["disagreement"].startswith("The photographs disagree: 1 of 2 raises the skin cancer")
    assert "conformal_set" not in row
    assert row["probabilities"]["BCC"] == lesion.probabilities[2]


def test_a_lesion_without_a_reading_is_refused(card: ModelCard):
    row = describe_lesion("left arm", None, {"read": [], "refused": ["c.jpg"]}, card)

    assert (row["status"], row["images"], row["alert"]) == ("refused", [], None)
    read = describe_lesion(
        "x", combine_readings(card, [READING]), {"read": ["a"], "refused": []}, card
    )
    assert list(row) == list(read)


def test_a_table_has_a_column_per_probability_and_words_for_lists(card: ModelCard):
    adapted = describe_photograph("a.jpg", READING, card, Prevalence(0.02, 0.08))
    flat = flatten_row(adapted)

    assert flat["alert"] == "false"
    assert flat["reason"] == ""
    assert flat["conformal_set"] == "BCC"
    assert flat["probability_NV"] == 0.29
    assert flat["prevalence_melanoma"] == 0.02
    assert flat["adapted_probability_NV"] == adapted["adapted_probabilities"]["NV"]


def test_the_photographs_of_a_lesion_follow_each_other_with_the_reading_of_all(
    unguarded_classifier: Classifier,
):
    worklist = Worklist()
    files = [lesion.path for lesion in DEMONSTRATION_LESIONS[:3]]
    worklist.add((path.name, path.read_bytes()) for path in files)
    while worklist.read_next(unguarded_classifier):
        pass
    first, _, last = worklist.entries
    worklist.combine([first.key, last.key], "left arm")
    rows = list(csv.DictReader(io.StringIO(export_csv(worklist).decode("utf-8-sig"))))

    together = [row for row in rows if row["lesion_id"]]
    assert [row["image"] for row in together] == [first.name, last.name]
    assert abs(rows.index(together[0]) - rows.index(together[1])) == 1
    lesion = combine_readings(unguarded_classifier.card, [first.reading, last.reading])
    assert {row["lesion_id"] for row in together} == {"left arm"}
    assert {float(row["lesion_melanoma_probability"]) for row in together} == {
        lesion.melanoma_probability
    }
    assert {row["risk_tier"] for row in rows} <= {"malignant", "premalignant", "benign"}


def test_the_reference_page_names_every_key(card: ModelCard):
    lesion = combine_readings(card, [READING])
    prevalence = Prevalence(0.02, 0.08)
    rows = (
        describe_photograph("a.jpg", READING, card, prevalence),
        describe_lesion("arm", lesion, {"read": ["a.jpg"], "refused": []}, card),
        describe_lesion_columns("arm", lesion),
    )
    page = (PROJECT_ROOT / "docs" / "reference" / "readings.md").read_text("utf-8")

    assert [name for row in rows for name in row if f"`{name}`" not in page] == []
