import ast
from dataclasses import replace
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from melanoma_core.errors import SettingsError
from melanoma_core.settings import (
    ASSETS,
    PROJECT_ROOT,
    Settings,
    load_settings,
    make_environment,
)

NAMES = (
    "MELANOMA_MODELS_DIR",
    "MELANOMA_MODEL",
    "MELANOMA_DATA_DIR",
    "MELANOMA_CACHE_DIR",
    "MELANOMA_ARCHIVE_URL",
    "MELANOMA_RUNS_DIR",
    "MELANOMA_MAX_RUNS",
    "MELANOMA_WEIGHTS_DIR",
    "MLFLOW_TRACKING_URI",
    "MELANOMA_SENSITIVITY_MARGIN",
    "MELANOMA_SPECIFICITY_MARGIN",
)


def check_defaults(settings: Settings) -> None:
    assert settings.models_dir == PROJECT_ROOT / "models"
    assert settings.model is None
    assert settings.data_dir is None
    assert settings.cache_dir == user_cache_path("melanoma-dashboard")
    assert settings.archive_url == "https://api.isic-archive.com/api/v2/"
    assert settings.runs_dir == PROJECT_ROOT / "runs"
    assert settings.max_runs == 1
    assert settings.weights_dir is None
    assert (settings.sensitivity_margin, settings.specificity_margin) == (0.05, 0.10)
    assert settings.tracking_uri == f"sqlite:///{PROJECT_ROOT.as_posix()}/runs/mlflow.db"


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
        monkeypatch.setenv("MELANOMA_RUNS_DIR", f"/runs/{name}")
        monkeypatch.setenv("MELANOMA_MAX_RUNS", "2")
        monkeypatch.setenv("MELANOMA_WEIGHTS_DIR", f"/weights/{name}")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://{name}.example/mlflow")

        assert load_settings() == Settings(
            models_dir=Path("/somewhere") / name,
            model=name,
            data_dir=Path("/data") / name,
            cache_dir=Path("/cache") / name,
            archive_url=f"https://{name}.example/",
            runs_dir=Path("/runs") / name,
            max_runs=2,
            weights_dir=Path("/weights") / name,
            tracking_uri=f"https://{name}.example/mlflow",
        )


@pytest.mark.parametrize("text", ["two", "0", "-1", "1.5"])
def test_a_number_of_runs_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("MELANOMA_MAX_RUNS", text)

    with pytest.raises(SettingsError, match=f'Found MELANOMA_MAX_RUNS="{text}"'):
        load_settings()


def test_a_process_can_be_given_the_same_settings(monkeypatch: pytest.MonkeyPatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    settings = replace(load_settings(), runs_dir=Path("/runs"), max_runs=3, model="one")

    environment = make_environment(settings)

    assert environment["PATH"]  # and all else
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


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


@pytest.mark.parametrize("text", ["five", "-0.1", "1.5", "nan"])
def test_a_margin_that_is_no_share_is_refused(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("MELANOMA_SENSITIVITY_MARGIN", text)

    with pytest.raises(SettingsError, match=r"It must be a share from 0 to 1, as 0\.05"):
        load_settings()
