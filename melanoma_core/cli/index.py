"""`python -m melanoma_core index`: index a folder, so that readings find look-alikes in it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.files import choose_model, open_files
from melanoma_core.cli.terminal import log, make_counter, print_json
from melanoma_core.jsonable import to_jsonable
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.data.images import Photograph
    from melanoma_core.lookalikes.embedder import Embedder
    from melanoma_core.lookalikes.lookalike import IndexFacts
    from melanoma_core.lookalikes.measurement import Neighbourhood

_CANCELLED = 130  # exit status, as of a command that Ctrl-C ended


def add_index_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `index` to the command line."""
    parser = commands.add_parser(
        "index", help="index the lesions of a folder, so that readings find look-alikes among them"
    )
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="photographs with known diagnoses, in any layout of a dataset",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="default: the name of DIR with .lookalikes, in the working folder; name it in "
        "MELANOMA_INDEXES",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="index also what histopathology did not confirm",
    )
    parser.add_argument("--model", metavar="ID", help="default: the deployed model")
    parser.add_argument(
        "--measure",
        action="store_true",
        help="write no index; measure how often the nearest lesions have the same diagnosis, on "
        "images not seen in training",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_index)


def _index(options: argparse.Namespace) -> int:
    from melanoma_core.lookalikes.embedder import Embedder
    from melanoma_core.models.classifier import load_classifier

    classifier = load_classifier(choose_model(options.model).folder)
    embedder = Embedder(classifier, load_settings().cache_dir)
    try:
        return (_measure if options.measure else _build)(options, embedder)
    except KeyboardInterrupt:
        log("\nStopped. The same command continues from here.")
        return _CANCELLED


def _build(options: argparse.Namespace, embedder: "Embedder") -> int:
    from melanoma_core.lookalikes.building import build_index, select_folder
    from melanoma_core.lookalikes.embeddings import SUFFIX

    opened = open_files(options.folder)
    selection = select_folder(opened, with_unconfirmed=options.all)
    path: Path = options.out or Path(f"{selection.name}{SUFFIX}")
    facts = build_index(selection, embedder, _read, path, make_counter("Indexing photographs"))
    log(f"Wrote {path}. To find look-alikes in it, set MELANOMA_INDEXES={path.absolute()}")
    if options.json:
        print_json({"path": str(path)} | to_jsonable(facts))
    else:
        print(_describe(facts))
    return 0


def _read(image: str) -> "Photograph":
    from melanoma_core.data.images import read_image

    return read_image(Path(image))


def _describe(facts: "IndexFacts") -> str:
    from melanoma_core.taxonomy import read_label, title_label

    lines = [
        f"{facts.num_photographs:,} photographs of {facts.num_lesions:,} lesions, by "
        f"{facts.model_id}."
    ]
    left_out = {
        "not confirmed by histopathology": facts.num_unconfirmed,
        "out of distribution": facts.num_unfamiliar,
        "cannot be read": facts.num_unreadable,
    }
    lines += [f"Left out: {number:,}, {why}." for why, number in left_out.items() if number]
    lines += [
        f"{title_label(read_label(label))}: {number:,} lesions"
        for label, number in facts.by_diagnosis.items()
    ]
    return "\n".join(lines)


def _measure(options: argparse.Namespace, embedder: "Embedder") -> int:
    from melanoma_core.cli.files import select_unseen
    from melanoma_core.data.copies import connect_rows
    from melanoma_core.lookalikes.measurement import measure_neighbourhood
    from melanoma_core.taxonomy import Confirmation

    table = select_unseen(options.folder, choose_model(options.model).folder).table
    if not options.all:
        table = table[table["confirmation"] == Confirmation.HISTOPATHOLOGY]
    table = table.drop_duplicates("sha256").reset_index(drop=True)
    images = dict(zip(table["sha256"], table["path"], strict=True))
    embedder.embed(images, _read, make_counter("Reading photographs"))
    made = embedder.make_vectors(list(table["sha256"]))
    table = table[made.is_usable].reset_index(drop=True)
    measured = measure_neighbourhood(
        made.vectors,
        table["label"].to_numpy().astype(str),
        connect_rows(table, ("lesion_id", "cluster")),
        table["group"].to_numpy(),
    )
    if options.json:
        print_json({"model_id": embedder.classifier.card.model_id} | to_jsonable(measured))
    else:
        print(_format(measured))
    return 0


def _format(measured: "Neighbourhood") -> str:
    from melanoma_core.models.card_text.formats import format_value
    from melanoma_core.taxonomy import read_label, title_label

    number, chance = measured.number, measured.melanoma_by_chance
    rows = {
        f"Melanomas among the {number} lesions nearest to a melanoma": (measured.melanoma, chance),
        f"Melanomas among the {number} nearest to another lesion": (measured.other, chance),
        f"Same diagnosis among the {number} nearest": (
            measured.same_overall,
            sum(share**2 for share in measured.same_by_chance.values()),
        ),
    }
    rows |= {
        f"Same diagnosis, {title_label(read_label(name))}": (
            figure,
            measured.same_by_chance[name],
        )
        for name, figure in measured.same.items()
    }
    lines = ["| Measure | Share | By chance | Photographs | Lesions |", f"|{' --- |' * 5}"]
    lines += [
        f"| {title} | {format_value(figure.value, figure.low, figure.high)} | {by_chance:.3f} | "
        f"{figure.total:,} | {figure.num_lesions:,} |"
        for title, (figure, by_chance) in rows.items()
    ]
    return "\n".join(lines)
