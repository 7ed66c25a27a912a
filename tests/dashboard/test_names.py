"""Names from outside, on every page: shown as they are, never as HTML, Markdown or a link."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from html import escape
from pathlib import Path

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.shared.markup import escape_markdown
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.runs.folder import find_folder
from melanoma_core.runs.record import open_record
from melanoma_core.runs.run import RunSpec, RunState
from melanoma_core.settings import load_settings
from melanoma_core.training.recipe import PRESETS
from tests.dashboard.children import wait_for_children
from tests.drawn_models import write_model

# A folder's name, so without a slash. What it would become: an image, an element, a link.
NAME = "![q](w)<b>q www.evil.example"
HOSTILE = ("![q](w)", "<b>q", "www.evil")
# Fields that the browser shows as they are.
PLAIN = {
    "alt",
    "default",
    "element_id",
    "file_name",
    "id",
    "options",
    "placeholder",
    "query_string",  # encoded
    "raw_value",
    "set_value",
    "url",
    "url_pathname",
    "value",
}


def list_texts(message: Message, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a message with the path of its field, such as "button.label"."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for each in values:
            if field.type == FieldDescriptor.TYPE_MESSAGE and isinstance(each, Message):
                yield from list_texts(each, f"{path}.{field.name}")
            elif field.type == FieldDescriptor.TYPE_STRING:
                yield f"{path}.{field.name}".lstrip("."), each


def check(app: AppTest) -> int:
    """Check every text of a page; return how often the name is there."""
    assert not app.exception
    count = 0
    for node in app._tree:
        if not hasattr(node, "proto") or not isinstance(node.proto, Message):
            continue
        for path, text in list_texts(node.proto, type(node.proto).__name__):
            count += "evil" in text
            if path.rpartition(".")[2] in PLAIN:
                continue
            if path.startswith(("Html.", "PlotlyChart.")):
                assert "<b>q" not in text, (path, text)
            else:
                rest = text.replace(escape_markdown(NAME), "")
                assert not any(part in rest for part in HOSTILE), (path, text)
    return count


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, tmp_path_factory, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path_factory.getbasetemp() / "names-cache"
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(cache))
    monkeypatch.setenv("MELANOMA_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    for name in ("MELANOMA_DATA_DIR", "MELANOMA_MODEL", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a dataset that is named so, with such a class, such files, a copy and a broken one."""
    folder = tmp_path / "data" / NAME
    monkeypatch.setenv("MELANOMA_DATA_DIR", str(tmp_path / "data"))
    for label in ("melanoma", "nevus", NAME):
        (folder / label).mkdir(parents=True)
        for number in range(8):
            pixels = Image.effect_noise((80, 80), 20 + number * 9 + len(label)).convert("RGB")
            pixels.save(folder / label / f"{NAME}{number}.png")
    shutil.copy(folder / "nevus" / f"{NAME}1.png", folder / "melanoma" / f"{NAME}9.png")
    (folder / "nevus" / f"{NAME}broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def test_files_on_the_reading_page(open_dashboard):
    app, photograph = open_dashboard(), DEMONSTRATION_LESIONS[0].path.read_bytes()
    files = [(f"{NAME}.jpg", photograph), (f"{NAME}2.jpg", photograph), (NAME, b"broken")]
    app.file_uploader[0].set_value([(name, data, "image/jpeg") for name, data in files]).run()

    assert check(app) >= 3  # twice in the worklist, once refused


@pytest.mark.parametrize("view", ["Overview", "Gallery", "Audit", "Split", "Balancing", "Get data"])
def test_folders_and_files_on_the_dataset_page(open_dashboard, folder: Path, view: str):
    app = open_dashboard().switch_page("dataset/page.py")
    app.session_state["dataset-view"] = view
    app.session_state["folder-path"] = str(folder)
    app.run()

    assert check(app) >= 2
    for button in [each for each in app.button if each.label == "Open"][:1]:
        assert check(button.click().run()) >= 2


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("path", ["", NAME, f"/{NAME}", f"{NAME}/none"])
def test_a_folder_that_cannot_be_opened(open_dashboard, path: str):
    app = open_dashboard().switch_page("dataset/page.py")
    app.session_state["folder-path"] = path
    app.run()

    assert check(app) >= 1


@pytest.mark.slow
def test_folders_and_files_on_the_evaluation_page(open_dashboard, folder: Path):
    app = open_dashboard().switch_page("evaluation/page.py").run()
    app.text_input(key="folder-path").set_value(str(folder)).run()
    app.selectbox(key="evaluated-subset").select("all").run()
    next(button for button in app.button if button.label == "Evaluate").click().run()
    assert check(app) >= 1
    wait_for_children("melanoma_core.assessment")

    assert check(app.run()) >= 2


@pytest.mark.parametrize("view", ["Runs", "Compare", "Study"])
def test_runs_and_their_data_on_the_training_page(open_dashboard, empty_store, view: str):
    settings = load_settings()
    settings.runs_dir.mkdir()
    shutil.copy(empty_store, settings.runs_dir)
    record = open_record(settings)
    spec = RunSpec(PRESETS["baseline"], ("MEL", NAME), NAME, {}, NAME)
    values = {key: str(value) for key, value in asdict(spec.recipe).items()} | {"name": NAME}
    tags = {"class_names": json.dumps(spec.class_names), "data_name": NAME, "study": NAME}
    run_id = ""
    # A study reads the predictions of finished runs, which are not here.
    ended = [] if view == "Study" else [RunState.FINISHED]
    for state in (RunState.FAILED, RunState.RUNNING, *ended):
        more = {"state": state, "error": NAME, "model_id": NAME, "progress": NAME}
        run_id = record.create(f"{NAME} http://evil.example/", values, tags | more)
        run_folder = find_folder(settings, run_id)
        run_folder.path.mkdir(parents=True)
        run_folder.log.write_text(f"2026-11-20 13:30:00 {NAME}\n", "utf-8")

    app = open_dashboard().switch_page("training/page.py")
    app.session_state["training-view"] = view
    app.query_params["run"] = run_id
    app.run()

    assert check(app) >= 1


@pytest.mark.parametrize("page", ["models", "evaluation", "reading"])
def test_the_texts_of_a_model_card(open_dashboard, monkeypatch, page: str):
    models = load_settings().models_dir
    path = write_model(models, "evil-model") / "card.json"
    card = json.loads(path.read_text("utf-8"))
    card["data"] |= {"licences": [NAME], "licence_of_the_model": NAME, "name": NAME, NAME: NAME}
    card["metrics"] |= {f"test/{NAME}": card["metrics"]["test"]}
    path.write_text(json.dumps(card), "utf-8")
    monkeypatch.setenv("MELANOMA_MODEL", "evil-model")

    app = open_dashboard()
    if page != "reading":
        app.switch_page(f"{page}/page.py").run()

    assert check(app) >= 1


def test_the_check_finds_what_is_not_escaped():
    script = "import streamlit as st\nst.{}({!r})"
    for kind, text in (("caption", NAME), ("html", f"<p>{NAME}</p>"), ("button", "www.evil.x")):
        with pytest.raises(AssertionError):
            check(AppTest.from_string(script.format(kind, text)).run())
    assert check(AppTest.from_string(script.format("html", f"<p>{escape(NAME)}</p>")).run()) == 1
    shown = escape_markdown(NAME)
    assert check(AppTest.from_string(script.format("caption", shown)).run()) == 1
