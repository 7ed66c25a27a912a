"""Evaluate a model in a background job, and keep the result for equal requests.

Each job has a folder in the cache, named by a hash of its request. So every browser session that
makes the same request finds the running job or its result.
"""

import hashlib
import json
import shutil
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.assessment.evaluate import EvaluationRequest
from melanoma_core.jsonable import from_jsonable
from melanoma_core.processes import BackgroundJob, JobStatus
from melanoma_core.settings import Settings

if TYPE_CHECKING:
    from melanoma_core.assessment.assessment import Assessment

_FORMAT = 4  # raise it when evaluations are computed or stored differently
_MODULE = f"{__package__}.worker"
_MAX_RESULTS = 50  # each takes a third of a megabyte


def start(settings: Settings, request: EvaluationRequest) -> None:
    """Start an evaluation, unless it is running or done.

    Raises:
        FolderError: The cache cannot be written, or no process can be started.
    """
    require(Right.EVALUATE)
    folder = _get_folder(settings, request)
    BackgroundJob(folder).start(settings, _MODULE, request)
    _remove_oldest(folder.parent)


def read_status(settings: Settings, request: EvaluationRequest) -> JobStatus:
    """Return the status of an evaluation; its items are images."""
    return BackgroundJob(_get_folder(settings, request)).read_status()


def find_result(settings: Settings, request: EvaluationRequest) -> Path:
    """Return the file of the result, which exists once the evaluation is done."""
    return BackgroundJob(_get_folder(settings, request)).result


def load_result(path: Path) -> "Assessment":
    """Return the result in a file that `find_result` returned."""
    from melanoma_core.assessment.assessment import Assessment

    return from_jsonable(Assessment, json.loads(path.read_text("utf-8")))


def cancel(settings: Settings, request: EvaluationRequest) -> None:
    """Cancel an evaluation and remove its files."""
    require(Right.EVALUATE)
    BackgroundJob(_get_folder(settings, request)).cancel()


def _get_folder(settings: Settings, request: EvaluationRequest) -> Path:
    text = json.dumps([_FORMAT, *map(str, astuple(request))])
    return settings.cache_dir / "evaluations" / hashlib.sha256(text.encode()).hexdigest()[:32]


def _remove_oldest(parent: Path) -> None:
    """Remove the folders of the oldest jobs, except of those that are running."""
    folders = sorted(parent.iterdir(), key=lambda folder: folder.stat().st_mtime)
    for folder in folders[:-_MAX_RESULTS]:
        if not BackgroundJob(folder).is_running:
            shutil.rmtree(folder, ignore_errors=True)
