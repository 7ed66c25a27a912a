"""`python -m melanoma_core predict`: read photographs with a model."""

import argparse
import glob
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.files import choose_model
from melanoma_core.cli.terminal import log, make_counter, make_folder, print_json
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.files import write_file
from melanoma_core.names import neutralise
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.data.lesion_table import LesionMatch
    from melanoma_core.evaluation.prevalence import Prevalence
    from melanoma_core.models.card import ModelCard
    from melanoma_core.reading.reading import Reading, Refusal

_Results = list[tuple[Path, "Reading | Refusal"]]
_Row = dict[str, Any]


def add_predict_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `predict` to the command line."""
    predict = commands.add_parser("predict", help="read photographs with a model")
    predict.add_argument(
        "images", nargs="+", metavar="IMAGE", help="a file, a folder or a pattern such as *.jpg"
    )
    predict.add_argument("--model", metavar="ID", help="default: the deployed model")
    predict.add_argument(
        "--lesions",
        type=Path,
        metavar="TABLE",
        help="also read each lesion from all its photographs; a table with a column of file names "
        "or image ids and a column lesion_id",
    )
    predict.add_argument(
        "--read-anyway",
        action="store_true",
        help="this time, also read photographs that are out of distribution; how well the network "
        "reads them was not measured",
    )
    predict.add_argument(
        "--heatmaps", type=Path, metavar="DIR", help="write one heatmap per class to this folder"
    )
    predict.add_argument("--json", action="store_true", help="print one JSON document")
    predict.set_defaults(run=_predict)


def _predict(options: argparse.Namespace) -> int:
    from melanoma_core.models.adaptation import make_prevalence

    paths = _find_files(options.images)
    match = _match_lesions(options.lesions, paths) if options.lesions else None
    paths, match = _list_frames(paths, match)
    shares = load_settings().prevalence
    serving = choose_model(options.model)
    card, results = _read(options, serving.folder, paths)
    prevalence = make_prevalence(card, *shares) if shares else None
    order = _sort(results)
    rows = _describe(results, card, prevalence)
    for place, row in enumerate(rows):
        row["notice"] = serving.notice
        if match:
            row["lesion_id"] = match.lesions[place]
    lesions = _describe_lesions(results, match, card, prevalence) if match else []
    ordered = [rows[place] for place in order]
    if options.json:
        print_json({"photographs": ordered, "lesions": lesions} if match else ordered)
    else:
        for line in (*map(_format_photograph, ordered), *map(_format_lesion, lesions)):
            print(line)
        _log_assumption(card, ordered, is_set=bool(shares))
    return 0 if any(row["status"] == "read" for row in rows) else 2


def _log_assumption(card: "ModelCard", rows: Sequence[_Row], *, is_set: bool) -> None:
    """Log which prevalence the printed probabilities assume."""
    from melanoma_core.evaluation.prevalence import Prevalence
    from melanoma_core.models.card_text.prevalence import describe_assumption, explain_unadapted

    adapted = [row["prevalence"] for row in rows if row.get("adapted_probabilities")]
    if adapted:
        log(describe_assumption(card, Prevalence(**adapted[0])))
        log(f"Alerts and unadapted numbers: {describe_assumption(card, None)}")
        return
    if is_set and any(row["status"] == "read" and not row["read_anyway"] for row in rows):
        log(explain_unadapted(card))
    log(describe_assumption(card, None))


def _read(
    options: argparse.Namespace, model: Path, paths: Sequence[Path]
) -> tuple["ModelCard", _Results]:
    """Read all photographs, and write their heatmaps."""
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.reading.reading import Reading, read_files
    from melanoma_core.reading.statement import READ_ANYWAY

    num_workers = min(len(paths), os.cpu_count() or 1)
    # A single photograph uses all cores; of several, each core reads its own.
    classifier = load_classifier(model, num_threads=0 if num_workers == 1 else 1)
    if options.heatmaps:
        make_folder(options.heatmaps)
    results: _Results = []
    names = _make_unique_names(paths)
    report = make_counter("Reading")
    found = read_files(classifier, paths, num_workers, read_anyway=options.read_anyway)
    for name, (path, result) in zip(names, found, strict=True):
        if options.heatmaps:
            _write_heatmaps(path, result, options.heatmaps / name)
        results.append((path, result))
        if len(paths) > 1:
            report(len(results), len(paths))
    for path, result in results:
        if isinstance(result, Reading) and result.read_anyway:
            log(f"Warning: {_show(str(path))}. {READ_ANYWAY}")
    return classifier.card, results


def _sort(results: _Results) -> list[int]:
    """Return the positions of the most suspicious first, and of what was refused last."""
    from melanoma_core.reading.ranking import measure_suspicion
    from melanoma_core.reading.reading import Reading

    keys = [
        measure_suspicion(result) if isinstance(result, Reading) else (-1.0, -1.0)
        for _, result in results
    ]
    return sorted(range(len(results)), key=lambda place: keys[place], reverse=True)


def _describe(results: _Results, card: "ModelCard", prevalence: "Prevalence | None") -> list[_Row]:
    from melanoma_core.reading.rows import describe_photograph

    return [describe_photograph(str(path), result, card, prevalence) for path, result in results]


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


def _list_frames(
    paths: Sequence[Path], match: "LesionMatch | None"
) -> tuple[list[Path], "LesionMatch | None"]:
    """Return the photographs of files, where a DICOM file holds several, with their lesions."""
    from dataclasses import replace

    from melanoma_core.data.formats.dicom_frames import list_paths

    frames = [list_paths(path) for path in paths]
    if match:
        spread = zip(match.lesions, frames, strict=True)
        match = replace(match, lesions=tuple(each for each, own in spread for _ in own))
    return [path for own in frames for path in own], match


def _match_lesions(table: Path, paths: Sequence[Path]) -> "LesionMatch":
    """Match a table of lesions with photographs, and log what has no counterpart.

    Raises:
        DatasetError: The table cannot be read, or is about other photographs.
    """
    from melanoma_core.data.lesion_table import list_names, match_lesions, read_lesion_table

    try:
        content = table.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"Cannot read the table {table} ({error.strerror}). Check its name and permissions."
        ) from error
    match = match_lesions(read_lesion_table(content, str(table)), paths, str(table))
    without = [path.name for path, lesion in zip(paths, match.lesions, strict=True) if not lesion]
    if without:
        log(f"Photographs without a row in {table}: {len(without)} ({_show(list_names(without))})")
    if match.unmatched:
        names = _show(list_names(match.unmatched))
        log(f"Rows of {table} without a photograph: {len(match.unmatched)} ({names})")
    return match


def _describe_lesions(
    results: _Results, match: "LesionMatch", card: "ModelCard", prevalence: "Prevalence | None"
) -> list[_Row]:
    """Return the rows of the lesions, the most suspicious first, refused ones last."""
    from melanoma_core.reading.lesion import combine_readings
    from melanoma_core.reading.ranking import measure_suspicion
    from melanoma_core.reading.reading import Reading
    from melanoma_core.reading.rows import describe_lesion

    members: dict[str, _Results] = defaultdict(list)
    for lesion_id, photograph in zip(match.lesions, results, strict=True):
        if lesion_id is not None:
            members[lesion_id].append(photograph)
    described = []
    for lesion_id, photographs in members.items():
        readings = [result for _, result in photographs if isinstance(result, Reading)]
        images: dict[str, list[str]] = {"read": [], "refused": []}
        for path, result in photographs:
            images["read" if isinstance(result, Reading) else "refused"].append(str(path))
        lesion = combine_readings(card, readings) if readings else None
        key = measure_suspicion(lesion) if lesion else (-1.0, -1.0)
        described.append((key, describe_lesion(lesion_id, lesion, images, card, prevalence)))
    return [row for _, row in sorted(described, key=lambda pair: pair[0], reverse=True)]


def _format_photograph(row: _Row) -> str:
    name = _show(row["image"])
    if row["status"] == "refused":
        return f"{name}: not read. {neutralise(row['reason'])}"
    warnings = "".join(f" {finding['text']}" for finding in row["quality"])
    return f"{name}: {_format_verdict(row)}{warnings}{_format_mark(row)}"


def _format_lesion(row: _Row) -> str:
    name, count = _show(row["lesion_id"]), len(row["images"]) + len(row["refused_images"])
    what = f"{count} photograph{'s' if count > 1 else ''}"
    if row["status"] == "refused":
        return f"Lesion {name}: not read. {what}, all refused."
    refused = f", {len(row['refused_images'])} refused" if row["refused_images"] else ""
    notes = "".join(f" {row[key]}" for key in ("disagreement", "set_aside") if row[key])
    return f"Lesion {name} ({what}{refused}): {_format_verdict(row)}{notes}{_format_mark(row)}"


def _format_verdict(row: _Row) -> str:
    """Return both alerts, the leading diagnosis with its tier, then the finding."""
    from melanoma_core.models.card_text.formats import format_percent
    from melanoma_core.models.card_text.prevalence import format_prevalence
    from melanoma_core.reading.statement import Level
    from melanoma_core.taxonomy import Diagnosis

    parts = ["MELANOMA ALERT" if row["alert"] else "no melanoma alert"]
    if row["skin_cancer_alert"] is not None:
        parts.append("SKIN CANCER ALERT" if row["skin_cancer_alert"] else "no skin cancer alert")
    elif row["statement_level"] == Level.SKIN_CANCER:
        parts.append("OTHER SKIN CANCER SUSPECTED")
    is_adapted = bool(row.get("adapted_probabilities"))
    top = Diagnosis(row["adapted_top_diagnosis" if is_adapted else "top_diagnosis"])
    parts.append(f"leading diagnosis {top.title} ({top.tier})")
    text = f"{', '.join(parts)}. {row['adapted_statement' if is_adapted else 'statement']}"
    if is_adapted:
        melanoma, skin_cancer = (
            format_percent(row[f"adapted_{name}_probability"])
            for name in ("melanoma", "skin_cancer")
        )
        shares = row["prevalence"]
        text += (
            f" At a prevalence of {format_prevalence(shares['melanoma'])} melanoma and "
            f"{format_prevalence(shares['skin_cancer'])} skin cancer: melanoma {melanoma}, any "
            f"skin cancer {skin_cancer}."
        )
    return text


def _format_mark(row: _Row) -> str:
    return " Out of distribution, read anyway." if row["read_anyway"] else ""


def _show(name: str) -> str:
    """Return a name for one line. A name with a new line could fake the line of another file."""
    return neutralise(name.encode("utf-8", "backslashreplace").decode())


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
