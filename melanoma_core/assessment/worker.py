"""The process of a background evaluation: `python -m melanoma_core.assessment.worker FOLDER`."""

import sys
from pathlib import Path

from melanoma_core.assessment.assessment import Assessment
from melanoma_core.assessment.evaluate import EvaluationRequest, evaluate_folder
from melanoma_core.jsonable import from_jsonable
from melanoma_core.processes import run_job
from melanoma_core.progress import Progress
from melanoma_core.settings import load_settings


def evaluate(raw: object, progress: Progress) -> Assessment:
    """Evaluate what the request of a job asks for."""
    return evaluate_folder(load_settings(), from_jsonable(EvaluationRequest, raw), progress)


if __name__ == "__main__":
    sys.exit(run_job(Path(sys.argv[1]), evaluate))
