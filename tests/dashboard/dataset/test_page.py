import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.dataset.audit import _decide
from dashboard.dataset.markup import render_file, render_file_facts
from melanoma_core.data.catalogue import open_demonstration
from melanoma_core.data.cleaning import Action
from melanoma_core.settings import PROJECT_ROOT, load_settings
from melanoma_core.taxonomy import Diagnosis

Show = Callable[..., AppTest]
VIEWS = ("Overview", "Gallery", "Audit", "Split", "Balancing", "Get data")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory, monkeypatch):
    """Caches outlive one test, so that the demonstration set is drawn once."""
    cache = tmp_path_factory.getbasetemp() / "dataset-page-cache"
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(cache))
    monkeypatch.delenv("MELANOMA_DATA_DIR", raising=False)


@pytest.fixture
def show_dataset(open_dashboard) -> Show:
    """Open a view of the Dataset page, on a folder or on the demonstration set."""

    def show(view: str = "Overview", folder: Path | None = None) -> AppTest:
        app = open_dashboard().switch_page("dataset/page.py")
        app.session_state["dataset-view"] = view
        if folder:
            app.session_state["folder-path"] = str(folder)
        app.run()
        assert [title.value for title in app.title] == ["Dataset"]
        assert not app.exception
        return app

    return show


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A copy of the demonstration set, to be spoilt."""
    folder = tmp_path / "drawn"
    shutil.copytree(open_demonstration(load_settings()), folder)
    return folder


def html(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def click(app: AppTest, label: str) -> AppTest:
    button = next(button for button in app.button if button.label == label)
    button.click().run()
    assert not app.exception
    return app


def labels(app: AppTest, kind: str) -> list[str]:
    return [element.proto.label for element in app.get(kind)]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_on_the_demonstration_set_where_nothing_is_configured(show_dataset, view):
    app = show_dataset(view)
    assert 'class="error"' not in html(app)
    assert app.sidebar.selectbox[0].options == ["Demonstration (drawn)"]


def test_the_overview_says_how_uneven_the_classes_are(show_dataset):
    page = html(show_dataset())
    assert "64 files, of which 1 cannot be read" in page
    assert "For each photograph of dermatofibroma there are 9.0 of nevus" in page
    assert "as diverse as 5.8 classes of equal size" in page


def test_every_chart_of_the_overview_can_be_taken_along_as_csv(show_dataset):
    app = show_dataset()
    charts, downloads = app.get("plotly_chart"), labels(app, "download_button")
    assert len(charts) == 10
    assert len(downloads) == 10
    assert downloads[0] == "Images per class as CSV"


def test_the_mean_photograph_of_every_class_is_shown(show_dataset):
    app = show_dataset()
    captions = [caption.value for caption in app.caption]
    assert "▲ melanoma" in captions
    assert "● vascular lesion" in captions


def test_the_audit_begins_with_its_verdict_and_finds_what_was_planted(show_dataset):
    page = html(show_dataset("Audit"))
    assert page.index("Do not train or measure on these 64 files") < page.index("Contradictory")
    assert "2 pictures carry more than one label" in page
    assert "1 of 11 Test images share a photograph or a lesion with Train" in page
    assert "Found 2 pictures as 4 byte-identical files" in page
    assert "1 file cannot be read" in page
    assert "Changes labels: <strong>yes</strong>" in page
    assert "Inflates a score: <strong>yes</strong>" in page


def test_a_person_can_overrule_the_cleaned_table_and_undo_it(show_dataset):
    app = show_dataset("Audit")
    assert "59 files are kept, 0 kept under another label, 5 dropped" in html(app)
    folder = app.session_state["opened-folder"].folder
    path = str(folder / "Train" / "melanoma" / "drawn-026.jpg")
    assert Path(path).is_file()
    app.session_state[f"manual_decisions-{folder}"][path] = Diagnosis.MEL
    app.run()
    assert "60 files are kept, 0 kept under another label, 4 dropped" in html(app)
    app = click(app, "Undo the last")
    assert "59 files are kept" in html(app)


def test_the_last_decision_on_a_file_is_the_one_that_counts():
    st.session_state["num-decisions"] = 0
    manual_decisions = {"/b": Action.KEEP, "/c": Action.DROP}
    changes = {0: {"decision": "MEL"}, 1: {"decision": "drop"}, 2: {"decision": "as ruled"}}
    st.session_state["editor"] = {"edited_rows": changes}
    _decide("editor", ["/a", "/b", "/c"], manual_decisions)
    assert manual_decisions == {"/a": Diagnosis.MEL, "/b": Action.DROP}


def test_the_gallery_shows_a_page_and_opens_one_with_all_that_is_known_of_it(show_dataset):
    app = show_dataset("Gallery")
    assert sum(button.label == "Open" for button in app.button) == 24
    app = click(app, "Open")
    page = html(app)
    assert "SHA-256 of the bytes" in page
    assert "In the cleaned table" in page
    app = click(app, "Back to the gallery")
    assert sum(button.label == "Open" for button in app.button) == 24


def test_the_gallery_filters_by_class_and_by_finding(show_dataset):
    app = show_dataset("Gallery")
    by_label = {widget.label: widget for widget in app.multiselect}
    by_label["Class, as written"].set_value(["melanoma"]).run()
    assert not app.exception
    assert "9 photographs" in [caption.value for caption in app.caption]
    (finding,) = (box for box in app.selectbox if box.label == "Finding")
    finding.set_value("label-conflicts").run()
    assert "1 photographs" in [caption.value for caption in app.caption]


def test_the_split_proves_with_numbers_that_it_parts_no_group(show_dataset):
    app = show_dataset("Split")
    assert "<strong>0</strong> of 39 groups are parted" in html(app)
    proof = app.dataframe[1].value
    assert list(proof["shared"]) == [0, 0, 0, 0, 0]
    assert proof["known"].iloc[-1] == 39


def test_another_seed_gives_another_split(show_dataset):
    app = show_dataset("Split")
    before = html(app)
    (seed,) = (box for box in app.sidebar.number_input if box.label == "Seed of the split")
    seed.set_value(1).run()
    assert html(app) != before


def test_class_weights_are_shown_as_a_table(show_dataset):
    app = show_dataset("Balancing")
    app.radio(key="balancing").set_value("class-weights").run()
    assert not app.exception
    table = app.dataframe[0].value
    weighted = table["before"] * table["balanced"]
    assert weighted.to_list() == pytest.approx([table["before"].sum() / len(table)] * len(table))


def test_oversampling_is_previewed_and_then_made_in_a_folder_of_its_own(show_dataset, tmp_path):
    app = show_dataset("Balancing")
    app.radio(key="balancing").set_value("oversampling").run()
    assert not app.exception
    (target,) = (box for box in app.number_input if box.label == "Images per class, at least")
    target.set_value(4).run()
    (folder,) = (box for box in app.text_input if box.label == "Folder for the new images")
    assert not Path(folder.value).is_relative_to(app.session_state["opened-folder"].folder)
    folder.set_value(str(tmp_path / "new")).run()
    (make,) = (button for button in app.button if button.label.startswith("Make "))
    expected = int(make.label.split()[1])
    app = click(app, make.label)
    assert len(list((tmp_path / "new").glob("*/*.jpg"))) == expected
    assert (tmp_path / "new" / "manifest.csv").is_file()
    assert any(f"{expected} images were made in" in caption.value for caption in app.caption)


def test_new_images_may_not_lie_among_the_photographs(show_dataset, drawn):
    app = show_dataset("Balancing", drawn)
    app.radio(key="balancing").set_value("oversampling").run()
    (folder,) = (box for box in app.text_input if box.label == "Folder for the new images")
    folder.set_value(str(drawn / "new")).run()
    (make,) = (button for button in app.button if button.label.startswith("Make "))
    app = click(app, make.label)
    assert "New images need a folder of their own" in html(app)
    assert not (drawn / "new").exists()


def test_the_teaching_switch_counts_parents_in_train(show_dataset):
    app = show_dataset("Balancing")
    app.radio(key="balancing").set_value("oversampling").run()
    (switch,) = (each for each in app.toggle if each.label.startswith("What if"))
    switch.set_value(True).run()
    assert "validation images are changed copies of a photograph" in html(app)


def test_switching_every_operation_off_is_refused_in_one_sentence(show_dataset):
    app = show_dataset("Balancing")
    app.radio(key="balancing").set_value("oversampling").run()
    app.toggle(key="flip").set_value(False)
    app.slider(key="rotation").set_value(0)
    app.slider(key="zoom").set_value(0.0)
    app.run()
    assert not app.exception
    assert "Found no operation" in html(app)


def test_a_folder_that_is_none_says_so_and_the_page_goes_on(show_dataset, tmp_path):
    app = show_dataset("Overview", tmp_path / "nowhere")
    assert "Found no folder at" in html(app)
    assert 'class="error"' in html(app)
    assert not app.get("progress")
    assert "Cancel" not in [button.label for button in app.button]


def test_an_empty_folder_says_what_was_looked_for(show_dataset, tmp_path):
    assert 'class="error"' in html(show_dataset("Overview", tmp_path))


def test_one_class_with_one_image_is_shown_and_its_split_refused(show_dataset, tmp_path):
    folder = tmp_path / "one" / "nevus"
    folder.mkdir(parents=True)
    Image.effect_noise((90, 80), 60).convert("RGB").save(folder / "only.jpg")
    app = show_dataset("Overview", folder.parent)
    assert "Found 1 of the eight diagnoses" in html(app)
    for view in ("Gallery", "Audit"):
        assert 'class="error"' not in html(show_dataset(view, folder.parent))
    assert "lesions to draw subsets from" in html(show_dataset("Split", folder.parent))


def test_a_hostile_file_name_is_shown_as_text(show_dataset, tmp_path):
    folder = tmp_path / "hostile" / "nevus"
    folder.mkdir(parents=True)
    Image.effect_noise((90, 80), 60).convert("RGB").save(folder / "<img src=x>\n**b**.jpg")
    app = show_dataset("Gallery", folder.parent)
    assert "<img src=x>" not in html(app)
    assert "&lt;img src=x&gt;" in html(app)


def test_where_the_server_answers_others_a_path_outside_of_the_data_is_refused(
    show_dataset, drawn, monkeypatch
):
    monkeypatch.setattr("dashboard.shared.folder.is_local", lambda: False)
    assert "opens folders under its data directory alone" in html(show_dataset("Overview", drawn))
    monkeypatch.setenv("MELANOMA_DATA_DIR", str(drawn))
    assert "lies outside of the data directory" in html(show_dataset("Overview", drawn.parent))
    assert 'class="error"' not in html(show_dataset("Overview", drawn))


def test_the_folders_under_the_data_directory_can_be_chosen(show_dataset, drawn, monkeypatch):
    monkeypatch.setenv("MELANOMA_DATA_DIR", str(drawn.parent))
    app = show_dataset()
    assert app.sidebar.selectbox[0].options == ["Demonstration (drawn)", "drawn (class folders)"]
    app.sidebar.selectbox[0].set_value("drawn (class folders)").run()
    assert not app.exception
    assert app.session_state["opened-folder"].folder == drawn.resolve()


def test_a_changed_folder_is_scanned_again_when_asked(show_dataset, drawn):
    app = show_dataset("Overview", drawn)
    (drawn / "Train" / "nevus" / "drawn-902.jpg").unlink()
    assert "64 files" in html(app.run())
    assert "63 files" in html(click(app, "Scan again"))


def test_a_cancelled_scan_says_so_and_can_go_on(show_dataset, drawn):
    app = show_dataset("Overview", drawn)
    app.session_state[f"cancelled-{drawn.resolve()}"] = True
    app = click(app, "Scan again")
    assert "The scan was cancelled" in html(app)
    app = click(app, "Go on with the scan")
    assert "64 files" in html(app)


def test_collections_that_are_no_numbers_are_refused_before_anything_is_asked(show_dataset):
    app = show_dataset("Get data")
    app.text_input(key="archive-collections").set_value("HAM10000")
    app = click(app, "Search the Archive")
    assert "Give their numbers on isic-archive.com" in html(app)


@pytest.fixture
def archive(drawn, monkeypatch):
    """A stand-in for the ISIC Archive with one photograph."""
    body = (drawn / "Train" / "melanoma" / "drawn-026.jpg").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            url = f"http://127.0.0.1:{self.server.server_port}/1.jpg"
            entry = {
                "isic_id": "ISIC_0000001",
                "copyright_license": "CC-BY-NC",
                "attribution": "Anonymous",
                "files": {"full": {"url": url, "size": len(body)}},
                "metadata": {"clinical": {"diagnosis_1": "Malignant"}, "acquisition": {}},
            }
            page = {"count": 1, "next": None, "previous": None, "results": [entry]}
            answer = body if self.path == "/1.jpg" else json.dumps(page).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MELANOMA_ARCHIVE_URL", f"http://127.0.0.1:{server.server_port}/api/v2/")
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("archive")
def test_a_download_shows_size_and_licences_before_it_starts_and_then_brings_the_photograph(
    show_dataset, tmp_path
):
    app = show_dataset("Get data")
    app.text_input(key="archive-folder").set_value(str(tmp_path / "new"))
    app = click(app, "Search the Archive")
    assert "1 photographs, 0.0 MB" in html(app)
    assert app.dataframe[0].value.to_dict("records") == [{"Licence": "CC-BY-NC", "Photographs": 1}]
    assert not (tmp_path / "new").exists()
    app = click(app, "Start the download")
    assert "1 photographs came" in html(app)
    assert (tmp_path / "new" / "ISIC_0000001.jpg").is_file()
    app = click(app, "Open this folder")
    assert app.session_state["opened-folder"].folder == (tmp_path / "new").resolve()
    for view in VIEWS:  # with a diagnosis that is none of the eight
        app.session_state["dataset-view"] = view
        assert not app.run().exception


def test_a_file_with_nothing_known_is_shown_as_unknown():
    row = {"path": "/a/b.jpg", "label": None, "name": None, "subset": float("nan")}
    assert "no label" in render_file(row)
    facts = render_file_facts(row | {"action": "drop"}, [])
    assert facts.count("<dd>unknown</dd>") == 19
    assert "<dt>Findings</dt><dd>none</dd>" in facts


def test_the_page_imports_nothing_heavy_before_it_is_painted():
    modules = ["overview", "gallery", "audit", "split", "balance", "download"]
    imports = ", ".join(f"dashboard.dataset.{module}" for module in modules)
    heavy = {"pandas", "sklearn", "scipy", "tensorflow", "keras"}  # plotly comes with Streamlit
    code = f"import sys, {imports}; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
