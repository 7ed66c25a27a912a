"""What every test may ask for."""

import gc
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from melanoma_core.runs.record import open_record
from melanoma_core.settings import PROJECT_ROOT, load_settings

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

TESTS = Path(__file__).parent
# The command line as a terminal starts it. Where the tests run in the background, Ctrl-C is
# ignored, and so it would be by all that they start.
COMMAND_LINE = (
    sys.executable,
    "-c",
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('melanoma_core', run_name='__main__', alter_sys=True)",
)


# Files that take a minute or more begin first: the last of them would keep one core waiting.
LONGEST = (
    "browser/test_training_page",
    "core/cli/test_training",
    "core/cli/test_study",
    "core/runs/test_control",
    "browser/test_reading_page",
    "core/networks/test_gradients",
    "browser/test_models_page",
    "core/networks/test_export",
    "core/runs/test_worker",
    "core/data/test_cleaning",  # reads the real collections, for which all others would wait
)


@pytest.fixture(scope="module", autouse=True)
def frozen_objects() -> None:
    """Exempt what is there from garbage collection.

    Streamlit collects after each run of a page, which takes ten times as long where TensorFlow was
    imported.
    """
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first, each with its tests in their order."""
    rank = {name: position for position, name in enumerate(LONGEST)}

    def find_rank(item: pytest.Item) -> int:
        name = os.path.relpath(item.path.with_suffix(""), TESTS).replace(os.sep, "/")
        return rank.get(name, len(rank))

    items.sort(key=find_rank)


def need(present: bool, reason: str) -> None:
    """Skip the test where a real part is missing; fail instead on CI, where all must be there."""
    if present:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real images, beside the checkout; never part of it."""
    folder = PROJECT_ROOT.parent / "shared" / "data"
    need(folder.is_dir(), f"the real images are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """File of MobileNetV2's ImageNet weights, beside the checkout; never part of it."""
    name = "mobilenet_v2_1.0_224_no_top.weights.h5"
    path = PROJECT_ROOT.parent / "shared" / "weights" / name
    need(path.is_file(), f"the ImageNet weights are not at {path}")
    return path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without runs, to be copied: to make one takes seconds."""
    folder = tmp_path_factory.mktemp("store")
    file = folder / "mlflow.db"
    open_record(replace(load_settings(), runs_dir=folder, tracking_uri=f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def playwright() -> "Iterator[Playwright]":
    """Playwright, once for all tests of a process: a second one cannot start beside it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started
