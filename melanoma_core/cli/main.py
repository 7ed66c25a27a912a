"""The command line: the same functions as the dashboard's, one JSON document on request.

Exit status: 0 done, 2 bad usage or bad input, 1 a bug. Everything but the answer goes to
standard error. A command imports what it needs when it runs: a reading must not wait for the
libraries of training.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.dataset import add_dataset_commands
from melanoma_core.cli.evaluate import add_evaluate_command
from melanoma_core.cli.explanations import add_explanations_command
from melanoma_core.cli.models import add_model_commands
from melanoma_core.cli.refusals import add_refusals_command
from melanoma_core.cli.study import add_study_command
from melanoma_core.cli.terminal import make_folder, print_json
from melanoma_core.cli.training import add_training_commands
from melanoma_core.errors import MelanomaError
from melanoma_core.jsonable import to_jsonable
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.reading.reading import Reading, Refusal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = build_parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except MelanomaError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # `… | head`: who reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m melanoma_core",
        description="Find melanoma in photographs of skin lesions. Research and education, "
        "not a medical device.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser("predict", help="read photographs")
    predict.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    predict.add_argument("--model", metavar="ID", help="default: the deployed model")
    predict.add_argument("--heatmaps", type=Path, metavar="DIR", help="write an overlay per class")
    predict.add_argument("--json", action="store_true", help="one JSON document")
    predict.set_defaults(run=_predict)

    add_evaluate_command(commands)
    add_explanations_command(commands)
    add_refusals_command(commands)
    add_training_commands(commands)
    add_study_command(commands)
    add_dataset_commands(commands)

    add_model_commands(commands)

    draw = commands.add_parser("demonstration", help="draw the demonstration lesions")
    draw.add_argument("folder", type=Path, metavar="DIR")
    draw.set_defaults(run=_demonstration)
    return parser


def _predict(options: argparse.Namespace) -> int:
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import find_model
    from melanoma_core.reading.reading import read_files

    num_workers = min(len(options.images), os.cpu_count() or 1)
    # One photograph gets every core; of many, each core reads its own.
    classifier = load_classifier(
        find_model(load_settings(), options.model), num_threads=0 if num_workers == 1 else 1
    )
    if options.heatmaps:
        make_folder(options.heatmaps)
    rows = []
    results = read_files(classifier, options.images, num_workers)
    names = _name_apart(options.images)
    for name, (path, result) in zip(names, results, strict=True):
        if options.heatmaps:
            _write_heatmaps(path, result, options.heatmaps / name)
        row = _describe(path, result, classifier.card.model_id)
        rows.append(row)
        if not options.json:
            print(_tell(row), flush=True)
    if options.json:
        print_json(rows)
    return 0 if any(row["status"] == "read" for row in rows) else 2


def _name_apart(paths: Sequence[Path]) -> list[str]:
    """Return each file's name, with a number where an earlier file has the same.

    Case does not count, since it does not on the disks of macOS and Windows.
    """
    taken: set[str] = set()
    names = []
    for path in paths:
        name, number = path.name, 1
        while name.casefold() in taken:
            number += 1
            name = f"{path.stem}-{number}{path.suffix}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _describe(path: Path, result: "Reading | Refusal", model_id: str) -> dict[str, Any]:
    from melanoma_core.reading.reading import Refusal

    row: dict[str, Any] = {"image": str(path), "status": "read", "reason": None}
    row |= {"model_id": model_id, "probabilities": None, "melanoma_probability": None}
    row |= {"threshold": None, "alert": None, "conformal_set": None}
    row |= {"novelty": result.novelty, "novelty_limit": result.novelty_limit}
    row |= {"quality": to_jsonable(result.quality)}
    if isinstance(result, Refusal):
        return row | {"status": "refused", "reason": result.reason}
    return row | {
        "probabilities": dict(zip(result.class_names, result.probabilities, strict=True)),
        "melanoma_probability": result.melanoma_probability,
        "threshold": result.threshold,
        "alert": result.alert,
        "conformal_set": result.prediction_set and list(result.prediction_set.members),
    }


def _tell(row: dict[str, Any]) -> str:
    if row["status"] == "refused":
        return f"{row['image']}: not read. {row['reason']}"
    answer = "MELANOMA ALERT" if row["alert"] else "no alert"
    warnings = "".join(f" {finding['text']}" for finding in row["quality"])
    return (
        f"{row['image']}: {answer}, probability of melanoma {row['melanoma_probability']:.1%} "
        f"(alert from {row['threshold']:.1%}){'.' if warnings else ''}{warnings}"
    )


def _write_heatmaps(path: Path, result: "Reading | Refusal", beside: Path) -> None:
    """Write `<beside>.<CLASS>.jpg` for each class."""
    from melanoma_core.data.images import encode_jpeg, read_image
    from melanoma_core.reading.overlay import blend
    from melanoma_core.reading.reading import Refusal

    if isinstance(result, Refusal):
        return
    pixels = read_image(path).pixels
    for class_name, heatmap in zip(result.class_names, result.heatmaps(), strict=True):
        overlay = encode_jpeg(blend(pixels, heatmap, opacity=0.6))
        beside.with_name(f"{beside.name}.{class_name}.jpg").write_bytes(overlay)


def _demonstration(options: argparse.Namespace) -> int:
    from melanoma_core.data.drawn.lesions import write_demonstration

    for path in write_demonstration(options.folder):
        print(path)
    return 0
