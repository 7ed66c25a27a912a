import json
from math import isnan
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.models.markup import render_deployment, render_disagreement, render_verdict
from melanoma_core.deployment.gate import Verdict
from melanoma_core.deployment.promotion import Deployment
from melanoma_core.deployment.versions import Event, EventKind
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED, Pointer, write_pointer
from tests.drawn_models import LEAKING, write_model


@pytest.fixture
def show_model(open_dashboard):
    def show() -> AppTest:
        app = open_dashboard().switch_page("models/page.py").run()
        assert [title.value for title in app.title] == ["Models"]
        return app

    return show


def html(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def test_the_card_says_what_the_model_is_for_and_what_it_cannot_do(show_model):
    app, card = show_model(), load_card(BUNDLED)
    assert not app.exception
    assert 'class="error"' not in html(app)
    assert card.model_id in html(app)
    assert card.created_at in html(app)
    assert html(app).count("<li>") == len(card.limitations)
    assert "Not a medical device" in html(app)
    assert "It alerts from a probability of melanoma of" in html(app)


def test_every_figure_of_the_test_subset_has_its_interval_and_counts(show_model):
    app, card = show_model(), load_card(BUNDLED)
    table = app.dataframe[0].value
    assert list(table.columns) == [
        "Figure",
        "Value",
        "95% from",
        "95% to",
        "Count",
        "Photographs",
        "Lesions",
    ]
    sensitivity = table[table["Figure"] == "Sensitivity of the alert"].iloc[0]
    figure = card.metrics["test"]["sensitivity"]
    assert sensitivity["Value"] == pytest.approx(100 * figure.value)
    assert sensitivity["95% from"] == pytest.approx(100 * figure.low)
    assert sensitivity["Photographs"] == figure.total


def test_the_figures_of_one_collection_can_be_chosen(show_model):
    app, card = show_model(), load_card(BUNDLED)
    collection = next(name for name in card.metrics if "/" in name)
    app.selectbox[0].select(f"test, {collection.partition('/')[2]} alone").run()
    assert not app.exception
    accuracy = app.dataframe[0].value.iloc[0]
    assert accuracy["Photographs"] == card.metrics[collection]["accuracy"].total


def test_what_is_undefined_is_shown_as_undefined(show_model, other_model):
    path = other_model / "card.json"
    card = json.loads(path.read_text("utf-8"))
    undefined = dict.fromkeys(("value", "low", "high"), float("nan"))
    card["metrics"] = {
        "test": {"sensitivity": undefined | {"count": 0, "total": 0, "num_lesions": 0}}
    }
    path.write_text(json.dumps(card), "utf-8")
    app = show_model()
    assert not app.exception
    assert isnan(app.dataframe[0].value.iloc[0]["Value"])
    assert app.dataframe[0].proto.placeholder == "undefined"
    assert "Its sensitivity is undefined" in html(app)


def test_a_card_of_something_else_is_a_clear_error(show_model, other_model):
    other_model.joinpath("card.json").write_text("{}", "utf-8")
    app = show_model()
    assert "is not a model card of this project" in html(app)


def test_the_whole_card_is_on_the_page_and_what_is_unknown_is_not_provided(show_model):
    app = show_model()
    titles = [each.value for each in app.subheader]
    assert titles[:4] == [
        "What it is for",
        "What it cannot do",
        "When it alerts",
        "Its figures, to sort",
    ]
    assert titles[-1] == "Checklist"
    tables = [frame.value for frame in app.dataframe]
    skin = [table[table["Item"] == "Skin tones"] for table in tables if "Item" in table]
    assert skin[1]["Answer"].tolist() == ["not provided"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of models of a place in which nothing was promoted yet."""
    monkeypatch.setenv("MELANOMA_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.delenv("MELANOMA_MODEL", raising=False)
    return tmp_path / "models"


def open_view(app: AppTest, name: str) -> AppTest:
    app.session_state["models-view"] = name
    return app.run()


def test_without_a_candidate_or_an_event_the_page_says_what_to_do(show_model, place):
    app = open_view(show_model(), "Compare and promote")
    assert not app.exception
    assert "There is no other model. Train one" in html(app)
    app = open_view(app, "History")
    assert "Nothing was promoted yet" in html(app)
    assert not place.exists()


def test_a_candidate_that_leaks_is_refused_on_the_page_and_its_figures_are_withheld(
    show_model, place
):
    write_model(place, "leaking", leakage=LEAKING)
    app = open_view(show_model(), "Compare and promote")
    assert "The gate refuses it" in html(app)
    assert "It leaks: 7 of its 600 test photographs" in html(app)
    assert "Found no reading by" in html(app)

    app.query_params["model"] = "leaking"
    app = open_view(app, "Card")
    assert not app.exception
    assert "Its figures are withheld: 7 of its 600" in html(app)
    assert "Its sensitivity is withheld." in html(app)


def test_a_deployed_model_that_is_gone_is_told_on_every_page(open_dashboard, place):
    write_pointer(place, Pointer("lost", False, "2026-11-21T12:00:00+00:00"))
    app = open_dashboard()
    for view in ("reading", "dataset", "training", "models"):
        app.switch_page(f"{view}/page.py").run()
        assert "The bundled model reads, since the deployed one, lost, is gone" in html(app), view


def test_the_model_of_the_environment_is_said_to_read(show_model, place, monkeypatch):
    write_model(place, "other")
    monkeypatch.setenv("MELANOMA_MODEL", "other")
    app = open_view(show_model(), "History")
    assert "<code>MELANOMA_MODEL</code> names <strong>other</strong>" in html(app)


def test_no_text_of_a_person_becomes_markup():
    hostile = "<script>alert(1)</script>"
    event = Event(EventKind.OVERRIDDEN, hostile, None, hostile, hostile, (hostile,), hostile)
    row = {"kind": hostile, "image_id": hostile, "label": hostile, "candidate": 0.5, "deployed": 1}
    for rendered in (
        render_deployment(Deployment(hostile, None, (event,), hostile)),
        render_verdict(Verdict(False, (hostile,))),
        render_disagreement(row),
    ):
        assert "&lt;script&gt;" in rendered.replace("&lt;Script", "&lt;script")
        assert "<script" not in rendered.lower()
