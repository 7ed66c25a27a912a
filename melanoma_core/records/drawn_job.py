"""The demonstration record, made by a process of its own: `python -m` this module with a folder.

The record appears in its folder when it is complete. One that was cancelled or killed leaves none.
"""

import sys
from pathlib import Path
from typing import Any

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.processes import BackgroundJob, run_job
from melanoma_core.progress import Progress
from melanoma_core.records.opened import Opened, find_folder
from melanoma_core.settings import Settings, load_settings

_ADVICE = "or set MELANOMA_RECORDS_DIR"


def find_job(settings: Settings) -> BackgroundJob:
    """Return the job that makes the demonstration record."""
    return BackgroundJob(settings.records_dir / ".drawing")


def start(settings: Settings, app_version: str) -> None:
    """Start to make the demonstration record, unless a process does so already.

    Args:
        settings: Settings of the process.
        app_version: Version of this software, `melanoma_core.__version__`.

    Raises:
        FolderError: The folder cannot be written, or no process can be started.
    """
    require(Right.MANAGE_RECORD)
    job = find_job(settings)
    if not job.is_running:
        job.cancel()  # the demonstration record that it made was removed since
        job.start(settings, __name__, {"app_version": app_version})


def make(request: dict[str, Any], progress: Progress) -> None:
    """Make the demonstration record of the settings.

    Args:
        request: With the version of this software, `app_version`.
        progress: As of `create_drawn_record`.
    """
    from melanoma_core.files import explain_write_errors, make_draft
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import find_model
    from melanoma_core.records.drawn import create_drawn_record

    settings = load_settings()
    classifier = load_classifier(find_model(settings))
    folder = find_folder(settings, Opened.DEMONSTRATION)
    with make_draft(folder.parent, _ADVICE) as draft:
        drawn = draft / "record"
        create_drawn_record(drawn, classifier, request["app_version"], progress=progress).close()
        with explain_write_errors(folder, _ADVICE):
            drawn.replace(folder)


if __name__ == "__main__":
    sys.exit(run_job(Path(sys.argv[1]), make))
