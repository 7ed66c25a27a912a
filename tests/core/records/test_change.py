"""What changed between two photographs: units, limits, and what cannot be compared."""

import math

import numpy as np
import pytest

from melanoma_core.errors import ModelError
from melanoma_core.reading.outline_measures import CUT, EMPTY, SEVERAL
from melanoma_core.records import repeatability
from melanoma_core.records.change import Change, Verdict, compare_registered
from melanoma_core.records.registration import NotRegistered, Registration
from melanoma_core.records.repeatability import Measure, ModelLimits
from melanoma_core.records.shots import Shot
from melanoma_core.records.vocabulary import OutlineSource

FAILED = NotRegistered(reason="Too few features agree: 3 of 9 that were matched.")


def draw_circle(
    radius: float, size: tuple[int, int] = (300, 400)
) -> tuple[tuple[float, float], ...]:
    turns = 2 * np.pi * np.arange(120) / 120
    x, y = size[1] / 2 + radius * np.cos(turns), size[0] / 2 + radius * np.sin(turns)
    return tuple(zip((x / size[1]).tolist(), (y / size[0]).tolist(), strict=True))


def make_shot(radius: float, size: tuple[int, int] = (300, 400), **fields) -> Shot:
    """Return a brown disc on skin, and its outline."""
    rows, columns = np.indices(size) + 0.5
    inside = np.hypot(rows - size[0] / 2, columns - size[1] / 2) <= radius
    pixels = np.where(inside[..., None], (110, 70, 50), (215, 170, 150)).astype(np.uint8)
    return Shot(pixels=pixels, **({"points": draw_circle(radius, size)} | fields))


def lie(scale: float = 1.0, size: tuple[int, int] = (300, 400)) -> Registration:
    """Return a registration about the middle of both photographs."""
    shift = (1 - scale) * (size[1] - 1) / 2, (1 - scale) * (size[0] - 1) / 2
    return Registration(
        matrix=((scale, 0.0, shift[0]), (0.0, scale, shift[1])),
        earlier_size=size,
        later_size=size,
        num_inliers=50,
        num_matches=60,
        residual=0.5,
        scale=scale,
        rotation=0.0,
        overlap=1.0,
    )


def index(changes: tuple[Change, ...]) -> dict[str, Change]:
    return {change.name: change for change in changes}


def test_an_unchanged_lesion_is_within_the_limits_in_every_measure():
    found = index(compare_registered(make_shot(60), make_shot(60), lie()).changes)
    assert {each.verdict for each in found.values()} == {Verdict.WITHIN}
    area = found["area"]
    assert area.earlier == pytest.approx(math.pi * 60**2, rel=0.01)
    assert (area.unit, area.relative) == ("square pixels of the earlier photograph", 0)
    assert found["longest diameter"].earlier == pytest.approx(120, rel=0.015)
    assert found["border irregularity"].earlier == pytest.approx(1, abs=0.03)
    assert found["asymmetry"].earlier == pytest.approx(0, abs=0.02)
    assert found["number of colours"].unit == "colours"


def test_a_lesion_that_grew_has_changed_in_area_and_diameter_alone():
    found = index(compare_registered(make_shot(60), make_shot(75), lie()).changes)
    assert found["area"].relative == pytest.approx(75**2 / 60**2 - 1, rel=0.02)
    assert found["area"].limits == pytest.approx(
        (math.pi * 60**2 / 1.38, math.pi * 60**2 * 1.38), rel=0.01
    )
    assert found["longest diameter"].difference == pytest.approx(30, rel=0.05)
    changed = {name for name, each in found.items() if each.verdict is Verdict.CHANGED}
    assert changed == {"area", "longest diameter"}


def test_a_photograph_taken_nearer_is_measured_in_the_pixels_of_the_earlier_one():
    """Twice as near, the disc has twice the radius in pixels, and has not grown."""
    found = index(compare_registered(make_shot(50), make_shot(100), lie(0.5)).changes)
    assert found["area"].later == pytest.approx(math.pi * 50**2, rel=0.01)
    assert {each.verdict for each in found.values()} == {Verdict.WITHIN}


def test_sizes_are_not_comparable_without_registration_or_scale_and_say_why():
    found = index(compare_registered(make_shot(50), make_shot(100), FAILED).changes)
    for name in ("area", "longest diameter", "border irregularity"):
        change = found[name]
        assert change.verdict is Verdict.NOT_COMPARABLE
        assert change.reason.startswith("Too few features agree: 3 of 9 that were matched. The ")
        assert (change.difference, change.relative, change.limits) == (None, None, None)
    assert found["area"].unit == "share of the photograph"
    assert found["area"].later == pytest.approx(math.pi * 100**2 / (300 * 400), rel=0.01)
    assert found["longest diameter"].unit == "share of the photograph's diagonal"
    assert found["asymmetry"].verdict is Verdict.WITHIN
    assert found["number of colours"].verdict is Verdict.WITHIN


def test_two_scales_give_millimetres_even_without_registration():
    earlier = make_shot(50, millimetres_per_pixel=0.1)
    later = make_shot(100, millimetres_per_pixel=0.05)
    comparison = compare_registered(earlier, later, FAILED)
    found = index(comparison.changes)
    assert found["longest diameter"].unit == "mm"
    assert found["longest diameter"].earlier == pytest.approx(10, rel=0.015)
    assert found["longest diameter"].later == pytest.approx(10, rel=0.015)
    assert found["area"].unit == "mm²"
    assert found["area"].later == pytest.approx(math.pi * 25, rel=0.01)
    assert comparison.warnings == ()


@pytest.mark.parametrize("scales", [(0.1, None), (None, 0.05)])
def test_registration_carries_the_one_known_scale_to_the_other_photograph(scales):
    earlier = make_shot(50, millimetres_per_pixel=scales[0])
    later = make_shot(100, millimetres_per_pixel=scales[1])
    diameter = index(compare_registered(earlier, later, lie(0.5)).changes)["longest diameter"]
    assert diameter.unit == "mm"
    assert diameter.earlier == pytest.approx(10, rel=0.015)
    assert diameter.later == pytest.approx(10, rel=0.015)


def test_scales_that_contradict_the_registration_are_named():
    earlier = make_shot(50, millimetres_per_pixel=0.1)
    later = make_shot(100, millimetres_per_pixel=0.1)
    assert compare_registered(earlier, later, lie(0.5)).warnings == (
        "By their scales, the later photograph is magnified 1.00 times as much as the earlier one; "
        "laid on each other, 2.00 times. One of the scales may be wrong.",
    )
    assert compare_registered(earlier, later, FAILED).warnings == ()


@pytest.mark.parametrize("which", ["earlier", "later"])
def test_without_an_outline_nothing_of_it_is_measured(which):
    shots = {"earlier": make_shot(50), "later": make_shot(50)} | {which: make_shot(50, points=())}
    changes = compare_registered(shots["earlier"], shots["later"], lie()).changes
    assert {each.reason for each in changes} == {
        f"The {which} photograph has no outline. Draw one."
    }
    assert len(changes) == 5


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (((0.5, 0.5), (0.5, 0.5), (0.5, 0.5)), EMPTY),
        (((0.1, 0.1), (0.9, 0.1)), EMPTY),
        (((0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)), SEVERAL),
    ],
)
def test_an_outline_without_an_area_or_of_two_parts_is_not_comparable(points, reason):
    changes = compare_registered(make_shot(50), make_shot(50, points=points), lie()).changes
    assert {(each.verdict, each.reason) for each in changes} == {(Verdict.NOT_COMPARABLE, reason)}


def test_of_a_lesion_that_is_cut_by_the_edge_only_colours_are_compared():
    cut = make_shot(50, points=((0, 0.2), (0.5, 0.2), (0.5, 0.8), (0, 0.8)))
    found = index(compare_registered(make_shot(50), cut, lie()).changes)
    assert found["number of colours"].verdict in {Verdict.WITHIN, Verdict.CHANGED}
    others = [each for name, each in found.items() if name != "number of colours"]
    assert {(each.verdict, each.reason) for each in others} == {(Verdict.NOT_COMPARABLE, CUT)}


def test_a_blank_photograph_of_one_pixel_is_compared_without_an_error():
    dot = Shot(pixels=np.zeros((1, 1, 3), np.uint8), points=((0, 0), (1, 0), (1, 1), (0, 1)))
    found = index(compare_registered(dot, dot, FAILED).changes)
    assert found["area"].verdict is Verdict.NOT_COMPARABLE


def test_outlines_by_the_network_need_the_limits_of_the_same_model():
    shots = [make_shot(60, source=OutlineSource.NETWORK, model_id="m1") for _ in range(2)]
    unknown = index(compare_registered(*shots, lie()).changes)["area"]
    assert unknown.verdict is Verdict.LIMITS_UNKNOWN
    assert "melanoma registration DIR --keep" in unknown.reason
    assert unknown.relative == 0
    for model_id, verdict in (("m1", Verdict.WITHIN), ("m2", Verdict.LIMITS_UNKNOWN)):
        limits = ModelLimits(model_id=model_id, network={Measure.AREA: 0.1})
        found = index(compare_registered(*shots, lie(), limits).changes)
        assert found["area"].verdict is verdict


def test_one_outline_by_a_person_and_one_by_the_network_have_limits_of_their_own():
    drawn = make_shot(60, source=OutlineSource.NETWORK, model_id="m1")
    limits = ModelLimits(
        model_id="m1", network={Measure.AREA: 0.0}, mixed={Measure.AREA: math.log(3)}
    )
    area = index(compare_registered(make_shot(50), drawn, lie(), limits).changes)["area"]
    assert area.limits == pytest.approx((area.earlier / 3, area.earlier * 3))
    assert area.verdict is Verdict.WITHIN


def test_probabilities_are_compared_by_diagnosis_within_the_limits_of_the_model():
    earlier = make_shot(60, probabilities={"MEL": 0.2, "NV": 0.8}, model_id="m1")
    later = make_shot(60, probabilities={"MEL": 0.9, "NV": 0.1}, model_id="m1")
    limits = ModelLimits(model_id="m1", probabilities={"MEL": 1.0, "NV": 5.0})
    found = index(compare_registered(earlier, later, FAILED, limits).changes)
    melanoma = found["probability of melanoma"]
    assert melanoma.verdict is Verdict.CHANGED
    assert melanoma.difference == pytest.approx(0.7)
    assert melanoma.limits == pytest.approx((0.0842, 0.4046), abs=1e-4)
    assert found["probability of nevus"].verdict is Verdict.WITHIN


def test_probabilities_of_different_models_are_not_comparable():
    earlier = make_shot(60, probabilities={"MEL": 0.2}, model_id="m1")
    later = make_shot(60, probabilities={"MEL": 0.9}, model_id="m2")
    found = index(compare_registered(earlier, later, lie()).changes)["probability of melanoma"]
    assert (found.verdict, found.reason) == (
        Verdict.NOT_COMPARABLE,
        "The photographs were read by different models.",
    )


def test_limits_are_kept_beside_their_model_and_read_back(tmp_path):
    assert repeatability.read_limits(tmp_path) is None
    limits = ModelLimits(model_id="m1", network={"area": 0.2}, num_lesions=12)
    repeatability.write_limits(tmp_path, limits)
    assert repeatability.read_limits(tmp_path) == limits


@pytest.mark.parametrize("content", [b"", b"[]", b'{"model_id": 3}', b"\xff"])
def test_damaged_limits_are_named(tmp_path, content):
    (tmp_path / "repeatability.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"Cannot read .*repeatability\.json"):
        repeatability.read_limits(tmp_path)
