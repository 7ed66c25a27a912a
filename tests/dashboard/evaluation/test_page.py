from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from melanoma_core.models.card import load_card
from melanoma_core.models.card_text.prevalence import MELANOMA, find_alert_figures, measure_share
from melanoma_core.models.registry import BUNDLED
from tests.dashboard.children import wait_for_children


@pytest.fixture
def moles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two images in Train and six in Test, one of them a copy."""
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    folder = tmp_path / "moles"
    for number in range(8):
        place = folder / ("Test" if number > 1 else "Train") / ("melanoma", "nevus")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        seed = 0 if number == 2 else number
        pixels = np.random.default_rng(seed).integers(0, 256, (80, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
    return folder


@pytest.fixture
def page(open_dashboard, moles: Path) -> AppTest:  # noqa: ARG001  # its settings
    app = open_dashboard().switch_page("evaluation/page.py").run()
    assert [title.value for title in app.title] == ["Evaluation"]
    assert not app.exception
    return app


def html(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def evaluate(app: AppTest, folder: Path) -> AppTest:
    app.text_input(key="folder-path").set_value(str(folder)).run()
    next(button for button in app.button if button.label == "Evaluate").click().run()
    assert "Cancel" in [button.label for button in app.button]
    wait_for_children("melanoma_core.assessment")
    app.run()
    assert not app.exception
    return app


def set_prevalence(app: AppTest, melanoma: str, skin_cancer: str) -> None:
    app.text_input(key="prevalence-melanoma").set_value(melanoma)
    app.text_input(key="prevalence-skin-cancer").set_value(skin_cancer).run()
    assert not app.exception


def test_the_metrics_of_the_card_are_shown_before_any_evaluation(page: AppTest):
    card = load_card(BUNDLED)
    assert card.model_id in html(page)
    assert "Of 100 melanomas, about" in html(page)
    figures = find_alert_figures(card)
    share = measure_share(figures, MELANOMA)
    assert f"At a prevalence of {share:.1%}, {1000 * share:.0f} of 1,000 lesions" in html(page)
    set_prevalence(page, "1", "5")
    assert "At a prevalence of 1.0%, 10 of 1,000 lesions are melanomas." in html(page)
    assert page.selectbox(key="evaluated-model").value == card.model_id


@pytest.mark.slow
def test_a_folder_is_evaluated_and_the_result_is_shown_and_kept(
    page: AppTest, moles: Path, open_dashboard
):
    app = evaluate(page, moles)
    page_html = html(app)
    assert "6 of 6 images of moles (subset test)" in page_html
    assert "1 of the images share a copy, lesion or patient" in page_html
    assert "A reading would refuse 6 of the images" in page_html
    assert page_html.count('<dl class="tiles">') == 2  # of the folder and of the card
    heads = [list_heads(open_part(app, part))[0] for part in ("Diagnoses", "Subgroups")]
    assert heads == ["Diagnosis", "Attribute"]
    assert app.query_params["evaluated"] == "moles"
    assert app.query_params["part"] == "Subgroups"
    assert list_heads(open_part(app, "Alerts and metrics"))[:2] == [
        "At the alert threshold",
        "Metric",
    ]
    assert "part" not in app.query_params
    set_prevalence(app, "50", "60")
    assert "At a prevalence of 50.0%, 500 of 1,000 lesions are melanomas." in html(app)
    app.radio(key="measured-part").set_value(app.radio(key="measured-part").options[1]).run()
    assert not app.exception

    again = open_dashboard().switch_page("evaluation/page.py").run()
    again.text_input(key="folder-path").set_value(str(moles)).run()
    next(button for button in again.button if button.label == "Evaluate").click().run()
    assert "6 of 6 images of moles (subset test)" in html(again)


def open_part(app: AppTest, name: str) -> AppTest:
    app.session_state["results-part"] = name
    app.run()
    assert not app.exception
    return app


def list_heads(app: AppTest) -> list[str]:
    return [table.value.columns[0] for table in app.dataframe]


@pytest.mark.slow
def test_a_failed_evaluation_shows_its_error(page: AppTest, moles: Path):
    page.selectbox(key="evaluated-subset").select("validation").run()
    app = evaluate(page, moles)
    assert 'class="error"' in html(app)
    assert "Found 0 images" in html(app)
    assert load_card(BUNDLED).model_id in html(app)


def test_the_address_has_the_model_and_the_images(page: AppTest):
    assert page.query_params == {}
    page.selectbox(key="evaluated-subset").select("validation").run()
    assert page.query_params == {"images": "validation"}
    page.query_params.clear()  # as Back does
    page.run()
    assert page.selectbox(key="evaluated-subset").value == ""


def test_the_prevalence_of_the_reading_page_holds_here_too(open_dashboard, moles: Path):  # noqa: ARG001
    app = open_dashboard()
    set_prevalence(app, "2", "8")
    app.switch_page("evaluation/page.py").run()
    assert app.text_input(key="prevalence-melanoma").value == "2"
    assert "At a prevalence of 2.0%, 20 of 1,000 lesions are melanomas." in html(app)
    set_prevalence(app, "3", "8")
    app.switch_page("reading/page.py").run()
    assert app.text_input(key="prevalence-melanoma").value == "3"


@pytest.mark.slow
def test_a_folder_of_two_classes_shows_what_its_labels_answer(page: AppTest, tmp_path: Path):
    for number in range(8):
        place = tmp_path / "two" / ("malignant", "benign")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (80, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")

    app = evaluate(page, tmp_path / "two")

    assert "8 of the images have a risk tier as label" in html(app)
    assert "No image has a diagnosis." in html(app)
    tables = [table.value for table in app.dataframe]
    metrics = next(table for table in tables if table.columns[0] == "Metric")
    assert "Skin cancer ROC AUC" in metrics["Metric"].tolist()
    assert "Accuracy" not in metrics["Metric"].tolist()
    assert "Diagnosis" not in list_heads(open_part(app, "Diagnoses"))
    open_part(app, "Curves")
    assert app.selectbox(key="measured-class").options == ["any skin cancer"]
