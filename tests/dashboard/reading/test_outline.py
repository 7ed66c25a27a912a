"""The outline on the Reading page: absent where the model draws none."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dashboard.reading.markup import render_energy
from melanoma_core.models.card import OutlineFacts, load_card
from melanoma_core.reading.layers import draw_outline
from melanoma_core.taxonomy import Diagnosis
from tests.dashboard.reading.driver import html, upload_lesions, worklist
from tests.drawn_models import write_model
from tests.made_readings import make_reading, with_outline

SECTION = "Measures of the outline"


@pytest.fixture
def outlining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the current model, whose outline is the whole photograph."""
    folder = write_model(tmp_path, "outlining", can_read=False, outline_side=16)
    facts = OutlineFacts(16, 0.5, "validation", {}, "drawn")
    replace(load_card(folder), novelty=None, outline=facts).save(folder)
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("MELANOMA_MODEL", "outlining")
    return folder


def test_without_an_outline_the_page_has_no_word_of_it(other_model: Path, open_dashboard):
    replace(load_card(other_model), outline=None).save(other_model)
    app = upload_lesions(open_dashboard(), 1)
    assert [box.label for box in app.checkbox if box.label == "Show outline"] == []
    assert SECTION not in [each.label for each in app.expander]
    assert "inside the outline" not in html(app)


@pytest.mark.usefixtures("outlining")
def test_the_measures_are_closed_at_first_and_say_why_they_are_missing(open_dashboard):
    app = upload_lesions(open_dashboard(), 1)
    (section,) = (each for each in app.expander if each.label == SECTION)
    assert not section.proto.expanded
    (note,) = section.caption
    assert note.value.startswith("The lesion reaches the edge of the photograph. They describe")
    lines = [line.value for line in section.markdown]
    assert lines[0] == "Asymmetry: **missing**"
    assert lines[-1] == "Area: **100\\.0\\% of the photograph**"
    assert all(line.help for line in section.markdown)


@pytest.mark.usefixtures("outlining")
def test_the_outline_is_drawn_on_request(open_dashboard):
    app = upload_lesions(open_dashboard(), 1)
    (box,) = (box for box in app.checkbox if box.label == "Show outline")
    assert box.value is False
    box.check().run()
    assert not app.exception
    (entry,) = worklist(app).entries
    reading = with_outline(entry.reading)
    entry = replace(entry, reading=reading)
    drawn = draw_outline(entry)
    assert drawn is not None
    lines = Image.open(io.BytesIO(drawn))
    assert lines.size == Image.open(io.BytesIO(entry.photograph)).size
    # Black and white lines on a transparent ground, or nothing where all is inside.
    assert {colour for _, colour in lines.getcolors()} <= {
        (0, 0, 0, 0), (0, 0, 0, 255), (255, 255, 255, 255)
    }  # fmt: skip


def test_the_caption_of_the_heatmap_says_how_much_of_it_is_inside():
    reading = make_reading({"MEL": 0.2, "NV": 0.8})
    region = np.zeros((6, 6), np.float32)
    region[2:4, 2:4] = 1
    assert render_energy(reading, Diagnosis.MEL, region) == ""
    text = render_energy(with_outline(reading), Diagnosis.MEL, None)
    assert "25.0% of the strength of this heatmap lies inside the outline" in text
    outlined = with_outline(reading)
    assert "100.0% of" in render_energy(outlined, Diagnosis.MEL, outlined.outline)


def test_a_heatmap_that_marks_nothing_or_everything_has_no_clear_region():
    reading = make_reading({"MEL": 0.2, "NV": 0.8})
    for heatmap in (None, np.ones((6, 6), np.float32)):
        text = render_energy(reading, Diagnosis.MEL, heatmap)
        assert "No clear region: this heatmap marks no part of the photograph for mel" in text
