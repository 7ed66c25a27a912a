import csv
import io
import re
from dataclasses import replace
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.adaptation import adapt_reading, find_trained_prevalence
from melanoma_core.models.card import load_card
from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.models.card_text.prevalence import format_prevalence
from melanoma_core.reading.statement import describe_finding
from melanoma_core.reading.worklist_table import export_csv

LESION = DEMONSTRATION_LESIONS[0]
MELANOMA, SKIN_CANCER = "prevalence-melanoma", "prevalence-skin-cancer"


def html(app: AppTest) -> str:
    return unescape("".join(element.proto.body for element in app.get("html")))


def section(app: AppTest, name: str) -> str:
    found = [
        each.proto.body for each in app.main.get("html") if f'class="{name}"' in each.proto.body
    ]
    return unescape(re.sub(r"<[^>]+>", " ", " ".join(found)))


def read_lesion(app: AppTest) -> AppTest:
    label = LESION.signs.capitalize()
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def set_prevalence(app: AppTest, melanoma: str, skin_cancer: str) -> AppTest:
    app.text_input(key=MELANOMA).set_value(melanoma)
    app.text_input(key=SKIN_CANCER).set_value(skin_cancer)
    app.run()
    assert not app.exception
    return app


@pytest.fixture
def page(open_dashboard) -> AppTest:
    return read_lesion(open_dashboard())


def get_reading(app: AppTest):
    (entry,) = app.session_state["worklist"].entries
    return entry.reading, entry.card


def test_without_a_prevalence_the_mix_of_the_training_data_is_stated_in_numbers(page: AppTest):
    _, card = get_reading(page)
    trained = find_trained_prevalence(card)
    assert trained is not None
    assumed = (
        f"{format_prevalence(trained.melanoma)} of lesions are melanomas and "
        f"{format_prevalence(trained.skin_cancer)} are skin cancers, as in the model's training"
    )
    assert assumed in section(page, "meaning")
    assert section(page, "adapted") == ""
    assert "prevalence" not in page.query_params


def test_probabilities_are_adapted_and_the_unadapted_ones_are_one_click_away(page: AppTest):
    before = html(page.main)
    set_prevalence(page, "2", "8")
    reading, card = get_reading(page)
    adapted = adapt_reading(card, reading.probabilities, Prevalence(0.02, 0.08))
    assert adapted is not None
    shown = section(page, "adapted")
    assert "2.0% of lesions are melanomas and 8.0% are skin cancers" in shown
    assert format_percent(adapted.melanoma_probability) in shown
    assert format_percent(adapted.skin_cancer_probability) in shown
    assert "as in your clinic" in section(page, "meaning")
    (kept,) = (each for each in page.expander if each.label == "Without your clinic's prevalence")
    unadapted = "".join(each.proto.body for each in kept.get("html"))
    assert f"<strong>{format_percent(reading.melanoma_probability)}</strong>" in unadapted
    assert "A prevalence changes no alert" in unadapted
    # The heatmap's diagnoses have the adapted probabilities, too.
    chosen = next(box for box in page.selectbox if box.label == "Explain diagnosis")
    assert f"▲ melanoma, {format_percent(adapted.melanoma_probability)}" in chosen.options
    # The banner names the same leading diagnosis, and keeps its alert.
    banner = re.compile(r'<section class="banner.*?</section>')
    (shown,), (shown_before,) = banner.findall(html(page.main)), banner.findall(before)
    assert describe_finding(reading, adapted).summary in shown
    assert describe_finding(reading, adapted).sentence in html(page.main)
    verdict = re.compile(r'class="banner [a-z-]+"')
    assert verdict.findall(shown) == verdict.findall(shown_before)


def test_the_downloaded_table_has_the_adapted_probabilities_beside_the_others(page: AppTest):
    reading, card = get_reading(page)
    worklist = page.session_state["worklist"]
    before, after = (
        next(csv.DictReader(io.StringIO(export_csv(worklist, clinic).decode("utf-8-sig"))))
        for clinic in (None, Prevalence(0.02, 0.08))
    )
    assert before["melanoma_probability"] == after["melanoma_probability"]
    adapted = adapt_reading(card, reading.probabilities, Prevalence(0.02, 0.08))
    assert adapted is not None
    found = float(after["adapted_melanoma_probability"])
    assert found == pytest.approx(adapted.melanoma_probability)


def test_what_the_alerts_mean_at_the_prevalence_is_beside_its_fields(page: AppTest):
    set_prevalence(page, "2", "8")
    sidebar = "".join(each.proto.body for each in page.sidebar.get("html"))
    assert "At a prevalence of 2.0%, 20 of 1,000 lesions are melanomas." in sidebar
    assert "PPV" in sidebar


def test_the_address_remembers_the_prevalence(page: AppTest):
    set_prevalence(page, "2", "8")
    assert page.query_params["prevalence"] == "0.02,0.08"
    again = AppTest.from_file(page._script_path, default_timeout=60)
    again.query_params["prevalence"] = "0.02,0.08"
    again.run()
    assert (again.text_input(key=MELANOMA).value, again.text_input(key=SKIN_CANCER).value) == (
        "2",
        "8",
    )
    assert "as in your clinic" in section(read_lesion(again), "meaning")


def test_the_setting_is_the_default_and_the_address_overrules_it(monkeypatch, open_dashboard):
    monkeypatch.setenv("MELANOMA_PREVALENCE", "0.07,0.29")
    app = open_dashboard()
    assert app.text_input(key=MELANOMA).value == "7"
    assert app.text_input(key=SKIN_CANCER).value == "29"
    assert app.query_params["prevalence"] == "0.07,0.29"


def test_a_share_of_melanomas_alone_asks_for_that_of_skin_cancers(monkeypatch, open_dashboard):
    monkeypatch.setenv("MELANOMA_PREVALENCE", "0.025")
    app = open_dashboard()
    assert not app.exception
    assert app.text_input(key=MELANOMA).value == "2.5"
    assert "Found a prevalence of melanoma alone, 2.5% of lesions." in html(app.main)
    assert "Until then, no prevalence is used." in html(app.main)
    set_prevalence(app, "2.5", "8")
    assert "Found a prevalence of melanoma alone" not in html(app)
    assert app.query_params["prevalence"] == "0.025,0.08"


def test_a_wrong_address_is_named_and_the_default_holds(monkeypatch, open_dashboard):
    monkeypatch.setenv("MELANOMA_PREVALENCE", "0.02,0.08")
    script = open_dashboard()._script_path
    app = AppTest.from_file(script, default_timeout=60)
    app.query_params["prevalence"] = "<b>2%</b>"
    app.run()
    assert not app.exception
    assert 'Found prevalence in the address="<b>2%</b>"' in html(app)
    # On the page, since the panel of the sidebar is closed.
    on_page = "".join(each.proto.body for each in app.main.get("html"))
    assert "prevalence in the address=" in on_page
    assert "Until then, the one in the sidebar is used." in on_page
    assert "<b>2%" not in on_page
    app.run()
    assert "prevalence in the address=" in html(app)
    assert app.text_input(key=MELANOMA).value == "2"
    set_prevalence(app, "3", "8")
    assert "prevalence in the address=" not in html(app)


@pytest.mark.parametrize(
    ("melanoma", "skin_cancer", "message"),
    [
        ("2", "", "Found no share of skin cancers."),
        ("", "8", "Found no share of melanomas."),
        ("8", "2", "Found 8% melanomas and 2% skin cancers. Every melanoma is a skin cancer"),
        (
            "250",
            "8",
            'Found "250" as the share of melanomas. It must be a percentage from 0 to 100',
        ),
        ("<b>2", "8", 'Found "<b>2" as the share of melanomas.'),
    ],
)
def test_a_prevalence_that_no_clinic_can_have_adapts_nothing(
    page: AppTest, melanoma, skin_cancer, message
):
    set_prevalence(page, melanoma, skin_cancer)
    assert message in html(page)
    assert section(page, "adapted") == ""
    assert "prevalence" not in page.query_params


def test_a_decimal_comma_is_a_decimal_point(page: AppTest):
    set_prevalence(page, "2,5", "8,25 %")
    assert page.query_params["prevalence"] == "0.025,0.0825"
    assert "2.5% of lesions are melanomas and 8.25% are skin cancers" in section(page, "adapted")


def test_an_unusual_prevalence_is_used_and_questioned(page: AppTest):
    set_prevalence(page, "0.02", "0.08")
    questions = [each.value for each in page.sidebar.caption]
    assert any(
        each.startswith("Is this right? 0.02% of lesions are melanomas") for each in questions
    )
    assert page.query_params["prevalence"] == "0.0002,0.0008"


def test_a_prevalence_can_be_cleared(page: AppTest):
    set_prevalence(page, "2", "8")
    next(button for button in page.button if button.label == "Clear prevalence").click().run()
    assert not page.exception
    assert page.text_input(key=MELANOMA).value == ""
    assert section(page, "adapted") == ""
    assert "prevalence" not in page.query_params


def test_a_model_without_frequencies_says_that_it_cannot_adapt(other_model, open_dashboard):
    card = load_card(other_model)
    replace(card, data={}).save(other_model)
    app = set_prevalence(read_lesion(open_dashboard()), "2", "8")
    assert "The probabilities cannot be adapted to your clinic" in html(app)
    assert section(app, "adapted") == ""
    assert "Differential diagnosis" in html(app)
