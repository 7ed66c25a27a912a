import json
import re
import shutil
import threading
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.dataset.audit import _decide, _make_relative
from dashboard.dataset.markup import FINDING_TITLES, render_file, render_file_facts
from dashboard.shared.cached import get_audit
from melanoma_core.data.catalogue import open_demonstration
from melanoma_core.data.cleaning import Action
from melanoma_core.data.findings import FindingKind
from melanoma_core.settings import load_settings
from melanoma_core.taxonomy import Diagnosis

Show = Callable[..., AppTest]
VIEWS = ("Overview", "Gallery", "Audit", "Split", "Balancing", "Get data")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory, monkeypatch):
    """Share one cache between the tests, so that the demonstration dataset is drawn once."""
    cache = tmp_path_factory.getbasetemp() / "dataset-page-cache"
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(cache))
    monkeypatch.delenv("MELANOMA_DATA_DIR", raising=False)


@pytest.fixture
def show_dataset(open_dashboard) -> Show:
    """Open a tab of the Dataset page, on a folder or on the demonstration dataset."""

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
    """Return a copy of the demonstration dataset that the test may change."""
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


def open_view(app: AppTest, view: str) -> AppTest:
    app.session_state["dataset-view"] = view
    app.run()
    assert not app.exception
    return app


def labels(app: AppTest, kind: str) -> list[str]:
    return [element.proto.label for element in app.get(kind)]


def test_without_a_data_directory_every_tab_opens_on_the_demonstration_dataset(show_dataset):
    app = show_dataset()
    assert app.sidebar.selectbox[0].options == ["Demonstration (drawn)"]
    for view in VIEWS:
        assert 'class="error"' not in html(open_view(app, view))


def test_the_overview_describes_the_class_imbalance(show_dataset):
    page = html(show_dataset())
    assert "Files: 64, including copies. Unreadable: 1." in page
    assert "There are 9.0 images of nevus for each image of dermatofibroma" in page
    assert "as diverse as 5.8 classes of equal size" in page


def test_every_chart_of_the_overview_has_a_menu_of_downloads_and_none_has_one_bar(show_dataset):
    app = show_dataset()
    layouts = [json.loads(chart.proto.spec)["layout"] for chart in app.get("plotly_chart")]
    assert {layout["title"]["text"] for layout in layouts} == {
        *("Images per class", "Images per risk tier", "Age (years)", "Sex", "Anatomical site"),
        *("Skin tone", "Size (width × height, px)", "Brightness by class", "Contrast by class"),
        "Sharpness by class",
    }
    assert labels(app, "download_button") == ["CSV"] * 10
    assert "<li>Source: <strong>drawn lesions</strong></li>" in html(app)


def test_the_overview_shows_how_each_diagnosis_is_known(show_dataset, drawn: Path):
    assert "No table states how the diagnoses are known." in html(show_dataset())
    nevus = min((drawn / "Train" / "nevus").iterdir()).name
    (drawn / "facts.csv").write_text(f"filename,confirmation\n{nevus},follow_up\n", "utf-8")

    app = show_dataset(folder=drawn)

    assert '<th scope="row">● nevus</th><td>1</td><td>26</td><td>27</td>' in html(app)
    assert "Confirmations as CSV" in labels(app, "download_button")


def test_the_overview_shows_the_mean_image_of_each_class(show_dataset):
    app = show_dataset()
    captions = [caption.value for caption in app.caption]
    assert "▲ melanoma" in captions
    assert "● vascular lesion" in captions


def test_the_audit_shows_its_verdict_then_every_planted_defect(show_dataset):
    app = show_dataset("Audit")
    page, audit = html(app), get_audit(app.session_state["opened-folder"])
    assert page.index(escape(audit.verdict)) < page.index("Label conflicts")
    assert "findings, most severe first" in page
    for finding in audit.findings:
        assert escape(finding.sentence) in page
    num_groups = {str(finding.kind): len(finding.groups) for finding in audit.findings}
    assert num_groups["label-conflicts"] == 2
    assert num_groups["shared-lesions"] == 1
    assert num_groups["exact-duplicates"] == 2
    assert num_groups["unreadable"] == 1
    assert "Affects labels: <strong>yes</strong>" in page
    assert "Inflates metrics: <strong>yes</strong>" in page


def test_a_manual_decision_changes_the_cleaned_table_and_can_be_undone(show_dataset):
    app = show_dataset("Audit")
    assert "59 files kept, 0 relabelled, 5 dropped" in html(app)
    folder = app.session_state["opened-folder"].folder
    path = str(folder / "Train" / "melanoma" / "drawn-026.jpg")
    assert Path(path).is_file()
    app.session_state[f"manual-decisions-{folder}"][path] = Diagnosis.MEL
    app.run()
    assert "60 files kept, 0 relabelled, 4 dropped" in html(app)
    app = click(app, "Undo last")
    assert "59 files kept" in html(app)


def test_the_latest_decision_on_a_file_is_last_and_replaces_the_earlier_one():
    st.session_state["num-decisions"] = 0
    manual_decisions = {"/b": Action.KEEP, "/c": Action.DROP}
    changes = {0: {"decision": "MEL"}, 1: {"decision": "drop"}, 2: {"decision": "automatic"}}
    st.session_state["editor"] = {"edited_rows": changes}
    _decide("editor", ["/a", "/b", "/c"], manual_decisions)
    assert list(manual_decisions.items()) == [("/a", Diagnosis.MEL), ("/b", Action.DROP)]


def test_the_gallery_shows_a_page_of_images_and_opens_one_with_its_details(show_dataset):
    app = show_dataset("Gallery")
    assert sum(button.label == "Open" for button in app.button) == 24
    app = click(app, "Open")
    page = html(app)
    assert "<dt>SHA-256</dt>" in page
    assert "In the cleaned table" in page
    app = click(app, "Back to gallery")
    assert sum(button.label == "Open" for button in app.button) == 24


def test_the_gallery_steps_through_what_it_shows_and_keeps_its_page(show_dataset):
    app = show_dataset("Gallery")
    app.session_state["gallery-3"] = 2
    app.run()
    assert app.query_params["page"] == "2"
    names = re.findall(r"(drawn-\d+\.jpg)</p>", html(app))
    app = click(app, "Open")
    assert app.query_params["image"].endswith(names[0])
    assert "Image 25 of 64" in [caption.value for caption in app.caption]
    app = click(app, "Next")
    assert app.query_params["image"].endswith(names[1])
    app = click(click(app, "Previous"), "Previous")  # the last one of the page before
    assert "Image 24 of 64" in [caption.value for caption in app.caption]
    app = click(app, "Back to gallery")
    assert "page" not in app.query_params
    assert "image" not in app.query_params


def test_an_address_has_folder_tab_filters_and_image(open_dashboard, drawn, monkeypatch):
    monkeypatch.setenv("MELANOMA_DATA_DIR", str(drawn.parent))
    image = sorted((drawn / "Train" / "nevus").iterdir())[0]
    app = open_dashboard()
    app.query_params["folder"] = "drawn (class folders)"
    app.query_params["tab"] = "Gallery"
    app.query_params["subset"] = ["test", "nowhere"]
    app.query_params["image"] = f"Train/nevus/{image.name}"
    app.switch_page("dataset/page.py").run()
    assert not app.exception
    assert app.session_state["opened-folder"].folder == drawn.resolve()
    assert "<dt>SHA-256</dt>" in html(app)
    assert f"<br>{image.name}</p>" in html(app)
    app = click(app, "Back to gallery")
    assert "11 images" in [caption.value for caption in app.caption]
    assert app.query_params["subset"] == "test"


def test_a_link_does_not_open_a_folder_that_no_person_entered(open_dashboard, tmp_path):
    app = open_dashboard()
    app.query_params["path"] = str(tmp_path / "<b>")
    app.switch_page("dataset/page.py").run()
    assert f"asks to open the folder <code>{tmp_path}/&lt;b&gt;</code>" in html(app)
    assert "Found no folder" not in html(app)
    app = click(app, "Open this folder")
    assert "Found no folder" in html(app)


def test_an_image_of_the_gallery_is_read_with_the_network(show_dataset):
    app = click(click(show_dataset("Gallery"), "Open"), "Read this photograph with the network")
    assert [title.value for title in app.title] == ["Reading"]
    name = show_dataset("Gallery").session_state["opened-folder"].records["path"].iloc[0].name
    assert name in html(app)


def test_the_gallery_filters_by_class_and_by_finding(show_dataset):
    app = show_dataset("Gallery")
    by_label = {widget.label: widget for widget in app.multiselect}
    by_label["Original label"].set_value(["melanoma"]).run()
    assert not app.exception
    assert "9 images" in [caption.value for caption in app.caption]
    (finding,) = (box for box in app.selectbox if box.label == "Finding")
    finding.set_value("label-conflicts").run()
    assert "1 image" in [caption.value for caption in app.caption]


def test_the_split_shows_that_no_group_is_divided(show_dataset):
    app = show_dataset("Split")
    assert "<strong>0</strong> of 39 groups have images in more than one subset" in html(app)
    leakage = html(app).partition("Must stay together")[2]
    assert leakage.count("<td>0</td></tr>") == 5  # divided: none of each kind
    assert "groups (all of the above)</th><td>39</td>" in leakage


def test_the_shares_of_the_split_can_be_set(show_dataset):
    app = show_dataset("Split")
    (switch,) = (each for each in app.toggle if each.label == "Set the shares")
    switch.set_value(True).run()
    sliders = {each.label: each for each in app.slider}
    sliders["Validation share (%)"].set_value(30)
    sliders["Test share (%)"].set_value(20)
    app.run()
    assert not app.exception
    nevus = re.search(r"● nevus</th>(.*?)</tr>", html(app))[1]
    train, validation, test, total = map(int, re.findall(r"\d+", nevus))
    assert train + validation + test == total
    assert validation / total == pytest.approx(0.3, abs=0.05)


def test_another_seed_gives_another_split(show_dataset):
    app = show_dataset("Split")
    before = html(app)
    (seed,) = (box for box in app.sidebar.number_input if box.label == "Split seed")
    seed.set_value(1).run()
    assert html(app) != before


def test_class_weights_are_shown_as_a_table(show_dataset):
    app = show_dataset("Balancing")
    app.radio(key="balancing").set_value("class-weights").run()
    assert not app.exception
    rows = re.findall(r"<td>(\d+)</td><td>([\d.]+)</td>", html(app))
    counts = [int(count) for count, _ in rows]
    weighted = [int(count) * float(weight) for count, weight in rows]
    assert len(rows) == 8
    assert weighted == pytest.approx([sum(counts) / 8] * 8, rel=1e-2)


def test_oversampling_is_previewed_and_then_written_to_its_own_folder(show_dataset, tmp_path):
    app = show_dataset("Balancing")
    app.radio(key="balancing").set_value("oversampling").run()
    assert not app.exception
    (target,) = (box for box in app.number_input if box.label == "Minimum images per class")
    target.set_value(4).run()
    (folder,) = (box for box in app.text_input if box.label == "Output folder")
    assert not Path(folder.value).is_relative_to(app.session_state["opened-folder"].folder)
    folder.set_value(str(tmp_path / "new")).run()
    (create,) = (button for button in app.button if button.label.startswith("Create "))
    expected = int(create.label.split()[1])
    app = click(app, create.label)
    assert len(list((tmp_path / "new").glob("*/*.jpg"))) == expected
    assert (tmp_path / "new" / "manifest.csv").is_file()
    assert any(f"Created {expected} images in" in caption.value for caption in app.caption)


def test_an_output_folder_inside_the_dataset_is_refused(show_dataset, drawn):
    app = show_dataset("Balancing", drawn)
    app.radio(key="balancing").set_value("oversampling").run()
    (folder,) = (box for box in app.text_input if box.label == "Output folder")
    folder.set_value(str(drawn / "new")).run()
    (create,) = (button for button in app.button if button.label.startswith("Create "))
    app = click(app, create.label)
    assert "Synthetic images need a folder of their own" in html(app)
    assert not (drawn / "new").exists()


def test_simulated_oversampling_before_the_split_counts_parents_in_train(show_dataset):
    app = show_dataset("Balancing")
    app.radio(key="balancing").set_value("oversampling").run()
    (switch,) = (each for each in app.toggle if each.label.startswith("Simulate"))
    switch.set_value(True).run()
    assert "validation images are augmented copies of an image in train" in html(app)


def test_augmentation_without_any_operation_is_an_error(show_dataset):
    app = show_dataset("Balancing")
    app.radio(key="balancing").set_value("oversampling").run()
    app.toggle(key="flip").set_value(False)
    app.slider(key="rotation").set_value(0)
    app.slider(key="zoom").set_value(0.0)
    app.run()
    assert not app.exception
    assert "Found every operation disabled" in html(app)


def test_a_missing_folder_is_an_error_on_a_page_that_still_works(show_dataset, tmp_path):
    app = show_dataset("Overview", tmp_path / "nowhere")
    assert "Found no folder at" in html(app)
    assert 'class="error"' in html(app)
    assert not app.get("progress")
    assert "Cancel" not in [button.label for button in app.button]


def test_an_empty_folder_is_an_error(show_dataset, tmp_path):
    assert 'class="error"' in html(show_dataset("Overview", tmp_path))


def test_one_class_with_one_image_is_shown_but_cannot_be_split(show_dataset, tmp_path):
    folder = tmp_path / "one" / "nevus"
    folder.mkdir(parents=True)
    Image.effect_noise((90, 80), 60).convert("RGB").save(folder / "only.jpg")
    app = show_dataset("Overview", folder.parent)
    assert "Found 1 of the eight diagnoses" in html(app)
    for view in ("Gallery", "Audit"):
        assert 'class="error"' not in html(open_view(app, view))
    assert "lesions to split" in html(open_view(app, "Split"))


def test_html_in_a_file_name_is_escaped(show_dataset, tmp_path):
    folder = tmp_path / "hostile" / "nevus"
    folder.mkdir(parents=True)
    Image.effect_noise((90, 80), 60).convert("RGB").save(folder / "<img src=x>\n**b**.jpg")
    app = show_dataset("Gallery", folder.parent)
    assert "<img src=x>" not in html(app)
    assert "&lt;img src=x&gt;" in html(app)


def test_a_public_server_refuses_paths_outside_the_data_directory(show_dataset, drawn, monkeypatch):
    monkeypatch.setattr("dashboard.shared.folder.is_local", lambda: False)
    assert "only opens folders in its data directory" in html(show_dataset("Overview", drawn))
    monkeypatch.setenv("MELANOMA_DATA_DIR", str(drawn))
    assert "is outside of the data directory" in html(show_dataset("Overview", drawn.parent))
    assert 'class="error"' not in html(show_dataset("Overview", drawn))


def test_the_folders_under_the_data_directory_can_be_chosen(show_dataset, drawn, monkeypatch):
    monkeypatch.setenv("MELANOMA_DATA_DIR", str(drawn.parent))
    app = show_dataset()
    assert app.sidebar.selectbox[0].options == ["Demonstration (drawn)", "drawn (class folders)"]
    app.sidebar.selectbox[0].set_value("drawn (class folders)").run()
    assert not app.exception
    assert app.session_state["opened-folder"].folder == drawn.resolve()


def test_a_changed_folder_is_scanned_again_on_request(show_dataset, drawn):
    app = show_dataset("Overview", drawn)
    (drawn / "Train" / "nevus" / "drawn-902.jpg").unlink()
    assert "Files: 64," in html(app.run())
    assert "Files: 63," in html(click(app, "Rescan"))


def test_a_cancelled_scan_can_be_continued(show_dataset, drawn):
    app = show_dataset("Overview", drawn)
    app.session_state[f"cancelled-{drawn.resolve()}"] = True
    app = click(app, "Rescan")
    assert "Scan cancelled" in html(app)
    app = click(app, "Continue the scan")
    assert "Files: 64," in html(app)


def test_collections_must_be_numbers(show_dataset):
    app = show_dataset("Get data")
    app.text_input(key="archive-collections").set_value("HAM10000")
    app = click(app, "Search the archive")
    assert "Collections are selected by number" in html(app)


@pytest.fixture
def archive(drawn, monkeypatch):
    """Serve a stand-in for the ISIC Archive with one image."""
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
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("MELANOMA_ARCHIVE_URL", f"http://127.0.0.1:{server.server_port}/api/v2/")
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("archive")
def test_a_download_first_shows_its_size_and_licences_and_then_writes_the_image(
    show_dataset, tmp_path
):
    app = show_dataset("Get data")
    app.text_input(key="archive-folder").set_value(str(tmp_path / "new"))
    app = click(app, "Search the archive")
    assert "1 images, 0.0 MB" in html(app)
    assert app.dataframe[0].value.to_dict("records") == [{"Licence": "CC-BY-NC", "Images": 1}]
    assert not (tmp_path / "new").exists()
    app = click(app, "Start download")
    assert "1 images downloaded" in html(app)
    assert (tmp_path / "new" / "ISIC_0000001.jpg").is_file()
    app = click(app, "Open folder")
    assert app.session_state["opened-folder"].folder == (tmp_path / "new").resolve()
    for view in VIEWS:  # with a diagnosis outside the eight
        open_view(app, view)


@pytest.mark.parametrize(
    "mark", [*map(chr, range(0x202A, 0x202F)), "\u2066", "\u2069", "\n", "\x1b"]
)
def test_a_control_character_in_a_file_name_is_shown_as_a_space(mark, tmp_path):
    path = f"{tmp_path}/exe{mark}gpj.png"
    row = {"path": path, "label": None, "name": None, "subset": None, "action": "keep"}
    assert "<br>exe gpj.png</p>" in render_file(row)
    assert f"<dd>{tmp_path}/exe gpj.png</dd>" in render_file_facts(row, [])
    assert _make_relative(path, SimpleNamespace(folder=tmp_path)) == "exe gpj.png"


def test_every_kind_of_finding_has_a_title():
    assert FINDING_TITLES.keys() == set(FindingKind)


def test_missing_details_of_a_file_are_shown_as_unknown():
    row = {"path": "/a/b.jpg", "label": None, "name": None, "subset": float("nan")}
    assert "no label" in render_file(row)
    facts = render_file_facts(row | {"action": "drop"}, [])
    assert facts.count("<dd>unknown</dd>") == 22
    assert "<dt>Findings</dt><dd>none</dd>" in facts


@pytest.fixture
def two_classes(tmp_path: Path) -> Path:
    """Return a folder of which only risk tiers are known."""
    for number in range(30):
        place = tmp_path / "two" / ("malignant" if number % 3 == 0 else "benign")
        place.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(number).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((120, 90), Image.Resampling.BICUBIC)
        picture.save(place / f"{number:02}.png")
    return tmp_path / "two"


def test_every_tab_shows_a_folder_of_two_classes(show_dataset: Show, two_classes: Path):
    app = show_dataset("Overview", two_classes)
    assert "of which 30 name a risk tier" in html(app)
    assert "There are 2.0 images of benign lesions for each image of malignant" in html(app)
    app = open_view(app, "Audit")
    assert "Labels of a risk tier alone" in html(app)
    assert "a network trained on it knows tiers alone" in html(app)
    app = open_view(app, "Split")
    totals = re.findall(r'<th scope="row">(. \w+ lesion)</th>.*?<td>(\d+)</td></tr>', html(app))
    assert totals == [("● benign lesion", "20"), ("▲ malignant lesion", "10")]
    for view in ("Gallery", "Balancing"):
        app = open_view(app, view)
