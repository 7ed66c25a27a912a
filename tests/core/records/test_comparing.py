"""Which photographs are compared, with which outline, and what the record holds of each."""

import io
import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from PIL import Image

from melanoma_core.records.case import LesionCase
from melanoma_core.records.comparing import choose_pair, find_outline, list_dated, make_shot
from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import AiReading, PhotographReading
from melanoma_core.records.probability_history import list_probabilities
from melanoma_core.records.registration import Registration, lay_points, place_later
from melanoma_core.records.vocabulary import ImageKind, OutlineSource

START = date(2025, 1, 10)
MADE_AT = datetime(2025, 1, 10, 9, tzinfo=UTC)
SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))


def enter(id_: str, value, **fields) -> Entry:
    return Entry(
        **({"id": id_, "version": 1, "by": "dr.a", "at": MADE_AT, "value": value} | fields)
    )


def photograph(id_: str, visit: str, **fields) -> Entry[Photograph]:
    known = {"sha256": id_, "media_type": "image/png", "width": 400, "height": 300}
    value = Photograph(patient_id="p", lesion_id="l", visit_id=visit, **(known | fields))
    return enter(id_, value)


def reading(id_: str, visit: str, model: str, melanoma: float, **fields) -> Entry[AiReading]:
    shares = (melanoma, 1 - melanoma)
    read = PhotographReading(photograph_id="a", probabilities=shares, **fields)
    value = AiReading(
        lesion_id="l",
        visit_id=visit,
        model_id=model,
        app_version="1",
        class_names=("MEL", "NV"),
        probabilities=shares,
        melanoma_threshold=0.1,
        skin_cancer_threshold=0.2,
        photographs=(read,),
    )
    return enter(id_, value)


def outline(id_: str, source: OutlineSource, points=SQUARE) -> Entry[Outline]:
    model = "m1" if source is OutlineSource.NETWORK else ""
    value = Outline(photograph_id="a", lesion_id="l", points=points, source=source, model_id=model)
    return enter(id_, value)


def make_case(*photographs: Entry[Photograph], **more) -> LesionCase:
    visits = tuple(
        enter(f"v{i}", Visit(patient_id="p", on=START + timedelta(days=90 * i))) for i in range(4)
    )
    return LesionCase(
        patient=enter("p", Patient(pseudonym="7")),
        lesion=enter("l", Lesion(patient_id="p", label="1")),
        visits=visits,
        photographs=photographs,
        **more,
    )


def choose(case: LesionCase) -> tuple[str, ...] | None:
    pair = choose_pair(list_dated(case))
    return None if pair is None else tuple(each.entry.id for each in pair)


def test_fewer_than_two_photographs_make_no_pair():
    assert choose(make_case()) is None
    assert choose(make_case(photograph("a", "v0"))) is None
    site = photograph("b", "v1", shows_specimen_site=True)
    assert choose(make_case(photograph("a", "v0"), site)) is None


def test_the_two_most_recent_of_one_kind_and_two_days_are_compared_first():
    close = {"kind": ImageKind.CLOSE_UP}
    case = make_case(
        photograph("a", "v0"), photograph("b", "v1"), photograph("c", "v2"),
        photograph("d", "v2"), photograph("e", "v3", **close),
    )  # fmt: skip
    assert choose(case) == ("b", "d")
    assert choose(make_case(photograph("a", "v0"), photograph("b", "v0"))) == ("a", "b")
    assert choose(make_case(photograph("a", "v0"), photograph("e", "v3", **close))) == ("a", "e")


def test_the_day_of_a_photograph_is_the_stated_one_or_that_of_its_visit():
    stated = photograph("a", "v1", taken_on=date(2025, 1, 1))
    found = list_dated(make_case(photograph("b", "v0"), stated))
    assert [(each.entry.id, each.on) for each in found] == [("a", date(2025, 1, 1)), ("b", START)]


def test_an_outline_by_a_person_goes_before_one_by_the_network():
    by_person, by_network = (
        outline("o1", OutlineSource.PERSON),
        outline("o2", OutlineSource.NETWORK),
    )
    both = make_case(photograph("a", "v0"), outlines=(by_person, by_network))
    found = find_outline(both, "a")
    assert found is not None
    assert found.entry is by_person
    alone = make_case(photograph("a", "v0"), outlines=(by_network,))
    assert find_outline(alone, "a").model_id == "m1"
    assert find_outline(alone, "a", hides_ai=True) is None
    assert find_outline(alone, "b") is None


def test_without_a_kept_outline_that_of_the_ai_reading_is_found():
    case = make_case(
        photograph("a", "v0"), ai_readings=(reading("r", "v0", "m1", 0.3, outline=SQUARE),)
    )
    found = find_outline(case, "a")
    assert (found.points, found.source, found.entry) == (SQUARE, OutlineSource.NETWORK, None)
    assert find_outline(case, "a", hides_ai=True) is None


def test_a_shot_holds_scale_outline_and_kept_probabilities_unless_they_are_hidden():
    buffer = io.BytesIO()
    Image.new("RGB", (2800, 2100), (200, 150, 130)).save(buffer, "PNG")
    kept = photograph("a", "v0", width=2800, height=2100, millimetres_per_pixel=0.01)
    case = make_case(
        kept,
        ai_readings=(reading("r", "v0", "m1", 0.3),),
        outlines=(outline("o", OutlineSource.PERSON),),
    )
    (dated,) = list_dated(case)
    shot = make_shot(case, dated, lambda _: buffer.getvalue())
    assert shot.size == (1050, 1400)
    assert shot.millimetres_per_pixel == pytest.approx(0.02)
    assert (shot.probabilities["MEL"], shot.model_id) == (0.3, "m1")
    hidden = make_shot(case, dated, lambda _: buffer.getvalue(), hides_ai=True)
    assert (hidden.probabilities, hidden.model_id, hidden.points) == ({}, "", SQUARE)


def test_probabilities_over_time_are_those_that_were_kept_with_changes_of_the_model():
    case = make_case(
        ai_readings=(
            reading("r2", "v1", "m1", 0.4), reading("r1", "v0", "m1", 0.2),
            reading("r3", "v2", "m2", 0.6),
        ),
    )  # fmt: skip
    found = list_probabilities(case)
    assert [each.melanoma for each in found] == [0.2, 0.4, 0.6]
    assert [each.is_other_model for each in found] == [False, False, True]
    assert found[0].on == START
    assert list_probabilities(make_case()) == ()


@pytest.mark.parametrize("degrees", [0, 30, -120])
def test_the_placement_of_the_later_photograph_agrees_with_its_registration(degrees):
    turn, scale = math.radians(degrees), 0.8
    a, b = scale * math.cos(turn), scale * math.sin(turn)
    registration = Registration(
        matrix=((a, -b, 40.0), (b, a, 25.0)), earlier_size=(300, 400), later_size=(450, 500),
        num_inliers=9, num_matches=9, residual=0.0, scale=scale, rotation=degrees, overlap=1.0,
    )  # fmt: skip
    placed = place_later(registration)
    height = placed.width * 450 / 500
    centre = np.array([placed.x + placed.width / 2, placed.y + height / 2])
    for share in ((0, 0), (1, 0), (0.3, 0.9)):
        offset = (np.array(share) - 0.5) * (placed.width, height)
        turned = [
            offset[0] * math.cos(turn) - offset[1] * math.sin(turn),
            offset[0] * math.sin(turn) + offset[1] * math.cos(turn),
        ]
        (expected,) = lay_points((share,), registration)
        assert centre + turned == pytest.approx((expected[0], expected[1] * 300 / 400))
