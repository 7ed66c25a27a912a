from dataclasses import replace

import pytest

from melanoma_core.reading.statement import Level
from melanoma_core.records.kept_readings import (
    find_heatmap,
    find_level,
    find_skin_cancer_probability,
    list_probabilities,
)
from melanoma_core.records.loop import AiReading, PhotographReading
from tests.core.records.made_cases import make_reading

READING = make_reading("visit", "photograph", melanoma=0.1)


def test_a_reading_of_nothing_has_no_level_and_no_probability():
    nothing = replace(READING, probabilities=())
    assert find_level(nothing) is None
    assert find_skin_cancer_probability(nothing) is None
    assert list_probabilities((), ()) == []


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (READING, Level.NONE),
        (make_reading("v", "p", melanoma=0.3), Level.MELANOMA),
        (replace(READING, skin_cancer_alert=True), Level.SKIN_CANCER),
        # A basal cell carcinoma leads at the prevalence in force alone.
        (replace(READING, adapted=(0.1, 0.3, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0)), Level.SKIN_CANCER),
    ],
)
def test_the_level_is_the_most_severe_thing_that_is_not_excluded(
    reading: AiReading, expected: Level
):
    assert find_level(reading) is expected


def test_skin_cancers_are_added_up():
    shares = (0.1, 0.5, 0.2, 0.05, 0.05, 0.0, 0.0, 0.1)  # MEL, BCC and SCC
    found = find_skin_cancer_probability(replace(READING, probabilities=shares))
    assert found == pytest.approx(0.4)


def test_a_heatmap_is_found_with_its_diagnosis():
    kept = PhotographReading(photograph_id="photograph", heatmap_sha256="a" * 64)
    reading = replace(READING, photographs=(kept,))
    assert find_heatmap(reading, "photograph") == ("a" * 64, "melanoma")
    assert find_heatmap(reading, "another") == ("", "")
