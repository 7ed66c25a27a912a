"""The body map proposes the site that a person would choose."""

import pytest

from melanoma_core.records.body_map import REGIONS, is_on_body, propose_site
from melanoma_core.records.drawn_stories import load_patients
from melanoma_core.records.validation import list_sites
from melanoma_core.records.vocabulary import BodyView, Laterality, MapPoint

FRONT, BACK = BodyView.FRONT, BodyView.BACK
DRAWN = sorted(
    {
        (lesion.point, lesion.site, lesion.laterality)
        for patient in load_patients()
        for lesion in patient.lesions
    },
    key=str,
)


def test_every_region_is_a_site_of_the_archive():
    assert {region.site for region in REGIONS} <= set(list_sites())


@pytest.mark.parametrize(("point", "site", "side"), DRAWN, ids=str)
def test_the_drawn_lesions_lie_where_their_sites_are(point, site, side):
    proposal = propose_site(point)

    assert proposal.laterality is side
    assert site.startswith(proposal.site) or proposal.site.startswith(site)


@pytest.mark.parametrize(
    ("view", "x", "y", "name", "side"),
    [
        (FRONT, 0.5, 0.0, "Frontal scalp", Laterality.MIDLINE),
        (FRONT, 0.53, 0.07, "Orbital region", Laterality.LEFT),
        (FRONT, 0.2, 0.52, "Hand", Laterality.RIGHT),
        (BACK, 0.2, 0.52, "Hand", Laterality.LEFT),
        (FRONT, 0.5, 0.395, "Periumbilical region", Laterality.MIDLINE),
        (BACK, 0.6, 0.48, "Buttock", Laterality.RIGHT),
        (BACK, 0.58, 0.7, "Popliteal fossa", Laterality.RIGHT),
        (FRONT, 0.42, 0.97, "Dorsum of foot", Laterality.RIGHT),
        (BACK, 0.5, 1.0, "Heel", Laterality.MIDLINE),
    ],
)
def test_a_point_proposes_the_site_and_the_side_of_the_person(view, x, y, name, side):
    proposal = propose_site(MapPoint(view, x, y))

    assert proposal.site.rpartition(":")[2] == name
    assert proposal.laterality is side


def test_a_point_beside_the_body_proposes_no_site():
    for corner in (MapPoint(FRONT, 0.0, 0.0), MapPoint(BACK, 1.0, 1.0), MapPoint(FRONT, 0.98, 0.9)):
        assert propose_site(corner).site == ""


@pytest.mark.parametrize(("x", "is_on"), [(0.5, True), (0.78, True), (0.85, False), (1.0, False)])
def test_a_point_more_than_three_hundredths_of_the_height_off_is_beside_the_body(x, is_on):
    assert is_on_body(MapPoint(BACK, x, 0.27)) is is_on


def test_a_point_just_off_the_outline_belongs_to_the_nearest_region():
    assert propose_site(MapPoint(FRONT, 0.5, 0.6)).site.endswith("Anterior thigh")  # between legs
    assert propose_site(MapPoint(BACK, 0.68, 0.4)).site != ""  # between arm and trunk
