"""Which model is deployed, in one small file that every run of a page can afford to read.

The truth is the alias "deployed" in MLflow's registry, which takes seconds to open. This file is
its copy beside the models: written with every change of the alias, and mended by whoever finds
that the two differ (`runs.promotion`).
"""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from melanoma_core.errors import FolderError, ModelError

POINTER_NAME = "deployed.json"


@dataclass(frozen=True)
class Pointer:
    """What the file says.

    Attributes:
        model_id: Of the deployed model.
        is_bundled: Whether that was the one that comes with the project, whose place the bundled
            model of a later version takes.
        at: When it was deployed; UTC, ISO 8601.
    """

    model_id: str
    is_bundled: bool
    at: str


def read_pointer(models_dir: Path) -> Pointer | None:
    """Return what the file says; None where nothing was ever promoted here.

    Raises:
        ModelError: It is damaged.
    """
    path = models_dir / POINTER_NAME
    try:
        raw = json.loads(path.read_text("utf-8"))
        pointer = Pointer(str(raw["model_id"]), bool(raw["is_bundled"]), str(raw["at"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"Cannot read which model is deployed from {path} ({error}). The Models page and "
            "`python -m melanoma_core models` restore the file from the registry."
        ) from error
    return pointer


def write_pointer(models_dir: Path, pointer: Pointer | None) -> None:
    """Write the file, or remove it; who reads meanwhile finds the old one or the new.

    Raises:
        FolderError: It cannot be written.
    """
    path = models_dir / POINTER_NAME
    try:
        if pointer is None:
            path.unlink(missing_ok=True)
            return
        models_dir.mkdir(parents=True, exist_ok=True)
        # Of its own name, so that two who write at once do not write into one draft.
        handle, draft = tempfile.mkstemp(prefix=".deployed-", dir=models_dir)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(pointer), file, indent=2)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except OSError as error:
        raise FolderError(
            f"Cannot write {path} ({error.strerror}). Pages read from it which model is deployed: "
            "free some space, or set MELANOMA_MODELS_DIR to a folder that can be written to."
        ) from error
