"""How far a model's heatmaps can be trusted, in words."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.card_text.heatmaps import NOT_TESTED, describe_maps, tabulate_maps

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


def test_good_maps_are_called_so_with_the_figures(card: ModelCard):
    assert describe(card) == (
        "How far its maps can be trusted: on 1,512 test photographs of 1,102 lesions with an "
        "outline, 65.0% of a map's strength lay inside the lesion, which takes 25.0% of the "
        "picture (a blob at the centre of every picture reaches 45.0%); hiding or showing first "
        "what it marks changed the probability of melanoma more than hiding or showing places at "
        "random; and the map changes when the network's weights are random, as it should."
    )


def test_a_blob_that_does_nearly_as_well_is_a_caveat(card: ModelCard):
    near = describe(card, energy_centred=figure(0.607), energy_above_centred=figure(0.043))
    assert "but a blob at the centre of every picture reaches 60.7%, nearly as much;" in near
    equal = describe(card, energy_centred=figure(0.649), energy_above_centred=figure(0.001))
    assert "reaches 64.9%, so that the place says nothing of its own;" in equal


def test_a_map_that_the_answer_does_not_follow_is_no_reason(card: ModelCard):
    half = describe(card, insertion_gain=figure(0))
    assert "more than places at random in one of the two tests only;" in half
    none = describe(card, insertion_gain=figure(0), deletion_gain=figure(-0.1))
    assert "no more than places at random: do not take it for the reason;" in none


def test_a_map_that_random_weights_do_not_change_shows_the_photograph(card: ModelCard):
    assert "the map hardly changes when" in describe(card, similarity_network=figure(0.8))
    assert "the map hardly changes when" in describe(card, similarity_network=figure(0.45, 0.1))


def test_what_was_not_measured_is_not_told(card: ModelCard):
    short = describe(card, deletion_gain=UNDEFINED, similarity_network=UNDEFINED)
    assert short.endswith("reaches 45.0%).")
    assert describe(card, energy_inside=UNDEFINED) == NOT_TESTED
    assert describe_maps(replace(card, explanation=None), "grad-cam") == NOT_TESTED
    assert describe_maps(replace(card, explanation={"grad-cam": {}}), "saliency") == NOT_TESTED


def test_of_several_methods_the_best_is_named(card: ModelCard):
    explanation = {
        "grad-cam": {"all": GOOD},
        "saliency": {"all": GOOD | {"energy_inside": figure(0.7)}},
        "score-cam": {"all": GOOD | {"energy_inside": UNDEFINED}},
    }
    told = describe_maps(replace(card, explanation=explanation), "grad-cam")
    assert told.endswith(
        "; of the 2 methods tested, saliency had the largest share inside the lesion (70.0%)."
    )


def test_the_table_has_every_figure_under_words(card: ModelCard):
    figures = {"all": GOOD | {"deletion": UNDEFINED}, "MEL": {"pointing_game": figure(0.9)}}
    rows = tabulate_maps(replace(card, explanation={"grad-cam": figures}))
    assert len(rows) == 9
    assert rows[0] == {
        "Method": "grad-cam",
        "Photographs of": "every diagnosis",
        "Figure": "Share of the map's strength inside the lesion",
        "Value": 0.65,
        "95% from": 0.64,
        "95% to": 0.66,
        "Photographs": 1512,
        "Lesions": 1102,
    }
    assert rows[-1]["Photographs of"] == "melanoma"
    assert math.isnan(rows[-2]["Value"])
    assert tabulate_maps(replace(card, explanation=None)) == []


def test_a_card_keeps_the_tests_of_its_heatmaps(card: ModelCard, tmp_path: Path):
    figures = {"all": {"energy_inside": figure(0.65), "deletion": UNDEFINED}}
    replace(card, explanation={"grad-cam": figures}).save(tmp_path)
    kept = load_card(tmp_path).explanation
    assert kept is not None
    assert kept["grad-cam"]["all"]["energy_inside"] == figure(0.65)
    assert math.isnan(kept["grad-cam"]["all"]["deletion"].value)
