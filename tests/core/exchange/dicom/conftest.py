"""A drawn lesion with its reading in a record, and real nodes on loopback."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from melanoma_core.exchange.dicom.files import DicomFile
from melanoma_core.exchange.dicom.leaving import make_lesion_files
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.ai_readings import ReadingRequest, read_lesion
from melanoma_core.records.loop import FirstRead
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder
from melanoma_core.settings import load_settings
from tests.conftest import need
from tests.drawn_record import add_drawn_lesion

_SECONDS = 30


@dataclass(frozen=True)
class ReadLesion:
    """A lesion of two drawn photographs that was read first by a doctor, then by the model."""

    record: Record
    id: str
    visit_id: str

    def make_files(self) -> tuple[DicomFile, ...]:
        case = self.record.load_case(self.id)
        return make_lesion_files(self.record, case, load_settings())


@dataclass(frozen=True)
class StoreScp:
    """dcmtk's storescp, and where it keeps what it gets."""

    address: str
    folder: Path

    def list_files(self) -> list[Path]:
        return sorted(self.folder.iterdir())


@dataclass(frozen=True)
class Orthanc:
    """A real Orthanc with its DICOMweb plugin."""

    dimse: str
    web: str
    rest: str

    def list_instances(self) -> list[str]:
        with urllib.request.urlopen(f"{self.rest}/instances") as answer:
            return list(json.load(answer))

    def read(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.rest}{path}") as answer:
            return bytes(answer.read())


@pytest.fixture(scope="module")
def lesion(tmp_path_factory: pytest.TempPathFactory) -> Generator[ReadLesion, None, None]:
    record = Record.create(tmp_path_factory.mktemp("dicom") / "record", "ada")
    drawn = add_drawn_lesion(record, places=(0, 1))
    case = record.load_case(drawn.lesion_id)
    request = ReadingRequest(
        lesion_id=drawn.lesion_id,
        visit_id=drawn.visit_id,
        photographs={p.id: record.images.read(p.value.sha256) for p in case.photographs},
        app_version="1.2.3",
        is_drawn=True,
    )
    first = FirstRead(
        lesion_id=drawn.lesion_id,
        visit_id=drawn.visit_id,
        opinion=Opinion.MEL,
        melanoma_probability=0.5,
        management=Management.EXCISION,
        order=ReadOrder.DOCTOR_FIRST,
        seconds=12.0,
    )
    with record.write(by="dr.a") as change:
        change.add(first)
        change.add(
            read_lesion(
                load_classifier(BUNDLED), request, lambda data: record.images.put(data).sha256
            )
        )
    yield ReadLesion(record, drawn.lesion_id, drawn.visit_id)
    record.close()


@pytest.fixture(scope="module")
def files(lesion: ReadLesion) -> dict[str, DicomFile]:
    """The files of the lesion, by their names."""
    return {file.name: file for file in lesion.make_files()}


@pytest.fixture
def written(files: dict[str, DicomFile], tmp_path: Path) -> dict[str, Path]:
    """The files of the lesion on a disk, by their names."""
    paths = {name: tmp_path / name for name in files}
    for name, path in paths.items():
        path.write_bytes(files[name].encode())
    return paths


@pytest.fixture
def storescp(tmp_path: Path) -> Generator[StoreScp, None, None]:
    folder = tmp_path / "stored"
    folder.mkdir()
    port = find_port()
    options = ["--aetitle", "PACS", "--output-directory", str(folder), "--accept-all"]
    with running("storescp", [*options, str(port)], port):
        yield StoreScp(f"dicom://PACS@127.0.0.1:{port}", folder)


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Generator[Orthanc, None, None]:
    folder = tmp_path_factory.mktemp("orthanc")
    dimse, web = find_port(), find_port()
    configuration = configure_orthanc(folder, dimse, web)
    with running("Orthanc", [str(configuration)], web):
        rest = f"http://127.0.0.1:{web}"
        yield Orthanc(f"dicom://ORTHANC@127.0.0.1:{dimse}", f"{rest}/dicom-web", rest)


def configure_orthanc(folder: Path, dimse: int, web: int, **more: object) -> Path:
    """Write the configuration of an Orthanc, and return its file."""
    plugin = next(Path("/usr/share/orthanc/plugins").glob("*DicomWeb*"), None)
    need(plugin is not None, "the DICOMweb plugin of Orthanc is not installed")
    configuration: dict[str, object] = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "DicomAet": "ORTHANC",
        "DicomPort": dimse,
        "HttpPort": web,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [str(plugin)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "OverwriteInstances": False,
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(configuration | more))
    return path


class running:  # noqa: N801 - used as a function
    """Run a server on loopback for a `with` statement; skip where its program is missing."""

    def __init__(self, program: str, options: list[str], port: int) -> None:
        path = shutil.which(program) or shutil.which(f"/usr/sbin/{program}")
        need(path is not None, f"{program} is not installed")
        assert path is not None
        self._command, self._port = [path, *options], port

    def __enter__(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.05)
        self._process.kill()
        pytest.fail(f"{self._command[0]} did not start")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=_SECONDS)


def find_port() -> int:
    """Return a TCP port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_tool(program: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool of dcmtk or dicom3tools; skip where it is missing."""
    path = shutil.which(program)
    need(path is not None, f"{program} is not installed")
    return subprocess.run(
        [str(path), *map(str, options)], capture_output=True, text=True, check=False
    )
