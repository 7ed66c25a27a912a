"""The process of a background evaluation: `python -m melanoma_core.assessment.worker FOLDER`.

Evaluations of all people run one after another: each uses all cores.
"""

import sys
from pathlib import Path

from filelock import FileLock

from melanoma_core.assessment.assessment import Assessment
from melanoma_core.assessment.evaluate import EvaluationRequest, evaluate_folder
from melanoma_core.jsonable import from_jsonable
from melanoma_core.processes import run_job
from melanoma_core.progress import Progress
from melanoma_core.settings import load_settings

TURN_NAME = "evaluations.lock"


def evaluate(raw: object, progress: Progress) -> Assessment:
    """Evaluate what the request of a job asks for, when no other evaluation is running."""
    settings, request = load_settings(), from_jsonable(EvaluationRequest, raw)
    # The operating system releases the lock when the process ends, however it ends.
    with FileLock(settings.cache_dir / TURN_NAME):
        return evaluate_folder(settings, request, progress)


if __name__ == "__main__":
    sys.exit(run_job(Path(sys.argv[1]), evaluate))
