import json
import re
import threading
import time
from contextlib import ExitStack
from html import escape

import pytest
from PIL import Image, ImageFilter
from streamlit.testing.v1 import AppTest

from dashboard.reading.verdict import name_level
from dashboard.shared.reading_model import get_turns
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.models.card import load_card
from melanoma_core.models.card_text.heatmaps import describe_maps, summarise_maps
from melanoma_core.models.methods import Method
from melanoma_core.reading.statement import describe_finding
from tests.dashboard.reading.driver import (
    LESION,
    click,
    encode,
    forget_all,
    html,
    list_rows,
    name_opened,
    upload,
    upload_lesions,
    worklist,
)

EVERY_TITLE = (
    "melanoma",
    "nevus",
    "basal cell carcinoma",
    "actinic keratosis",
    "benign keratosis",
    "dermatofibroma",
    "vascular lesion",
    "squamous cell carcinoma",
)


def test_the_landing_page_explains_what_to_do_and_is_not_a_medical_device(open_dashboard):
    app = open_dashboard()
    assert not app.exception
    assert 'class="error"' not in html(app)
    assert app.file_uploader[0].label == "Photographs of skin lesions"
    assert "Upload a photograph, or try a drawn lesion." in html(app)
    assert "Not a medical device" in html(app)
    assert "drawn by a program. They are not photographs of patients" in app.caption[0].value


def test_the_landing_page_names_the_current_model_with_its_metrics(open_dashboard):
    app = open_dashboard()
    assert 'class="trust"' in html(app)
    assert "melanoma alert with a sensitivity of" in html(app)


def test_the_camera_is_not_requested_until_it_is_opened(open_dashboard):
    app = open_dashboard()
    assert not app.camera_input


def test_a_demonstration_lesion_is_read_with_one_click(open_dashboard):
    app = click(open_dashboard(), LESION.signs.capitalize())
    assert name_opened(app) == LESION.name
    page = html(app)
    (entry,) = worklist(app).entries
    finding = describe_finding(entry.reading)
    assert f'<p class="verdict">{finding.headline}</p><p>{finding.summary}</p>' in page
    assert finding.sentence in page
    assert '<ul class="chips"' in page
    assert "Of 100 lesions like this one" in page
    assert "melanoma alert with a sensitivity of" in page
    for title in EVERY_TITLE:
        assert f'<th scope="row">{title}</th>' in page
    for tier in ("Malignant", "Premalignant", "Benign"):
        assert f"{tier}</th>" in page


def test_the_upload_field_is_empty_after_a_reading(open_dashboard):
    app = upload_lesions(open_dashboard(), 1)
    assert app.file_uploader[0].value == []


def test_the_most_suspicious_of_several_photographs_is_opened_and_listed_first(open_dashboard):
    app = upload_lesions(open_dashboard(), 4)
    entries = worklist(app).entries
    assert name_opened(app) == entries[0].name
    assert [button.label for button in list_rows(app)] == [
        name_level(entry.reading) for entry in entries
    ]
    shares = [entry.reading.skin_cancer_probability for entry in entries]
    assert shares == sorted(shares, reverse=True)
    names = re.findall(r'<p class="name">(.*?)</p>', html(app.sidebar))
    assert names == [entry.name for entry in entries]
    assert app.sidebar.header[0].value == "4 readings, most suspicious first"


def test_navigation_and_worklist_open_another_photograph(open_dashboard):
    app = upload_lesions(open_dashboard(), 3)
    first, second, third = (entry.name for entry in worklist(app).entries)
    assert name_opened(click(app, "Next")) == second
    assert name_opened(click(app, "Next")) == third
    assert name_opened(click(app, "Previous")) == second
    list_rows(app)[0].click().run()
    assert name_opened(app) == first


def test_a_long_worklist_turns_to_the_page_of_the_opened_photograph(open_dashboard):
    app = upload_lesions(open_dashboard(), 12)
    assert len(list_rows(app)) == 10
    list_rows(app)[9].click().run()
    click(app, "Next")
    assert len(list_rows(app)) == 2
    assert list_rows(app)[0].key == f"open-{worklist(app).entries[10].key}"


def test_one_bad_file_among_twenty_is_refused_by_name_and_the_others_are_read(open_dashboard):
    lesion = LESION.path.read_bytes()
    good = [(f"photograph {place}.jpg", lesion) for place in range(19)]
    app = upload(open_dashboard(), [*good[:7], ("text.jpg", b"not a photograph"), *good[7:]])
    assert len(worklist(app).entries) == 19
    assert "<strong>text.jpg</strong> was not read. The file is a text file." in html(app)
    click(app, "Dismiss")
    assert "text.jpg" not in html(app)
    assert len(worklist(app).entries) == 19


def test_every_kind_of_bad_file_is_refused_and_the_page_still_works(open_dashboard):
    grey = Image.new("L", (64, 64))
    lesion = LESION.path.read_bytes()
    files = {
        "empty.jpg": b"",
        "text.jpg": b"hello",
        "truncated.jpg": lesion[: len(lesion) // 2],
        "tiny.png": encode(Image.new("RGB", (1, 1)), "PNG"),
        "animated.gif": encode(grey, "GIF", save_all=True, append_images=[grey.point(abs)]),
    }
    app = upload(open_dashboard(), list(files.items()))
    assert [file.name for file in worklist(app).refused] == list(files)
    assert html(app).count(" was not read. ") == len(files)
    assert app.file_uploader[0].label == "Photographs of skin lesions"
    assert "Upload a photograph, or try a drawn lesion." in html(app)


def test_html_and_markdown_in_a_file_name_are_escaped(open_dashboard):
    name = "<img src=x onerror=alert(1)>**[a](http://b)**:red[c].jpg"
    app = upload(open_dashboard(), [(name, LESION.path.read_bytes()), (name, b"")])
    assert name_opened(app) == name
    assert "<img" not in html(app)
    assert "&lt;img src=x onerror=alert(1)&gt;" in html(app)


def test_the_heatmap_follows_the_chosen_diagnosis(open_dashboard):
    app = upload_lesions(open_dashboard(), 1)
    (entry,) = worklist(app).entries
    explained = app.selectbox[0]
    assert explained.label == "Explain diagnosis"
    expected = "melanoma" if entry.reading.alert else "Most probable"
    assert expected in html(app)
    other = explained.options[-1]
    explained.select(other).run()
    assert not app.exception
    title = other.split(",")[0].split(" ", 1)[1]
    assert f"<span>Evidence for {title} (Grad-CAM)</span>" in html(app)


def choose_method(app: AppTest, method: Method) -> AppTest:
    (chooser,) = (box for box in app.selectbox if box.label == "Heatmap method")
    chooser.select(method).run(timeout=180)
    assert not app.exception
    return app


def test_the_instant_heatmap_is_the_default_with_its_faithfulness(open_dashboard):
    app = upload_lesions(open_dashboard(), 1)
    (chooser,) = (box for box in app.selectbox if box.label == "Heatmap method")
    assert chooser.options == ["Grad-CAM", "Grad-CAM++", "Score-CAM", "Saliency (SmoothGrad)"]
    assert chooser.value == "grad-cam"
    (entry,) = worklist(app).entries
    line, tests = summarise_maps(entry.card, "grad-cam"), describe_maps(entry.card, "grad-cam")
    assert f'<p class="map-trust">{escape(line)}</p>' in html(app)
    # All tests are one click away.
    (details,) = (
        each for each in app.get("popover") if each.proto.popover.label == "Heatmap tests"
    )
    assert html(details) == f"<p>{escape(tests)}</p>"
    choose_method(app, Method.GRAD_CAM)
    assert "(Grad-CAM)</span><span>strong</span>" in html(app)


def test_without_tensorflow_the_reason_is_shown_beside_the_instant_heatmap(
    open_dashboard, tmp_path, monkeypatch
):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('not installed')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    app = choose_method(upload_lesions(open_dashboard(), 1), Method.GRAD_CAM_PLUS_PLUS)
    assert "Found no TensorFlow that works here (not installed)." in html(app)
    assert "(Grad-CAM)</span>" in html(app)
    (chooser,) = (box for box in app.selectbox if box.label == "Heatmap method")
    assert chooser.value == "grad-cam"


def test_forget_all_deletes_every_photograph(open_dashboard):
    app = forget_all(upload_lesions(open_dashboard(), 3))
    assert worklist(app).entries == []
    assert "Upload a photograph, or try a drawn lesion." in html(app)


def test_two_sessions_share_one_model_but_no_photographs(open_dashboard):
    first, second = open_dashboard(), open_dashboard()
    upload(first, [("first.jpg", LESION.path.read_bytes())])
    upload(second, [("second.jpg", DEMONSTRATION_LESIONS[3].path.read_bytes())])
    first.run()
    assert name_opened(first) == "first.jpg"
    assert name_opened(second) == "second.jpg"
    assert "second.jpg" not in html(first)
    assert len(worklist(first).entries) == len(worklist(second).entries) == 1
    assert worklist(first).entries[0].card is worklist(second).entries[0].card


def test_a_truncated_network_is_an_error_and_the_photographs_wait(open_dashboard, other_model):
    network = other_model / "model.onnx"
    whole = network.read_bytes()
    network.write_bytes(whole[:1000])
    app = upload_lesions(open_dashboard(), 2)
    assert "is truncated, damaged or another network" in html(app)
    assert app.file_uploader[0].label == "Photographs of skin lesions"
    network.write_bytes(whole)
    app.run()
    assert 'class="error"' not in html(app)
    assert len(worklist(app).entries) == 2


def test_photographs_waiting_for_a_damaged_network_can_be_removed(open_dashboard, other_model):
    other_model.joinpath("model.onnx").write_bytes(b"")
    app = click(upload_lesions(open_dashboard(), 2), "Cancel remaining")
    assert worklist(app).pending_name is None
    assert html(app).count('class="error"') == 1  # of the model, not of a photograph
    assert "is truncated, damaged or another network" in html(app)


def test_a_missing_card_is_an_error_on_a_page_that_still_works(open_dashboard, other_model):
    other_model.joinpath("card.json").unlink()
    app = open_dashboard()
    assert "Found no model" in html(app)
    assert "other-model" in html(app)
    assert app.file_uploader[0].label == "Photographs of skin lesions"


def test_a_changed_model_reads_the_next_photograph(open_dashboard, other_model):
    app = upload_lesions(open_dashboard(), 1)
    card = other_model / "card.json"
    threshold = worklist(app).entries[0].reading.threshold
    card.write_text(card.read_text("utf-8").replace(str(threshold), "0.999"), "utf-8")
    upload_lesions(app, 1)
    assert {entry.reading.threshold for entry in worklist(app).entries} == {threshold, 0.999}


def test_real_photographs_of_every_size_are_read(open_dashboard, shared_data):
    paths = sorted(shared_data.glob("full_resolution/*.jpg"))[:3]
    paths += sorted(shared_data.glob("ham10000/images/*.jpg"))[:3]
    app = upload(open_dashboard(), [(path.name, path.read_bytes()) for path in paths])
    assert {entry.name for entry in worklist(app).entries} == {path.name for path in paths}


@pytest.mark.usefixtures("guarded_model")
def test_an_out_of_distribution_photograph_is_refused_without_a_probability(open_dashboard):
    other = encode(Image.open(LESION.path), "PNG")
    app = upload(open_dashboard(), [("bee.png", other)])
    page = html(app.main)
    assert "<strong>bee.png</strong> was not read. This photograph does not look like" in page
    assert re.search(r"\(distance \d+\.\d+, limit \d+\.\d+\)", page)
    assert "probability of melanoma" not in page
    assert worklist(app).entries == []


def test_a_drawn_lesion_is_read_without_the_out_of_distribution_check(
    open_dashboard, guarded_model
):
    app = click(open_dashboard(), LESION.signs.capitalize())
    (entry,) = worklist(app).entries
    assert load_card(guarded_model).novelty is not None
    assert entry.reading.is_drawn
    assert "Out-of-distribution check not applied" in html(app)


def test_quality_warnings_are_shown_with_the_reading(open_dashboard, other_model):
    card = other_model / "card.json"
    raw = json.loads(card.read_text("utf-8")) | {"novelty": None}
    card.write_text(json.dumps(raw), "utf-8")
    blurred = Image.open(LESION.path).resize((133, 100)).filter(ImageFilter.GaussianBlur(4))
    app = upload(open_dashboard(), [("blurred.png", encode(blurred, "PNG"))])
    page = html(app)
    assert "The photograph is blurred (sharpness" in page
    assert "The photograph is too small (shorter side 100 pixels, typical: at least 150" in page
    assert "This model has no out-of-distribution check" in page


def test_a_photograph_is_read_when_it_is_its_turn(open_dashboard):
    app = upload_lesions(open_dashboard(), 1)
    turns = get_turns()
    with ExitStack() as others:
        for _ in range(2):
            others.enter_context(turns.take())
        timer = threading.Timer(1.0, others.pop_all().close)  # the others have their answers
        timer.start()
        started_at = time.monotonic()
        upload_lesions(app, 2)
        timer.join()

    assert time.monotonic() - started_at >= 1.0
    assert len(worklist(app).entries) == 3
