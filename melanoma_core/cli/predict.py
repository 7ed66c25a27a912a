"""`python -m melanoma_core predict`: read photographs with a model."""

import argparse
import glob
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.files import choose_model
from melanoma_core.cli.terminal import log, make_folder, print_json
from melanoma_core.errors import ImageError
from melanoma_core.files import write_file
from melanoma_core.jsonable import to_jsonable
from melanoma_core.names import neutralise

if TYPE_CHECKING:
    from melanoma_core.reading.reading import Reading, Refusal


def add_predict_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `predict` to the command line."""
    predict = commands.add_parser("predict", help="read photographs with a model")
    predict.add_argument(
        "images", nargs="+", metavar="IMAGE", help="a file, a folder or a pattern such as *.jpg"
    )
    predict.add_argument("--model", metavar="ID", help="default: the deployed model")
    predict.add_argument(
        "--heatmaps", type=Path, metavar="DIR", help="write one heatmap per class to this folder"
    )
    predict.add_argument("--json", action="store_true", help="print one JSON document")
    predict.set_defaults(run=_predict)


def _predict(options: argparse.Namespace) -> int:
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.reading.reading import read_files

    paths = _find_files(options.images)
    serving = choose_model(options.model)
    num_workers = min(len(paths), os.cpu_count() or 1)
    # A single photograph uses all cores; of several, each core reads its own.
    classifier = load_classifier(serving.folder, num_threads=0 if num_workers == 1 else 1)
    if options.heatmaps:
        make_folder(options.heatmaps)
    rows = []
    results = read_files(classifier, paths, num_workers)
    names = _make_unique_names(paths)
    for name, (path, result) in zip(names, results, strict=True):
        if options.heatmaps:
            _write_heatmaps(path, result, options.heatmaps / name)
        row = _describe(path, result, classifier.card.model_id) | {"notice": serving.notice}
        rows.append(row)
        if not options.json:
            print(_format_row(row), flush=True)
    if options.json:
        print_json(rows)
    return 0 if any(row["status"] == "read" for row in rows) else 2


def _find_files(arguments: Sequence[str]) -> list[Path]:
    """Return the files that are meant by names of files and folders, and by patterns.

    Not every command line replaces a pattern by the files that fit: that of Windows does not.

    Raises:
        ImageError: A folder has no image files, or no file fits a pattern.
    """
    found: list[Path] = []
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            found += _list_images(path)
        elif not os.path.lexists(path) and glob.has_magic(argument):
            fitting = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - in any folder
            if not fitting:
                raise ImageError(f"No file fits {argument}. Check the pattern and the folder.")
            found += _find_files(fitting)
        else:
            found.append(path)
    return found


def _list_images(folder: Path) -> list[Path]:
    """List the image files below a folder, and log how many files are not looked at."""
    from melanoma_core.data.folders import list_images, walk_folders

    images = [image for inner in walk_folders(folder) for image in list_images(inner)]
    known = set(images)
    others = Counter(
        path.suffix.lower() or "without a suffix"
        for path in folder.rglob("*")
        if path not in known and not path.name.startswith(".") and path.is_file()
    )
    named = ", ".join(f"{number} {suffix}" for suffix, number in others.most_common())
    if not images:
        raise ImageError(
            f"There are no image files in {folder}"
            + (f", but others ({named})" if named else "")
            + ". Choose a folder with photographs."
        )
    if named:
        log(f"Not looked at in {folder}: {named}")
    return images


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
    # A name with a new line could fake the line of another file.
    name = neutralise(row["image"].encode("utf-8", "backslashreplace").decode())
    if row["status"] == "refused":
        return f"{name}: not read. {neutralise(row['reason'])}"
    answer = "MELANOMA ALERT" if row["alert"] else "no alert"
    warnings = "".join(f" {finding['text']}" for finding in row["quality"])
    return (
        f"{name}: {answer}, probability of melanoma {row['melanoma_probability']:.1%} "
        f"(alert threshold {row['threshold']:.1%}){'.' if warnings else ''}{warnings}"
    )


def _write_heatmaps(path: Path, result: "Reading | Refusal", beside: Path) -> None:
    """Write `<beside>.<CLASS>.jpg` for each class."""
    from melanoma_core.data.decoder import decode_within
    from melanoma_core.data.images import encode_jpeg, read_bytes
    from melanoma_core.reading.overlay import blend
    from melanoma_core.reading.reading import Refusal

    if isinstance(result, Refusal):
        return
    pixels = decode_within(read_bytes(path)).pixels
    for class_name, heatmap in zip(result.class_names, result.heatmaps(), strict=True):
        file = beside.with_name(f"{beside.name}.{class_name}.jpg")
        overlay = encode_jpeg(blend(pixels, heatmap, opacity=0.6))
        write_file(file, overlay, "or choose another folder")
