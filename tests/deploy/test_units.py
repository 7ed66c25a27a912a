"""The units of systemd are valid and hardened, and hold the settings that the software knows."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from melanoma_core.settings import PROJECT_ROOT, SETTINGS
from tests.conftest import need

DEPLOY = PROJECT_ROOT / "deploy"
SERVICES = ("melanoma.service", "melanoma-backup.service")
MOST_EXPOSED = 20  # of 100, in tenths of systemd's own scale; a unit without settings has 96


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units with the Python of these tests, since theirs is not installed here."""
    need(shutil.which("systemd-analyze") is not None, "there is no systemd-analyze")
    folder = tmp_path_factory.mktemp("units")
    for path in DEPLOY.glob("melanoma*.*"):
        text = path.read_text().replace("/opt/melanoma/.venv/bin/python", sys.executable)
        (folder / path.name).write_text(text)
    return folder


def test_systemd_understands_every_line(units: Path):
    paths = sorted(map(str, units.iterdir()))
    command = ["systemd-analyze", "verify", "--man=no", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert len(paths) == 3
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardly_exposed(units: Path, name: str):
    threshold = f"--threshold={MOST_EXPOSED}"
    command = ["systemd-analyze", "security", "--offline=true", threshold, str(units / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_only_its_data_can_be_written_and_no_memory_reaches_a_disk(name: str):
    lines = (DEPLOY / name).read_text().splitlines()

    assert "ProtectSystem=strict" in lines
    assert "User=melanoma" in lines
    assert "LimitCORE=0" in lines
    assert any(line.startswith("MemoryMax=") for line in lines)
    writable = [line for line in lines if line.startswith("ReadWritePaths=")]
    assert writable == ([] if name == SERVICES[0] else ["ReadWritePaths=/var/backups/melanoma"])


def test_the_environment_sets_every_folder_and_names_no_setting_that_there_is_not():
    lines = (DEPLOY / "environment").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    known = {setting.variable for setting in SETTINGS}
    named = {name for name in values if name.startswith("MELANOMA_")}

    assert named - known == {"MELANOMA_HOST"}
    assert {name for name in known if name.endswith("_DIR")} - named == {"MELANOMA_WEIGHTS_DIR"}
    folders = [value for value in values.values() if value.startswith("/")]
    assert all(re.match(r"/var/(lib|cache)/melanoma", folder) for folder in folders)
