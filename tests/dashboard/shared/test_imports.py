"""What a fresh process imports while the pages are opened one after another."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.settings import PROJECT_ROOT

pytestmark = pytest.mark.slow

FRESH = """
import sys
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

ContextProxy.headers = {"host": "localhost:8501"}  # as a browser at this machine sends it
ContextProxy.cookies = {}

def print_imported(*names):
    print(sorted(name for name in names if name in sys.modules))

import dashboard.dataset.audit, dashboard.dataset.balance, dashboard.dataset.download
import dashboard.dataset.gallery, dashboard.dataset.overview, dashboard.dataset.split
print_imported("pandas", "scipy", "sklearn")  # plotly comes with Streamlit

app_file, lesion, folder = sys.argv[1:]
app = AppTest.from_file(app_file, default_timeout=60).run()
assert [title.value for title in app.title] == ["Reading"]
print_imported("onnxruntime", "pandas", "scipy")

app.file_uploader[0].set_value(("lesion.jpg", open(lesion, "rb").read(), "image/jpeg")).run()
assert len(app.session_state["worklist"].entries) == 1
app.session_state["folder-path"] = folder
for page in ("models", "evaluation", "training", "dataset"):
    app.switch_page(f"{page}/page.py").run()
    assert [title.value for title in app.title] == [page.capitalize()]
    assert not app.exception, page
print_imported("keras", "tensorflow", "tf_keras_vis")
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """Return what a fresh process prints about its imported modules."""
    work = tmp_path_factory.mktemp("fresh")
    folder = work / "images" / "nevus"
    folder.mkdir(parents=True)
    Image.effect_noise((90, 80), 60).convert("RGB").save(folder / "only.png")
    places = {
        f"MELANOMA_{name}_DIR": str(work / name.lower()) for name in ("CACHE", "RUNS", "MODELS")
    }
    arguments: list[str | Path] = [
        PROJECT_ROOT / "dashboard" / "navigation.py",
        DEMONSTRATION_LESIONS[0].path,
        folder.parent,
    ]
    finished = subprocess.run(
        [sys.executable, "-c", FRESH, *map(str, arguments)],
        cwd=PROJECT_ROOT,
        env=os.environ | places,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()


def test_the_modules_of_the_dataset_page_import_no_table_library(imported):
    assert imported[0] == "[]"


def test_the_first_page_is_painted_without_the_libraries_of_a_reading(imported):
    assert imported[1] == "[]"


def test_no_page_and_no_reading_imports_tensorflow(imported):
    assert imported[2] == "[]"
