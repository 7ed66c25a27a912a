"""The outline of a reading: on the photograph, with a heatmap, and in its rows."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.data.images import Photograph
from melanoma_core.evaluation.faithfulness import measure_energy_inside
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import OutlineFacts, load_card
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.reading.explanation import enlarge, shape_heatmaps
from melanoma_core.reading.outline import measure_energy, place_outline
from melanoma_core.reading.outline_measures import CUT, EMPTY, OutlineMeasures
from melanoma_core.reading.overlay import draw_contour
from melanoma_core.reading.reading import Reading, read_photograph
from melanoma_core.reading.rows import describe_photograph, flatten_row
from melanoma_core.settings import PROJECT_ROOT
from tests.drawn_models import write_model
from tests.made_readings import make_reading, with_outline

PHOTOGRAPH = Photograph(
    np.random.default_rng(0).integers(120, 220, (90, 120, 3), dtype=np.uint8), 120, 90, "PNG"
)
LEFT = np.repeat(np.array([[1.0, 0.0]], np.float32), 2, axis=0)


@pytest.fixture(scope="module")
def outlining(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """A model whose outline is the whole photograph."""
    folder = write_model(
        tmp_path_factory.mktemp("models"), "outlining", can_read=False, outline_side=16
    )
    raw = json.loads((folder / "card.json").read_text("utf-8"))
    facts = OutlineFacts(16, 0.5, "validation", {}, "drawn")
    raw |= {"novelty": None, "outline": to_jsonable(asdict(facts))}
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    return load_classifier(folder, num_threads=1)


def test_an_outline_is_placed_on_the_photograph_where_it_reaches_the_threshold():
    inside = place_outline(LEFT, 0.5, 6, 8)
    assert inside.shape == (6, 8)
    assert inside[:, :4].all()
    assert not inside[:, 4:].any()
    assert place_outline(LEFT, 0.9, 6, 8).mean() < 0.5


@pytest.mark.parametrize(
    ("heatmap", "expected"),
    [
        (np.array([[1.0, 0.0]], np.float32), 0.88671875),  # a tenth of it reaches the right
        (np.array([[1.0]], np.float32), 0.5),
        (np.array([[0.0, 0.0]], np.float32), None),
    ],
)
def test_the_energy_inside_is_the_share_of_the_strength(heatmap, expected):
    outline = np.repeat(LEFT, 2, axis=1).repeat(2, axis=0)
    assert measure_energy(heatmap, outline, 0.5) == pytest.approx(expected)


def test_the_energy_inside_an_empty_outline_is_missing():
    assert measure_energy(np.ones((3, 3), np.float32), np.zeros((8, 8), np.float32), 0.5) is None


def test_the_energy_of_a_reading_is_that_of_the_faithfulness_tests():
    rng = np.random.default_rng(3)
    heatmap = rng.random((6, 6), dtype=np.float32)
    outline = enlarge(rng.random((1, 5, 5), dtype=np.float32), 48, 48)[0]
    expected = measure_energy_inside(shape_heatmaps(heatmap[None], 48, 48), (outline >= 0.6)[None])
    assert measure_energy(heatmap, outline, 0.6) == pytest.approx(expected[0], abs=1e-6)


def test_the_bundled_model_reads_without_a_word_of_outlines_if_it_draws_none(
    unguarded_classifier: Classifier,
):
    if unguarded_classifier.card.outline is not None:
        pytest.skip("the bundled model draws outlines")
    reading = read_photograph(unguarded_classifier, PHOTOGRAPH)
    assert isinstance(reading, Reading)
    assert reading.outline is None
    assert reading.outline_measures is None
    assert reading.energy_inside(reading.evidence[0]) is None
    row = describe_photograph("a.jpg", reading, unguarded_classifier.card)
    assert row["outline"] is None
    assert not any(name.startswith("outline") for name in flatten_row(row))


def test_a_model_with_an_outline_reads_with_its_measures(outlining: Classifier):
    reading = read_photograph(outlining, PHOTOGRAPH)
    assert isinstance(reading, Reading)
    assert reading.outline is not None
    assert reading.outline.shape == (16, 16)
    assert reading.outline_measures is not None
    assert reading.outline_measures.missing == CUT
    assert reading.outline_measures.area_share == 1


def test_an_outline_whose_threshold_the_card_does_not_name_is_left_out(outlining: Classifier):
    without = outlining.with_card(replace(outlining.card, outline=None))
    reading = read_photograph(without, PHOTOGRAPH)
    assert isinstance(reading, Reading)
    assert reading.outline is None


def test_the_row_of_a_photograph_has_the_measures_and_the_energy_inside(bundled: Path):
    reading = with_outline(make_reading({"MEL": 0.2, "NV": 0.8}))
    row = describe_photograph("a.jpg", reading, load_card(bundled))
    assert row["outline"] == {
        "missing": "",
        "area_share": 0.25,
        "asymmetry": 0.1,
        "border_irregularity": 1.2,
        "abrupt_segments": 3,
        "colours": ["light brown", "black"],
        "diameter": 0.4,
        "explained": "MEL",
        "energy_inside": pytest.approx(0.25),
    }
    flat = flatten_row(row)
    assert flat["outline_colours"] == "light brown; black"
    assert flat["outline_asymmetry"] == 0.1
    assert flat["outline_energy_inside"] == pytest.approx(0.25)


def test_missing_measures_are_null_with_the_reason(bundled: Path):
    empty = replace(
        with_outline(make_reading({"MEL": 0.2, "NV": 0.8})),
        outline_measures=OutlineMeasures(missing=EMPTY),
    )
    row = describe_photograph("a.jpg", empty, load_card(bundled))
    assert row["outline"]["missing"] == EMPTY
    assert row["outline"]["colours"] is None
    assert row["outline"]["energy_inside"] is None
    assert flatten_row(row)["outline_colours"] == ""


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_the_contour_can_be_seen_on_any_grey(grey: int):
    photograph = np.full((30, 30, 3), grey, np.uint8)
    inside = np.zeros((30, 30), bool)
    inside[10:20, 10:20] = True
    drawn = draw_contour(photograph, inside)
    assert drawn[10, 10:20].tolist() == [[255] * 3] * 10
    assert drawn[9, 10:20].tolist() == [[0] * 3] * 10
    changed = (drawn != photograph).any(axis=2)
    assert not changed[12:18, 12:18].any()
    assert not changed[:8].any()


def test_an_outline_of_nothing_or_of_everything_has_no_contour():
    photograph = np.full((8, 8, 3), 128, np.uint8)
    for inside in (np.zeros((8, 8), bool), np.ones((8, 8), bool)):
        np.testing.assert_array_equal(draw_contour(photograph, inside), photograph)


def test_the_reference_page_names_every_key_of_an_outline(bundled: Path):
    reading = with_outline(make_reading({"MEL": 0.2, "NV": 0.8}))
    row = describe_photograph("a.jpg", reading, load_card(bundled))
    page = (PROJECT_ROOT / "docs" / "reference" / "readings.md").read_text("utf-8")
    assert [name for name in row["outline"] if f"`{name}`" not in page] == []
