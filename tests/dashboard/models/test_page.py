import hashlib
import json
from math import isnan
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button, Element

from dashboard.models.card import PARTS
from dashboard.models.markup import render_deployment, render_disagreement, render_verdict
from melanoma_core.deployment.gate import Verdict
from melanoma_core.deployment.promotion import Deployment
from melanoma_core.deployment.versions import Event, EventKind
from melanoma_core.models.card import load_card
from melanoma_core.models.card_text.section import Title
from melanoma_core.models.registry import BUNDLED, Pointer, write_pointer
from tests.drawn_models import LEAKING, make_split, write_model


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
    assert f"{card.created_at.replace('T', ' ')[:16]} UTC" in html(app)
    limits = html(app).split('<ul class="limits">')[1].split("</ul>")[0]
    assert limits.count("<li>") == len(card.limitations)
    assert "Not a medical device" in html(app)
    assert "Melanoma alert: a calibrated probability of melanoma of" in html(app)


def test_every_metric_of_the_test_subset_has_its_interval_and_counts(show_model):
    app, card = open_part(show_model(), "Performance"), load_card(BUNDLED)
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
    app, card = open_part(show_model(), "Performance"), load_card(BUNDLED)
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
    app = open_part(show_model(), "Performance")
    assert not app.exception
    assert "<dd><strong>undefined</strong></dd>" in html(app)
    assert isnan(app.dataframe[0].value.iloc[0]["Value"])
    assert app.dataframe[0].proto.placeholder == "undefined"
    assert "Sensitivity is undefined" in html(open_part(app, "Summary"))


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


def test_the_summary_has_tiles_charts_intended_use_limitations_and_alerts(show_model):
    app, figures = show_model(), load_card(BUNDLED).metrics["test:histopathology"]
    assert [each.value for each in app.header] == ["Intended use", "Limitations", "Alerts"]
    assert not app.dataframe
    tiles = html(app).split('<dl class="tiles">')[1].split("</dl>")[0]
    assert tiles.count("<dt>") == 8
    area, sensitivity = figures["melanoma_roc_auc"], figures["sensitivity"]
    assert f"<dt>Melanoma ROC AUC</dt><dd><strong>{area.value:.3f}</strong></dd>" in tiles
    assert f"95% CI {area.low:.3f}–{area.high:.3f}" in tiles
    assert f"{sensitivity.count} of {sensitivity.total} photographs" in tiles
    titles = [json.loads(each.proto.spec)["layout"]["title"]["text"] for each in charts(app)]
    assert titles == [
        "ROC curve, ▲ melanoma against the rest",
        "ROC curve, any skin cancer against the rest",
        "Calibration of the probability of melanoma",
        "Confusion matrix",
    ]


def test_every_section_is_in_one_part_of_the_card():
    assert sorted(title for part in PARTS.values() for title in part) == sorted(Title)


def test_every_part_shows_its_sections_and_missing_facts_are_not_provided(show_model):
    app = show_model()
    for part, titles in list(PARTS.items())[1:]:
        app = open_part(app, part)
        assert not app.exception
        shown = [each.value for each in app.header]
        assert [title for title in shown if title != "Metrics"] == list(titles)
    guides = [each.label for each in app.expander]
    assert guides == ["STARD-AI 2025", "TRIPOD+AI 2024", "CLAIM 2024", "CLEAR Derm"]
    assert not any(each.proto.expanded for each in app.expander)
    answers = html(app)
    assert "<tr><td>6</td><td>Ethics approval</td><td>not provided</td></tr>" in answers
    flow = html(open_part(app, "Performance"))
    assert '<figure class="flow"><figcaption>Flow of the photographs' in flow


def test_the_address_has_tab_part_and_subset(show_model):
    app = show_model()
    assert app.query_params == {}
    app = open_part(app, "Performance")
    app.selectbox[0].select("test").run()
    app = open_view(app, "History")
    assert app.query_params == {"part": "Performance", "subset": "test", "tab": "History"}
    app.query_params.clear()  # as Back to the first view does
    app.run()
    assert app.session_state["models-view"] == "Card"
    assert app.session_state["card-part"] == "Summary"
    app.query_params["part"] = "Subgroups"
    app.run()
    assert [each.value for each in app.header] == ["Performance by subgroup and confirmation"]


def charts(app: AppTest) -> list[Element]:
    return list(app.get("plotly_chart"))


def open_part(app: AppTest, name: str) -> AppTest:
    app.session_state["card-part"] = name
    return app.run()


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
    app.text_input(key="promoter").set_value("Ada").run()
    (button,) = [each for each in app.button if each.label == "Promote leaking"]
    assert button.disabled
    assert "<strong>Off: the gate refuses it.</strong> Leakage: 7 of 600" in html(app)
    assert find_missing(app).label == "Find and predict the 600 missing photographs"
    find_missing(app).click().run()
    assert not app.exception
    assert "Found none of the 600 missing photographs in" in html(app)

    app.query_params["model"] = "leaking"
    app = open_view(app, "Card")
    assert not app.exception
    assert "Metrics are withheld because of leakage: 7 of 600" in html(app)
    assert "Sensitivity is withheld" in html(app)


def test_missing_photographs_are_found_and_predicted_in_one_click(
    show_model, models_dir, tmp_path, monkeypatch
):
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    folder, split = tmp_path / "moles" / "nevus", make_split()
    folder.mkdir(parents=True)
    for number in range(3):
        path = folder / f"{number}.png"
        Image.effect_noise((90, 80), 40 + number).convert("RGB").save(path)
        split.loc[number, "sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_model(models_dir, "newcomer", split=split)
    app = open_view(show_model(), "Compare and promote")
    app.text_input(key="folder-path").set_value(str(folder.parent)).run()

    find_missing(app).click().run()

    assert not app.exception
    assert find_missing(app).label == "Find and predict the 597 missing photographs"
    assert "it covers 3 of 600" in html(app)


def find_missing(app: AppTest) -> Button:
    (button,) = [each for each in app.button if each.label.startswith("Find and predict the")]
    return button


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
