import ast
from pathlib import Path

import pytest

from melanoma_core.settings import ASSETS, PROJECT_ROOT, load_settings


def test_without_any_variable_models_lie_in_the_project_and_none_is_named(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delenv("MELANOMA_MODELS_DIR", raising=False)
    monkeypatch.delenv("MELANOMA_MODEL", raising=False)

    settings = load_settings()

    assert settings.models_dir == PROJECT_ROOT / "models"
    assert settings.model is None


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MELANOMA_MODELS_DIR", "")
    monkeypatch.setenv("MELANOMA_MODEL", "")

    settings = load_settings()

    assert settings.models_dir == PROJECT_ROOT / "models"
    assert settings.model is None


def test_the_environment_is_read_afresh_at_each_call(monkeypatch: pytest.MonkeyPatch):
    for name in ("one", "other"):
        monkeypatch.setenv("MELANOMA_MODELS_DIR", f"/somewhere/{name}")
        monkeypatch.setenv("MELANOMA_MODEL", name)

        assert load_settings().models_dir == Path("/somewhere") / name
        assert load_settings().model == name


def test_the_assets_are_those_of_the_checkout():
    assert (ASSETS.parent / "pyproject.toml").is_file()


def test_no_other_module_reads_the_environment():
    readers = set()
    for package in ("melanoma_core", "dashboard"):
        for path in sorted((PROJECT_ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
                    readers.add(path.relative_to(PROJECT_ROOT).as_posix())

    assert readers == {"melanoma_core/settings.py"}
