from dataclasses import replace
from math import isnan, nan
from pathlib import Path

import pytest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.card_text.tables import (
    tabulate_confirmations,
    tabulate_decisions,
    tabulate_figures,
    tabulate_labels,
    tabulate_recipe,
    tabulate_sizes,
    tabulate_skin_tones,
    tabulate_sources,
    tabulate_versions,
    write_figures,
)


@pytest.fixture
def card(bundled: Path) -> ModelCard:
    return replace(
        load_card(bundled),
        metrics={
            "test": {
                "sensitivity": Figure(0.95, 0.92, 0.97, 1900, 2000, 1500),
                "recall_DF": Figure(nan, nan, nan, 0, 0, 0),
                "melanoma_roc_auc": Figure(0.5, 0.25, 0.75, None, 8, 8),
            }
        },
        data={
            "images": {"train": 80, "test": 20},
            "images_by_label": {"train": {"MEL": 30, "NV": 50}, "test": {"NV": 20}},
            "images_by_source": {"train": {"ham10000": 80}, "test": {"ham10000": 20}},
            "file_decisions": {"label from ISIC 2019 ground truth": 327},
        },
        recipe={"batch_size": 32, "weights": {"file": "w.h5", "sha256": "ab"}},
        versions={"keras": "3.15.1"},
    )


def test_a_card_without_data_makes_no_rows(card):
    empty = replace(card, data={}, recipe={}, versions={})
    tables = (tabulate_sizes, tabulate_labels, tabulate_sources, tabulate_decisions)
    assert [table(empty) for table in (*tables, tabulate_recipe, tabulate_versions)] == [[]] * 6


def test_metrics_are_in_percent_and_undefined_ones_stay_undefined(card):
    sensitivity, recall, roc_auc = tabulate_figures(card, "test")
    assert sensitivity == {
        "Metric": "Sensitivity of the melanoma alert",
        "Value": pytest.approx(95),
        "95% CI from": pytest.approx(92),
        "95% CI to": pytest.approx(97),
        "Count": "1,900",
        "Photographs": 2000,
        "Lesions": 1500,
    }
    assert isnan(recall["Value"])
    assert isnan(recall["95% CI from"])
    assert roc_auc["Count"] == "–"


def test_a_metric_by_lesion_counts_no_photographs(card):
    figures = {"lesion_sensitivity": Figure(0.9, 0.8, 1.0, 9, 10, 10)}
    (row,) = tabulate_figures(replace(card, metrics={"test": figures}), "test")
    assert row["Metric"] == "Sensitivity of the melanoma alert, by lesion"
    assert (row["Count"], row["Photographs"], row["Lesions"]) == ("9", None, 10)


def test_photographs_are_counted_by_confirmation(card):
    data = {"images_by_confirmation": {"train": {"histopathology": 8}, "test": {"consensus": 2}}}
    assert tabulate_confirmations(replace(card, data=data)) == [
        {"Confirmed by": "histopathology", "train": 8, "validation": 0, "test": 0},
        {"Confirmed by": "consensus", "train": 0, "validation": 0, "test": 2},
    ]
    assert tabulate_confirmations(card) == []


def test_photographs_are_counted_by_skin_tone(card):
    data = {"images_by_skin_tone": {"train": {"Fitzpatrick II": 8}, "test": {"not provided": 2}}}
    assert tabulate_skin_tones(replace(card, data=data)) == [
        {"Skin tone": "Fitzpatrick II", "train": 8, "validation": 0, "test": 0},
        {"Skin tone": "not provided", "train": 0, "validation": 0, "test": 2},
    ]
    assert tabulate_skin_tones(card) == []


def test_photographs_are_counted_by_subset_and_a_missing_count_is_none_of_them(card):
    assert tabulate_sizes(card) == [
        {"Count of": "Images", "train": 80, "validation": 0, "test": 20}
    ]
    assert tabulate_labels(card) == [
        {"Diagnosis": "melanoma", "train": 30, "validation": 0, "test": 0},
        {"Diagnosis": "nevus", "train": 50, "validation": 0, "test": 20},
    ]
    assert tabulate_sources(card) == [
        {"Collection": "ham10000", "train": 80, "validation": 0, "test": 20}
    ]


def test_decisions_recipe_and_versions_are_rows(card):
    assert tabulate_decisions(card) == [
        {"Decision": "label from ISIC 2019 ground truth", "Files": 327}
    ]
    assert tabulate_recipe(card) == [
        {"Setting": "batch size", "Value": "32"},
        {"Setting": "weights file", "Value": "w.h5"},
        {"Setting": "weights sha256", "Value": "ab"},
    ]
    assert tabulate_versions(card) == [{"Library": "keras", "Version": "3.15.1"}]


def test_the_main_metrics_have_their_intervals_and_counts(card):
    measured = {
        "accuracy": Figure(0.8, 0.7, 0.9, 8, 10, 9),
        "melanoma_roc_auc": Figure(0.9, 0.85, 0.95, None, 10, 9),
        "sensitivity": Figure(0.75, 0.5, 1.0, 3, 4, 4),
        "specificity": Figure(nan, nan, nan, 0, 0, 0),
        "balanced_accuracy": Figure(0.5, 0.25, 0.75, None, 10, 9),
        "calibration_error": Figure(0.125, 0.1, 0.2, None, 10, 9),
    }
    card = replace(card, metrics={"test": measured})

    assert write_figures(card).splitlines() == [
        "| Metric (95% CI) | test |",
        "| --- | --- |",
        "| Melanoma ROC AUC | 0.900 (0.850–0.950) |",
        "| Sensitivity of the melanoma alert | 75.0% (50.0–100.0), 3 of 4 |",
        "| Specificity of the melanoma alert | undefined |",
        "| Balanced accuracy | 50.0% (25.0–75.0) |",
        "| Calibration error (ECE), probability of melanoma | 12.5% (10.0–20.0) |",
        "| Photographs | 10 of 9 lesions |",
    ]
