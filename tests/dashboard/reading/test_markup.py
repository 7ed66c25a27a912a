from dataclasses import replace

from dashboard.models.markup import render_facts
from dashboard.reading.markup import render_diagnoses, render_refused, render_trust
from dashboard.shared.markup import render_limits
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.entry import RefusedFile
from melanoma_core.reading.reading import Refusal
from tests.made_readings import make_reading

HOSTILE = "<script>alert('1')</script>"


def test_files_that_were_refused_together_were_not_read():
    refused = [
        RefusedFile(0, "a.jpg", Refusal("Why.")),
        RefusedFile(1, "2 files", Refusal("Too many."), ("b.jpg", "c.jpg")),
    ]
    rendered = render_refused(refused)
    assert "<li><strong>a.jpg</strong> was not read. Why.</li>" in rendered
    assert "<li><strong>2 files</strong> were not read. Too many.</li>" in rendered


def test_diagnoses_are_grouped_by_tier_with_one_decimal():
    table = render_diagnoses(make_reading({"MEL": 0.2, "NV": 0.2, "BCC": 0.6}))
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
