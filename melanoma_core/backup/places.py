"""What a backup holds: where each part of it is on this server."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from melanoma_core.errors import BackupError
from melanoma_core.records.opened import Opened, find_folder, find_opened
from melanoma_core.records.place import Place
from melanoma_core.settings import Settings

_SQLITE = "sqlite:///"
# Of training that is not over, and what can be computed again: gigabytes.
_LEFT_OUT = {
    "checkpoint.npz",
    "features.npz",
    "photographs.tmp",
    "oversampled",
    "estimates",
    "queue",
}
_PASSING = (".part", ".lock", "-wal", "-shm", "-journal")


class Part(StrEnum):
    """A part of a backup, and the folder of it in the file."""

    MODELS = "models"
    RUNS = "runs"
    ACCESS = "access"
    RECORD = "record"


@dataclass(frozen=True)
class Places:
    """Where the parts of a server are.

    Attributes:
        record: The record; None if there is none.
        models: Folder of the models that were trained here.
        runs: Folder of the runs and their history.
        access: Folder of people, roles and tokens.
        history: MLflow's SQLite file; None where another server keeps the history.
    """

    record: Place | None
    models: Path
    runs: Path
    access: Path
    history: Path | None

    def find_folder(self, part: Part) -> Path:
        """Return the folder of a part.

        Raises:
            BackupError: It is the record, and there is none.
        """
        if part is Part.RECORD:
            if self.record is None:
                raise BackupError("Found no record. Set MELANOMA_RECORD to its folder.")
            return self.record.folder
        folders = {Part.MODELS: self.models, Part.RUNS: self.runs, Part.ACCESS: self.access}
        return folders[part]


def find_places(settings: Settings) -> Places:
    """Return where the parts of this server are: the record is the one that is open."""
    return _make_places(settings, find_opened(settings))


def find_new_places(settings: Settings) -> Places:
    """Return where the parts of a backup go: the record to where the settings name it.

    Without a name, it is the folder in which the pages look for the record of the clinic.
    """
    folder = find_folder(settings, Opened.CLINIC)
    return _make_places(settings, Place(folder, settings.record_url or ""))


def list_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder by their names in it, without what passes.

    Args:
        folder: Of models, runs or access; it need not exist.
    """
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        is_hidden = any(part.startswith(".") for part in parts)
        is_left_out = is_hidden or path.name.endswith(_PASSING) or _LEFT_OUT & set(parts)
        if not is_left_out and path.is_file() and not path.is_symlink():
            yield "/".join(parts), path


def _make_places(settings: Settings, record: Place | None) -> Places:
    uri = settings.tracking_uri
    file = Path(uri.removeprefix(_SQLITE).partition("?")[0]) if uri.startswith(_SQLITE) else None
    return Places(record, settings.models_dir, settings.runs_dir, settings.access_dir, file)
