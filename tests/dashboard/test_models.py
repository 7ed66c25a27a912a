import json
from math import isnan

import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED


@pytest.fixture
def show_model(open_dashboard):
    def show() -> AppTest:
        app = open_dashboard().switch_page("views/models.py").run()
        assert [title.value for title in app.title] == ["Model"]
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
