"""`python -m melanoma_core refusals`: how many photographs are refused, of whatever they show."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.terminal import log, make_counter, print_json
from melanoma_core.errors import DatasetError
from melanoma_core.jsonable import to_jsonable
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.models.classifier import Classifier
    from melanoma_core.reading.refusals import RefusalShare

_NUM_IMPOSTORS = 100  # of each kind
_BATCH = 64


def add_refusals_command(commands: Any) -> None:
    """Add `refusals` to the parser's commands."""
    parser = commands.add_parser(
        "refusals", help="measure how many photographs are refused, and why"
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="photographs; they need no labels")
    parser.add_argument("--model", metavar="ID", help="default: the one that reads")
    parser.add_argument(
        "--impostors",
        type=int,
        nargs="?",
        const=_NUM_IMPOSTORS,
        default=0,
        metavar="N",
        help="also noise, flat colours, text and screenshots, which are drawn: N of each "
        f"(by default {_NUM_IMPOSTORS})",
    )
    parser.add_argument(
        "--leave-out",
        metavar="SOURCE",
        help="instead: what would be refused of this collection of DIR, had the check been fitted "
        "to the others alone",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=_refusals)


def _refusals(options: argparse.Namespace) -> int:
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import find_model

    classifier = load_classifier(find_model(load_settings(), options.model), num_threads=1)
    if options.leave_out:
        figure = _leave_out(classifier, options.folder, options.leave_out)
        rows = [{"name": f"{options.leave_out} left out", "refused": figure}]
        told = [f"{options.leave_out} left out: {_tell(figure)} refused"]
    else:
        shares = list(_measure(classifier, options.folder, options.impostors))
        rows = to_jsonable(shares)
        told = [_tell_share(share) for share in shares]
    if options.json:
        print_json({"model_id": classifier.card.model_id, "shares": rows})
    else:
        print("\n".join(told))
    return 0


def _measure(classifier: "Classifier", folder: Path, impostors: int) -> "Iterator[RefusalShare]":
    from melanoma_core.data.drawn.non_lesions import NonLesionKind
    from melanoma_core.reading.refusals import measure_folder, measure_impostors

    for name, paths in _find_photographs(folder).items():
        log(f"{name}: {len(paths)} photographs")
        yield measure_folder(classifier, name, paths, os.cpu_count() or 1)
    for kind in NonLesionKind if impostors > 0 else ():
        yield measure_impostors(classifier, kind, impostors)


def _find_photographs(folder: Path) -> dict[str, list[Path]]:
    """Return the photographs of each folder in `folder`, itself included, by its name there."""
    from melanoma_core.data.folders import is_image_name

    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and is_image_name(path.name):
            name = path.parent.relative_to(folder).as_posix()
            found.setdefault(folder.name if name == "." else name, []).append(path)
    if not found:
        raise DatasetError(
            f"Found no photograph in {folder}. Name a folder with JPEG, PNG, TIFF, WebP or BMP "
            "files in it or below it."
        )
    return found


def _leave_out(classifier: "Classifier", folder: Path, source: str) -> "Figure":
    """Fit the check again without a collection, on the split that the model's recipe draws."""
    import numpy as np

    from melanoma_core.cli.files import open_cleaned
    from melanoma_core.data.images import read_image, resize_to_square
    from melanoma_core.data.splitting import split_dataset
    from melanoma_core.evaluation.novelty import (
        LARGEST_SHARE,
        get_origins,
        measure_left_out,
    )

    card = classifier.card
    seed = int(card.recipe.get("seed", 0))
    table = split_dataset(open_cleaned(folder, None).table, seed).table
    origins = get_origins(table)
    known = sorted(set(origins.sources.tolist()))
    if source not in known:
        raise DatasetError(
            f'Found no collection "{source}" in {folder}. There are: {", ".join(known)}. Name one '
            "of them."
        )
    progress = make_counter("Describing photographs")
    paths = [Path(path) for path in table["path"]]
    features = []
    for start in range(0, len(paths), _BATCH):
        chunk = paths[start : start + _BATCH]
        pixels = [resize_to_square(read_image(path).pixels, card.image_size) for path in chunk]
        features.append(classifier.describe(np.stack(pixels)))
        progress(start + len(chunk), len(paths))
    share = card.novelty.largest_share if card.novelty else LARGEST_SHARE
    measured = measure_left_out(np.concatenate(features), origins, share, [source])
    if not measured:
        raise DatasetError(
            f'Found too few photographs in {folder} beside "{source}" to fit the check to. Name a '
            "folder of several collections."
        )
    (figure,) = measured.values()
    return figure


def _tell_share(share: "RefusalShare") -> str:
    reasons = ", ".join(f"{count} {kind}" for kind, count in share.by_kind.items())
    return (
        f"{share.name}: {_tell(share.refused)} refused{f' ({reasons})' if reasons else ''}; "
        f"{_tell(share.warned)} read with a warning"
    )


def _tell(figure: "Figure") -> str:
    from melanoma_core.models.card_text.formats import format_interval, format_percent

    return (
        f"{figure.count:,} of {figure.total:,}, {format_percent(figure.value)} "
        f"({format_interval(figure)})"
    )
