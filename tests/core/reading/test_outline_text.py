"""Measures of outlines in words."""

from dataclasses import fields

import pytest

from melanoma_core.reading.outline_measures import EMPTY, NUM_SEGMENTS, OutlineMeasures
from melanoma_core.reading.outline_text import TITLES, describe_energy, describe_measures

MEASURES = OutlineMeasures(
    area_share=0.25,
    asymmetry=0.104,
    border_irregularity=1.2,
    abrupt_segments=3,
    colours=("light brown", "black"),
    diameter=0.4,
)


def values(measures: OutlineMeasures, width_mm: float | None = None) -> dict[str, str]:
    texts = describe_measures(measures, (300, 400), width_mm)
    return {each.title: each.value for each in texts}


def test_missing_measures_are_named_missing():
    assert set(values(OutlineMeasures(missing=EMPTY), 20).values()) == {"missing"}


def test_every_measure_has_a_title_a_value_and_a_definition():
    assert values(MEASURES) == {
        "Asymmetry": "10.4%",
        "Border irregularity": "1.20",
        "Abrupt eighths of the border": f"3 of {NUM_SEGMENTS}",
        "Colours": "2: light brown, black",
        "Diameter": "40.0% of the diagonal",
        "Area": "25.0% of the photograph",
    }
    assert all(each.definition for each in describe_measures(MEASURES, (300, 400)))
    assert set(TITLES) == {field.name for field in fields(OutlineMeasures)} - {"missing"}


def test_the_diameter_is_in_millimetres_where_the_width_is_known():
    # 0.4 × 500 px of a photograph that is 400 px or 12 mm wide
    assert values(MEASURES, 12)["Diameter"] == "40.0% of the diagonal, 6.0 mm"


def test_a_lesion_can_have_none_of_the_colours():
    assert values(OutlineMeasures(colours=()))["Colours"] == "none of the six"


@pytest.mark.parametrize(("share", "start"), [(None, ""), (0.5, "50.0% of"), (0.0, "0.0% of")])
def test_the_energy_inside_is_a_sentence(share: float | None, start: str):
    assert describe_energy(share).startswith(start)
    assert bool(describe_energy(share)) == (share is not None)
