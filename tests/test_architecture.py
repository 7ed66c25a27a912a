"""Which modules may be long, and what their names may be; who imports whom is `make lint`."""

from pathlib import Path

from melanoma_core.settings import PROJECT_ROOT

MOST_LINES = 420


def walk(package: str) -> list[Path]:
    return sorted((PROJECT_ROOT / package).rglob("*.py"))


def test_no_module_is_a_drawer_for_everything():
    paths = [p for package in ("melanoma_core", "dashboard") for p in walk(package)]

    assert not {"utils", "helpers", "manager", "common", "misc"} & {path.stem for path in paths}
    long = {p.name for p in paths if len(p.read_text("utf-8").splitlines()) > MOST_LINES}
    assert long == set()
