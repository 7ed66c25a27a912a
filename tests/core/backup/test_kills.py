"""A backup or a restore that is killed leaves nothing that looks complete, and can be repeated."""

import subprocess
import sys
from pathlib import Path

import pytest

from melanoma_core.backup.restoring import restore_backup
from melanoma_core.backup.writing import write_backup
from melanoma_core.records.errors import NoRecordError
from melanoma_core.records.store import Record
from melanoma_core.settings import PROJECT_ROOT
from tests.core.backup.conftest import MODEL, name_places, set_up

pytestmark = pytest.mark.slow

NUMBERS = {"backup": (1, 4, 8), "extract": (1, 4, 8), "move": (1, 2, 3, 4, 5, 6)}


def run_killed(action: str, folder: Path) -> None:
    module = [sys.executable, "-m", "tests.core.backup.killed"]
    command = [*module, action, str(folder), *map(str, NUMBERS[action])]
    subprocess.run(command, cwd=PROJECT_ROOT, check=True)


def test_a_killed_backup_is_not_there_and_the_next_one_is_whole(tmp_path: Path):
    server = set_up(tmp_path / "server")
    run_killed("backup", tmp_path)

    assert list(tmp_path.glob("[!.]*.zip")) == []
    write_backup(server, tmp_path / "1.zip", "root")
    restored = restore_backup(name_places(tmp_path / "again"), tmp_path / "1.zip")
    assert restored.verification is not None
    assert restored.verification.faults == ()
    assert list(tmp_path.glob(".draft-*")) == []  # what the killed ones had left


@pytest.mark.parametrize("action", ["extract", "move"])
def test_a_killed_restore_leaves_no_record_and_the_next_one_is_whole(tmp_path: Path, action: str):
    write_backup(set_up(tmp_path / "server"), tmp_path / "whole.zip", "root")
    run_killed(action, tmp_path)

    for number in NUMBERS[action]:
        settings = name_places(tmp_path / str(number))
        assert settings.record is not None
        with pytest.raises(NoRecordError):
            Record.open(settings.record)
        restored = restore_backup(settings, tmp_path / "whole.zip")
        assert restored.verification is not None
        assert restored.verification.faults == ()
        assert (settings.models_dir / "m1" / "model.onnx").read_bytes() == MODEL
        assert not list((tmp_path / str(number)).rglob(".restoring"))
