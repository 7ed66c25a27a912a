"""`python -m melanoma_core robustness`: measure how artefacts change what a model says."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.files import choose_model, parse_limit, select_unseen
from melanoma_core.cli.terminal import make_counter, print_json
from melanoma_core.jsonable import to_jsonable

if TYPE_CHECKING:
    from melanoma_core.assessment.selection import Selection
    from melanoma_core.models.card_text.section import Table


def add_robustness_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add `robustness` to the command line."""
    parser = commands.add_parser(
        "robustness",
        help="draw ink, hair and other artefacts onto photographs, and measure what changes",
    )
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="labelled photographs; those seen in training are left out",
    )
    parser.add_argument("--model", metavar="ID", help="default: the deployed model")
    parser.add_argument(
        "--limit", type=parse_limit, metavar="N", help="use N lesions, drawn at random"
    )
    parser.add_argument(
        "--choose-limits",
        action="store_true",
        help="instead, choose the limits of the warnings of ink, hair and rulers, on the half of "
        "the lesions on which no figure is reported",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_robustness)


def _robustness(options: argparse.Namespace) -> int:
    from melanoma_core.assessment.robustness import draw_lesions
    from melanoma_core.assessment.selection import keep_classes
    from melanoma_core.models.card import load_card

    serving = choose_model(options.model)
    card = load_card(serving.folder)
    selection = keep_classes(select_unseen(options.folder, serving.folder), card.class_names)
    selection = replace(selection, table=draw_lesions(selection.table, options.limit))
    if options.choose_limits:
        _choose_limits(selection, options)
        return 0
    _measure(selection, serving.folder, serving.notice, options)
    return 0


def _choose_limits(selection: "Selection", options: argparse.Namespace) -> None:
    from melanoma_core.assessment.robustness import choose_limits

    limits = choose_limits(selection.table, make_counter("Reading photographs"))
    if options.json:
        print_json({"limits": to_jsonable(limits)})
    else:
        print("\n".join(f"{kind}: {limit:.4g}" for kind, limit in limits.items()))


def _measure(selection: "Selection", model: Path, notice: str, options: argparse.Namespace) -> None:
    from melanoma_core.assessment.robustness import measure_robustness
    from melanoma_core.models.card_text.robustness import build_robustness
    from melanoma_core.models.classifier import load_classifier

    classifier = load_classifier(model, num_threads=1)
    counter = make_counter("Reading photographs")
    figures = measure_robustness(classifier, selection.table, progress=counter)
    section = build_robustness(figures)
    if options.json:
        print_json(
            {
                "model_id": classifier.card.model_id,
                "notice": notice,
                "is_lineage_known": selection.is_lineage_known,
                "unchecked": selection.unchecked,
                "summary": " ".join(section.paragraphs),
                "figures": to_jsonable(figures),
            }
        )
        return
    print(classifier.card.model_id)
    for paragraph in section.paragraphs:
        print(f"\n{paragraph}")
    for table in section.tables:
        print(f"\n{table.title}\n\n{_format_table(table)}")


def _format_table(table: "Table") -> str:
    lines = (table.head, ["---"] * len(table.head), *table.rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
