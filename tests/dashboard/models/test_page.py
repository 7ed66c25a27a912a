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


def test_the_card_gives_the_intended_use_and_limitations(show_model):
    app, card = show_model(), load_card(BUNDLED)
    assert not app.exception
    assert 'class="error"' not in html(app)
    assert card.model_id in html(app)
    assert card.created_at in html(app)
    limits = html(app).split('<ul class="limits">')[1].split("</ul>")[0]
    assert limits.count("<li>") == len(card.limitations)
    assert "Not a medical device" in html(app)
    assert "Melanoma alert: a calibrated probability of melanoma of" in html(app)


def test_every_metric_of_the_test_subset_has_its_interval_and_counts(show_model):
    app, card = show_model(), load_card(BUNDLED)
    table = app.dataframe[0].value
    assert list(table.columns) == [
        "Metric",
        "Value",
        "95% CI from",
        "95% CI to",
        "Count",
        "Photographs",
        "Lesions",
    ]
    sensitivity = table[table["Metric"] == "Sensitivity of the melanoma alert"].iloc[0]
    figure = next(iter(card.metrics.values()))["sensitivity"]  # the headline
    assert sensitivity["Value"] == pytest.approx(100 * figure.value)
    assert sensitivity["95% CI from"] == pytest.approx(100 * figure.low)
    assert sensitivity["Photographs"] == figure.total


def test_the_metrics_of_one_collection_can_be_chosen(show_model):
    app, card = show_model(), load_card(BUNDLED)
    collection = next(name for name in card.metrics if "/" in name)
    app.selectbox[0].select(f"test, {collection.partition('/')[2]} only").run()
    assert not app.exception
    accuracy = app.dataframe[0].value.iloc[0]
    assert accuracy["Photographs"] == card.metrics[collection]["accuracy"].total


def test_an_undefined_metric_is_shown_as_undefined(show_model, other_model):
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
    assert "Sensitivity is undefined" in html(app)


def test_a_foreign_card_is_an_error_on_the_page(show_model, other_model):
    other_model.joinpath("card.json").write_text("{}", "utf-8")
    app = show_model()
    assert "is not a model card of this project" in html(app)


@pytest.mark.parametrize("page", ["models/page.py", "evaluation/page.py"])
def test_a_half_copied_model_is_named_and_the_page_shows_the_other_models(
    open_dashboard, tmp_path, monkeypatch, page
):
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path))
    half = write_model(tmp_path, "half")
    (half / "card.json").write_text('{"model_id": "half", "creat', "utf-8")
    write_model(tmp_path, "whole")

    app = open_dashboard().switch_page(page).run()

    assert not app.exception
    assert f"Not listed: Cannot read {half / 'card.json'}" in html(app)
    (models,) = [box for box in app.selectbox if box.label.startswith("Model")]
    assert models.options == [load_card(BUNDLED).model_id, "whole"]


def test_a_model_whose_card_is_damaged_is_not_evaluated_and_the_page_says_why(
    open_dashboard, other_model
):
    (other_model / "card.json").write_text("{}", "utf-8")

    app = open_dashboard().switch_page("evaluation/page.py").run()

    assert not app.exception
    assert "Found no model &quot;other-model&quot;" in html(app)


def test_the_whole_card_is_on_the_page_with_missing_facts_not_provided(show_model):
    app = show_model()
    titles = [each.value for each in app.subheader]
    assert titles[:4] == [
        "Intended use",
        "Limitations",
        "Alerts",
        "Metrics",
    ]
    assert titles[-1] == "Reporting checklists"
    guides = [each.label for each in app.expander]
    assert guides[-4:] == ["STARD-AI 2025", "TRIPOD+AI 2024", "CLAIM 2024", "CLEAR Derm"]
    assert not any(each.proto.expanded for each in app.expander[-4:])
    shown = html(app)
    assert "<tr><td>6</td><td>Ethics approval</td><td>not provided</td></tr>" in shown
    assert '<figure class="flow"><figcaption>Flow of the photographs' in shown


@pytest.fixture
def models_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty models folder in which no model has been promoted."""
    monkeypatch.setenv("MELANOMA_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.delenv("MELANOMA_MODEL", raising=False)
    return tmp_path / "models"


def open_view(app: AppTest, name: str) -> AppTest:
    app.session_state["models-view"] = name
    return app.run()


def test_without_candidates_and_events_the_page_says_what_to_do(show_model, models_dir):
    app = open_view(show_model(), "Compare and promote")
    assert not app.exception
    assert "There is no other model. Train one" in html(app)
    app = open_view(app, "History")
    assert "No model has been promoted yet." in html(app)
    assert not models_dir.exists()


def test_a_candidate_that_leaks_is_refused_and_its_metrics_are_withheld(show_model, models_dir):
    write_model(models_dir, "leaking", leakage=LEAKING)
    app = open_view(show_model(), "Compare and promote")
    assert "The gate refuses the candidate" in html(app)
    assert "Leakage: 7 of 600 test photographs" in html(app)
    assert "Found no prediction of" in html(app)

    app.query_params["model"] = "leaking"
    app = open_view(app, "Card")
    assert not app.exception
    assert "Metrics are withheld because of leakage: 7 of 600" in html(app)
    assert "Sensitivity is withheld" in html(app)


def test_a_missing_deployed_model_is_reported_on_every_page(open_dashboard, models_dir):
    write_pointer(models_dir, Pointer("lost", False, "2026-11-21T12:00:00+00:00"))
    app = open_dashboard()
    for view in ("reading", "dataset", "training", "models"):
        app.switch_page(f"{view}/page.py").run()
        assert "The bundled model is in use, because the deployed model lost is missing" in html(
            app
        ), view


def test_the_model_of_the_environment_is_in_use(show_model, models_dir, monkeypatch):
    write_model(models_dir, "other")
    monkeypatch.setenv("MELANOMA_MODEL", "other")
    app = open_view(show_model(), "History")
    assert "<code>MELANOMA_MODEL</code> is set to <strong>other</strong>" in html(app)


def test_text_of_a_person_is_escaped():
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
