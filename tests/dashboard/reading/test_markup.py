from dataclasses import replace

import numpy as np
import pytest

from dashboard.models.markup import render_facts
from dashboard.reading.markup import (
    name_alert,
    render_banner,
    render_diagnoses,
    render_probability,
    render_refused,
    render_trust,
)
from dashboard.shared.markup import render_limits
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.entry import RefusedFile
from melanoma_core.reading.reading import Reading, Refusal

HOSTILE = "<script>alert('1')</script>"


def read(melanoma_probability: float, threshold: float = 0.073) -> Reading:
    rest = 1 - melanoma_probability
    return Reading(
        model_id="test",
        class_names=("MEL", "NV", "BCC"),
        probabilities=(melanoma_probability, 0.25 * rest, 0.75 * rest),
        melanoma_probability=melanoma_probability,
        threshold=threshold,
        alert=melanoma_probability >= threshold,
        evidence=np.zeros((3, 2, 2), np.float32),
        width=64,
        height=64,
    )


def test_files_that_were_refused_together_were_not_read():
    refused = [
        RefusedFile(0, "a.jpg", Refusal("Why.")),
        RefusedFile(1, "2 files", Refusal("Too many."), ("b.jpg", "c.jpg")),
    ]
    rendered = render_refused(refused)
    assert "<li><strong>a.jpg</strong> was not read. Why.</li>" in rendered
    assert "<li><strong>2 files</strong> were not read. Too many.</li>" in rendered


@pytest.mark.parametrize(
    ("probability", "mark"), [(0.382, "▲ Alert 38.2%"), (0.05, "○ No alert 5.0%")]
)
def test_an_alert_has_a_symbol_and_a_word_beside_the_probability(probability, mark):
    assert name_alert(read(probability)) == mark


def test_the_banner_shows_an_alert_as_symbol_word_and_colour():
    banner = render_banner(read(0.382))
    assert 'class="banner alert" style="--tier:#D55E00"' in banner
    assert "▲</span>" in banner
    assert '<p class="verdict">Melanoma alert</p>' in banner
    assert "Most probable diagnosis: ▲ basal cell carcinoma (malignant), 46.4%" in banner


def test_without_an_alert_the_banner_still_names_the_most_probable_diagnosis():
    banner = render_banner(read(0.05))
    assert 'class="banner no-alert"' in banner
    assert "○</span>" in banner
    assert '<p class="verdict">No melanoma alert</p>' in banner
    assert "Most probable diagnosis: ▲ basal cell carcinoma (malignant), 71.2%" in banner


def test_probability_and_alert_threshold_are_shown_as_numbers_and_as_a_bar():
    bar = render_probability(read(0.382))
    assert "<strong>38.2%</strong> probability of melanoma" in bar
    assert "alert threshold 7.3%" in bar
    assert 'class="fill" style="width:38.20%"' in bar
    assert 'class="mark" style="left:7.30%"' in bar


def test_a_probability_below_a_tenth_of_a_percent_is_not_markup():
    assert "<strong>&lt;0.1%</strong>" in render_probability(read(1e-6))


def test_diagnoses_are_grouped_by_tier_with_one_decimal():
    table = render_diagnoses(read(0.2))
    assert table.index("Malignant</th><td>80.0%") < table.index("basal cell carcinoma</th>")
    assert table.index("basal cell carcinoma</th>") < table.index("melanoma</th>")
    assert table.index("melanoma</th>") < table.index("Benign</th><td>20.0%")
    assert "Premalignant" not in table


def test_text_of_a_card_or_a_file_name_is_escaped():
    card = replace(
        load_card(BUNDLED),
        model_id=HOSTILE,
        created_at=HOSTILE,
        intended_use=HOSTILE,
        limitations=(HOSTILE,),
        data={"licences": [HOSTILE], "sha256": HOSTILE},
    )
    refused = [RefusedFile(0, HOSTILE, Refusal(HOSTILE))]
    rendered = (
        render_trust(card),
        render_limits(card),
        render_facts(card),
        render_refused(refused),
    )
    for page in rendered:
        assert "&lt;script&gt;" in page
        assert "<script" not in page


def test_facts_missing_from_a_card_are_left_out():
    facts = render_facts(replace(load_card(BUNDLED), data={}))
    assert "licence" not in facts.lower()
    assert "SHA-256" not in facts
