import ast
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from melanoma_core.settings import ASSETS, PROJECT_ROOT, Settings, load_settings

NAMES = (
    "MELANOMA_MODELS_DIR",
    "MELANOMA_MODEL",
    "MELANOMA_DATA_DIR",
    "MELANOMA_CACHE_DIR",
    "MELANOMA_ARCHIVE_URL",
)


def check_defaults(settings: Settings) -> None:
    assert settings.models_dir == PROJECT_ROOT / "models"
    assert settings.model is None
    assert settings.data_dir is None
    assert settings.cache_dir == user_cache_path("melanoma-dashboard")
    assert settings.archive_url == "https://api.isic-archive.com/api/v2/"


def test_without_any_variable_models_lie_in_the_project_and_no_data_is_named(
    monkeypatch: pytest.MonkeyPatch,
):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)

    check_defaults(load_settings())


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch):
    for name in NAMES:
        monkeypatch.setenv(name, "")

    check_defaults(load_settings())


def test_the_environment_is_read_afresh_at_each_call(monkeypatch: pytest.MonkeyPatch):
    for name in ("one", "other"):
        monkeypatch.setenv("MELANOMA_MODELS_DIR", f"/somewhere/{name}")
        monkeypatch.setenv("MELANOMA_MODEL", name)
        monkeypatch.setenv("MELANOMA_DATA_DIR", f"/data/{name}")
        monkeypatch.setenv("MELANOMA_CACHE_DIR", f"/cache/{name}")
        monkeypatch.setenv("MELANOMA_ARCHIVE_URL", f"https://{name}.example/")

        assert load_settings() == Settings(
            models_dir=Path("/somewhere") / name,
            model=name,
            data_dir=Path("/data") / name,
            cache_dir=Path("/cache") / name,
            archive_url=f"https://{name}.example/",
        )


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
