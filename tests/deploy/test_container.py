"""What the container holds is there, and its command runs where only its volume is written to."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from melanoma_core.settings import PROJECT_ROOT, SETTINGS
from tests.dashboard.servers import Server, find_port, wait_until_up
from tests.lint.repository import list_files

FILE = (PROJECT_ROOT / "deploy" / "Containerfile").read_text("utf-8")


def list_copied() -> list[str]:
    """Return what is copied out of the checkout."""
    lines = re.findall(r"^COPY (?!--from)(.*) \S+$", FILE, re.M)
    return [name for line in lines for name in line.split()]


def read_environment() -> dict[str, str]:
    return dict(re.findall(r"^ENV (\w+)=(.*)$", FILE, re.M))


def test_everything_that_is_copied_is_committed_and_not_ignored():
    committed = {path.relative_to(PROJECT_ROOT).parts[0] for path in list_files()}
    ignored = (PROJECT_ROOT / "deploy" / "Containerfile.dockerignore").read_text().splitlines()

    assert set(list_copied()) <= committed
    assert {f"!{name}" for name in list_copied()} == {each for each in ignored if each[0] == "!"}


def test_every_folder_is_in_the_volume():
    environment = read_environment()
    folders = {name for name in environment if name.startswith("MELANOMA_")}

    assert folders <= {setting.variable for setting in SETTINGS}
    assert all(environment[name].startswith("/data/") for name in folders)
    assert "USER melanoma" in FILE.splitlines()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The files of the image, and a volume without anything in it."""
    folder = tmp_path / "image"
    names = [path.relative_to(PROJECT_ROOT) for path in list_files()]
    for name in names:
        if name.parts[0] in list_copied():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(PROJECT_ROOT / name, folder / name)
    (tmp_path / "data").mkdir(mode=0o700)
    return folder


@pytest.fixture
def server(image: Path, tmp_path: Path) -> Iterator[Server]:
    data = str(tmp_path / "data")
    environment = {name: each.replace("/data", data) for name, each in read_environment().items()}
    (command,) = re.findall(r"^CMD (\[.*\])$", FILE, re.M)
    port = find_port()
    options = [str(port) if each == "8501" else each for each in json.loads(command)]
    process = subprocess.Popen(
        [sys.executable, "-m", *options, "--readers", "1", "--allow-anonymous"],
        cwd=image,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], **environment},
    )
    server = Server(port, process)
    try:
        wait_until_up(server)
        yield server
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_it_serves_and_writes_nothing_beside_its_volume(server: Server, image: Path):
    before = sorted(image.rglob("*"))
    (probe,) = re.findall(r'^HEALTHCHECK .* CMD \[".*", "-c", "(.*)"\]$', FILE, re.M)
    checked = probe.replace(":8501", f":{server.port}")

    assert subprocess.run([sys.executable, "-c", checked], check=False).returncode == 0
    assert requests.get(server.url, timeout=60).ok
    assert sorted(image.rglob("*")) == before
    server.process.terminate()
    assert server.process.wait() == 0
    failed = subprocess.run([sys.executable, "-c", checked], check=False, capture_output=True)
    assert failed.returncode == 1


@pytest.mark.slow
def test_it_refuses_to_serve_others_without_a_login(image: Path):
    (command,) = re.findall(r"^CMD (\[.*\])$", FILE, re.M)
    done = subprocess.run(
        [sys.executable, "-m", *json.loads(command)],
        cwd=image,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 2
    assert "Set up a login" in done.stderr
