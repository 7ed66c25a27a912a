"""`python -m melanoma_core refusals`: count the photographs that a model refuses, by reason."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.files import choose_model
from melanoma_core.cli.terminal import log, make_counter, print_json
from melanoma_core.errors import DatasetError
from melanoma_core.jsonable import to_jsonable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.models.classifier import Classifier
    from melanoma_core.reading.refusals import RefusalShare

_NUM_NON_LESIONS = 100  # of each kind


def add_refusals_command(commands: Any) -> None:
    """Add `refusals` to the parser's commands."""
    parser = commands.add_parser("refusals", help="count the refused photographs, by reason")
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="photographs, with or without labels"
    )
    parser.add_argument("--model", metavar="ID", help="default: the deployed model")
    parser.add_argument(
        "--impostors",
        type=int,
        nargs="?",
        const=_NUM_NON_LESIONS,
        default=0,
        metavar="N",
        help="also draw N non-lesion images of each kind: noise, flat colours, text and "
        f"screenshots (default: {_NUM_NON_LESIONS})",
    )
    parser.add_argument(
        "--leave-out",
        metavar="SOURCE",
        help="instead, refit the out-of-distribution check without this collection of DIR, and "
        "count how many of its images it then refuses",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_refusals)


def _refusals(options: argparse.Namespace) -> int:
    from melanoma_core.models.classifier import load_classifier

    serving = choose_model(options.model)
    classifier = load_classifier(serving.folder, num_threads=1)
    if options.leave_out:
        figure = _leave_out(classifier, options.folder, options.leave_out)
        rows = [{"name": f"{options.leave_out} left out", "refused": figure}]
        lines = [f"{options.leave_out} left out: {_format_share(figure)} refused"]
    else:
        shares = list(_measure(classifier, options.folder, options.impostors))
        rows = to_jsonable(shares)
        lines = [_format_refusals(share) for share in shares]
    if options.json:
        document = {"model_id": classifier.card.model_id, "notice": serving.notice}
        print_json(document | {"shares": rows})
    else:
        print("\n".join(lines))
    return 0


def _measure(classifier: "Classifier", folder: Path, impostors: int) -> "Iterator[RefusalShare]":
    from melanoma_core.data.drawn.non_lesions import NonLesionKind
    from melanoma_core.reading.refusals import measure_folder, measure_non_lesions

    for name, paths in _find_photographs(folder).items():
        log(f"{name}: {len(paths)} photographs")
        yield measure_folder(classifier, name, paths, os.cpu_count() or 1)
    for kind in NonLesionKind if impostors > 0 else ():
        yield measure_non_lesions(classifier, kind, impostors)


def _find_photographs(folder: Path) -> dict[str, list[Path]]:
    """Return the photographs of `folder` and of each folder in it, by the folder's name."""
    from melanoma_core.data.folders import is_image_name
    from melanoma_core.data.formats.accepted import NAMES

    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and is_image_name(path.name):
            name = path.parent.relative_to(folder).as_posix()
            found.setdefault(folder.name if name == "." else name, []).append(path)
    if not found:
        raise DatasetError(
            f"Found no photograph in {folder}. The command needs at least 1. Name a folder that "
            f"contains {NAMES} files."
        )
    return found


def _leave_out(classifier: "Classifier", folder: Path, source: str) -> "Figure":
    """Refit the check without a collection, on the split that the model's recipe draws."""
    import numpy as np

    from melanoma_core.cli.files import open_cleaned
    from melanoma_core.data.decoding import decode_table
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
            f'Found no collection "{source}" in {folder}. It holds: {", ".join(known)}. Name one '
            "of them."
        )
    progress = make_counter("Computing features")
    batches = decode_table(table, card.image_size, progress=progress)
    features = np.concatenate([classifier.describe(pixels) for _, pixels in batches])
    share = card.novelty.largest_share if card.novelty else LARGEST_SHARE
    measured = measure_left_out(features, origins, share, [source])
    if not measured:
        raise DatasetError(
            f'Found too few images in {folder} besides those of "{source}". The check needs at '
            "least 50 to fit and 50 to choose its limit. Name a folder with several collections."
        )
    (figure,) = measured.values()
    return figure


def _format_refusals(share: "RefusalShare") -> str:
    reasons = ", ".join(f"{count} {kind}" for kind, count in share.by_kind.items())
    suffix = f" ({reasons})" if reasons else ""
    return (
        f"{share.name}: {_format_share(share.refused)} refused{suffix}; "
        f"{_format_share(share.warned)} read with a warning"
    )


def _format_share(figure: "Figure") -> str:
    from melanoma_core.models.card_text.formats import format_interval, format_percent

    return (
        f"{figure.count:,} of {figure.total:,}, {format_percent(figure.value)} "
        f"({format_interval(figure)})"
    )
