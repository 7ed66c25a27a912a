"""The faithfulness of a model's heatmaps, in words."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.card_text.heatmaps import describe_maps, summarise_maps, tabulate_maps

NOT_TESTED = "The heatmaps of this method were not tested."
UNDEFINED = Figure(math.nan, math.nan, math.nan, None, 0, 0)


def figure(value: float, half_width: float = 0.01) -> Figure:
    return Figure(value, value - half_width, value + half_width, None, 1512, 1102)


GOOD = {
    "energy_inside": figure(0.65),
    "lesion_share": figure(0.25),
    "energy_centred": figure(0.45),
    "energy_above_centred": figure(0.2),
    "deletion_gain": figure(0.06),
    "insertion_gain": figure(0.03),
    "similarity_network": figure(-0.1),
}


@pytest.fixture
def card(bundled: Path) -> ModelCard:
    return load_card(bundled)


def describe(card: ModelCard, **figures: Figure) -> str:
    tested = replace(card, explanation={"grad-cam": {"all": GOOD | figures}})
    return describe_maps(tested, "grad-cam")


def test_faithful_heatmaps_are_described_with_their_metrics(card: ModelCard):
    assert describe(card) == (
        "Tested on 1,512 test photographs of 1,102 lesions with an outline: 65.0% of the "
        "heatmap's strength is inside the lesion, which covers 25.0% of the photograph. A blob at "
        "the centre reaches 45.0%. Deletion and insertion: hiding or showing the marked regions "
        "changes the probability of melanoma more than random regions. Randomisation: the heatmap "
        "changes if the weights are random, as it should."
    )


def test_one_line_sums_up_the_location_and_nothing_where_it_was_not_tested(card: ModelCard):
    tested = replace(card, explanation={"grad-cam": {"all": GOOD}})
    assert summarise_maps(tested, "grad-cam") == (
        "In tests, 65.0% of a heatmap's strength is inside the lesion; of a blob at the centre, "
        "45.0%."
    )
    assert summarise_maps(tested, "score-cam") == NOT_TESTED
    assert summarise_maps(replace(card, explanation=None), "grad-cam") == NOT_TESTED
    undefined = replace(
        card, explanation={"grad-cam": {"all": GOOD | {"energy_inside": UNDEFINED}}}
    )
    assert summarise_maps(undefined, "grad-cam") == NOT_TESTED


def test_a_blob_that_does_nearly_as_well_is_a_caveat(card: ModelCard):
    near = describe(card, energy_centred=figure(0.607), energy_above_centred=figure(0.043))
    assert "A blob at the centre reaches 60.7%, nearly as much." in near
    equal = describe(card, energy_centred=figure(0.649), energy_above_centred=figure(0.001))
    assert "reaches 64.9%, so the location carries no information." in equal


def test_a_heatmap_without_effect_on_the_probability_does_not_explain_it(card: ModelCard):
    half = describe(card, insertion_gain=figure(0))
    assert "more than random regions in only one of the two tests." in half
    none = describe(card, insertion_gain=figure(0), deletion_gain=figure(-0.1))
    assert "no more than random regions, so they do not explain the answer." in none


def test_a_heatmap_that_random_weights_do_not_change_fails_the_randomisation_test(card: ModelCard):
    assert "the heatmap hardly changes if" in describe(card, similarity_network=figure(0.8))
    assert "the heatmap hardly changes if" in describe(card, similarity_network=figure(0.45, 0.1))


def test_a_test_that_was_not_run_is_not_mentioned(card: ModelCard):
    short = describe(card, deletion_gain=UNDEFINED, similarity_network=UNDEFINED)
    assert short.endswith("reaches 45.0%.")
    assert describe(card, energy_inside=UNDEFINED) == NOT_TESTED
    assert describe_maps(replace(card, explanation=None), "grad-cam") == NOT_TESTED
    assert describe_maps(replace(card, explanation={"grad-cam": {}}), "saliency") == NOT_TESTED


def test_of_several_methods_the_best_is_named(card: ModelCard):
    explanation = {
        "grad-cam": {"all": GOOD},
        "saliency": {"all": GOOD | {"energy_inside": figure(0.7)}},
        "score-cam": {"all": GOOD | {"energy_inside": UNDEFINED}},
    }
    summary = describe_maps(replace(card, explanation=explanation), "grad-cam")
    assert summary.endswith(
        " Of the 2 methods tested, saliency has the largest share inside the lesion (70.0%)."
    )


def test_the_table_has_a_row_and_a_label_for_every_metric(card: ModelCard):
    figures = {"all": GOOD | {"deletion": UNDEFINED}, "MEL": {"pointing_game": figure(0.9)}}
    rows = tabulate_maps(replace(card, explanation={"grad-cam": figures}))
    assert len(rows) == 9
    assert rows[0] == {
        "Method": "grad-cam",
        "Diagnosis": "all",
        "Test": "Heatmap strength inside the lesion",
        "Value": 0.65,
        "95% CI from": 0.64,
        "95% CI to": 0.66,
        "Photographs": 1512,
        "Lesions": 1102,
    }
    assert rows[-1]["Diagnosis"] == "melanoma"
    assert math.isnan(rows[-2]["Value"])
    assert tabulate_maps(replace(card, explanation=None)) == []


def test_a_card_keeps_the_tests_of_its_heatmaps(card: ModelCard, tmp_path: Path):
    figures = {"all": {"energy_inside": figure(0.65), "deletion": UNDEFINED}}
    replace(card, explanation={"grad-cam": figures}).save(tmp_path)
    kept = load_card(tmp_path).explanation
    assert kept is not None
    assert kept["grad-cam"]["all"]["energy_inside"] == figure(0.65)
    assert math.isnan(kept["grad-cam"]["all"]["deletion"].value)
