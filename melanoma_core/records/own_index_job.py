"""The index of a record's own lesions, made by a process: `python -m` this module with a folder.

Photographs that were embedded before are not read again, so that a job that was cancelled or killed
continues where it ended.
"""

import sys
from pathlib import Path
from typing import Any

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.errors import RecordError
from melanoma_core.processes import BackgroundJob, run_job
from melanoma_core.progress import Progress
from melanoma_core.records.opened import find_opened
from melanoma_core.records.own_index import refresh_own_index
from melanoma_core.records.store import Record
from melanoma_core.settings import Settings, load_settings


def find_job(record: Record) -> BackgroundJob:
    """Return the job that makes the index of a record."""
    return BackgroundJob(record.place.lookalikes_folder / ".indexing")


def start(settings: Settings, record: Record) -> None:
    """Start to make the index of the open record, unless a process does so already.

    Raises:
        FolderError: The folder cannot be written, or no process can be started.
    """
    require(Right.SEE_RECORD)
    job = find_job(record)
    if not job.is_running:
        job.cancel()  # what an earlier one made is no longer current
        job.start(settings, __name__, {"record_id": record.record_id})


def make(request: Any, progress: Progress) -> dict[str, Any]:
    """Make the index of the record that is open.

    Args:
        request: With the id of the record.
        progress: In photographs.

    Returns:
        How many lesions and photographs it holds.
    """
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import find_model

    settings = load_settings()
    place = find_opened(settings)
    if place is None:
        raise RecordError("The record was closed. Open it, then look for look-alikes again.")
    record = Record.open(place)
    try:
        if record.record_id != request["record_id"]:
            raise RecordError("Another record was opened. Look for look-alikes again.")
        facts = refresh_own_index(record, load_classifier(find_model(settings)), progress)
    finally:
        record.close()
    return {"num_lesions": facts.num_lesions, "num_photographs": facts.num_photographs}


if __name__ == "__main__":
    sys.exit(run_job(Path(sys.argv[1]), make))
