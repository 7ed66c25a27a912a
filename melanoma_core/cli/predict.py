"""`python -m melanoma_core predict`: read photographs with a model."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.terminal import make_folder, print_json
from melanoma_core.files import write_file
from melanoma_core.jsonable import to_jsonable
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.reading.reading import Reading, Refusal


def add_predict_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `predict` to the command line."""
    predict = commands.add_parser("predict", help="read photographs with a model")
    predict.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    predict.add_argument("--model", metavar="ID", help="default: the deployed model")
    predict.add_argument(
        "--heatmaps", type=Path, metavar="DIR", help="write one heatmap per class to this folder"
    )
    predict.add_argument("--json", action="store_true", help="print one JSON document")
    predict.set_defaults(run=_predict)


def _predict(options: argparse.Namespace) -> int:
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import find_model
    from melanoma_core.reading.reading import read_files

    num_workers = min(len(options.images), os.cpu_count() or 1)
    # A single photograph uses all cores; of several, each core reads its own.
    classifier = load_classifier(
        find_model(load_settings(), options.model), num_threads=0 if num_workers == 1 else 1
    )
    if options.heatmaps:
        make_folder(options.heatmaps)
    rows = []
    results = read_files(classifier, options.images, num_workers)
    names = _make_unique_names(options.images)
    for name, (path, result) in zip(names, results, strict=True):
        if options.heatmaps:
            _write_heatmaps(path, result, options.heatmaps / name)
        row = _describe(path, result, classifier.card.model_id)
        rows.append(row)
        if not options.json:
            print(_format_row(row), flush=True)
    if options.json:
        print_json(rows)
    return 0 if any(row["status"] == "read" for row in rows) else 2


def _make_unique_names(paths: Sequence[Path]) -> list[str]:
    """Return the name of each file, with a number if an earlier file has the same name.

    Case is ignored, as the file systems of macOS and Windows do.
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


def _format_row(row: dict[str, Any]) -> str:
    if row["status"] == "refused":
        return f"{row['image']}: not read. {row['reason']}"
    answer = "MELANOMA ALERT" if row["alert"] else "no alert"
    warnings = "".join(f" {finding['text']}" for finding in row["quality"])
    return (
        f"{row['image']}: {answer}, probability of melanoma {row['melanoma_probability']:.1%} "
        f"(alert threshold {row['threshold']:.1%}){'.' if warnings else ''}{warnings}"
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
        file = beside.with_name(f"{beside.name}.{class_name}.jpg")
        overlay = encode_jpeg(blend(pixels, heatmap, opacity=0.6))
        write_file(file, overlay, "or choose another folder")
