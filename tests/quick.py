"""`make quick`: the tests that need neither a browser nor TensorFlow nor the real collections.

pytest loads this as a plugin, so that it also holds for the doctests of the package.
"""

import os
import sys
import tempfile
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent
# Left out: whole folders, tests with a mark, and tests that ask for real files.
_SLOW_FOLDERS = (
    _TESTS / "browser",
    _TESTS / "core" / "networks",
    _TESTS.parent / "melanoma_core" / "networks",
)
_SLOW_MARKS = {"tensorflow", "slow"}
_SLOW_FIXTURES = {"shared_data", "shared_weights"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="only tests that need neither a browser nor TensorFlow nor the real collections",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Give all test processes one cache, and a quick run no TensorFlow, in child processes too."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        cache = tempfile.TemporaryDirectory(prefix="melanoma-test-cache-")
        config.add_cleanup(cache.cleanup)
        os.environ["MELANOMA_CACHE_DIR"] = cache.name
    if config.getoption("--quick"):
        stub = str(_TESTS / "without_tensorflow")
        sys.path.insert(0, stub)
        paths = [stub, os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the slow folders out, whose modules import what takes seconds."""
    return True if config.getoption("--quick") and collection_path in _SLOW_FOLDERS else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave slow tests out."""
    if config.getoption("--quick"):
        slow = [item for item in items if _is_slow(item)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not _is_slow(item)]


def _is_slow(item: pytest.Item) -> bool:
    marks = {mark.name for mark in item.iter_markers()}
    return bool(marks & _SLOW_MARKS or _SLOW_FIXTURES & set(getattr(item, "fixturenames", ())))
