"""`python -m melanoma_core outlines`: the measures of outlines, by diagnosis."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.files import choose_model, open_cleaned, parse_limit, select_unseen
from melanoma_core.cli.terminal import log, make_counter, print_json
from melanoma_core.jsonable import to_jsonable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from melanoma_core.assessment.outline_measures import OutlineSummary
    from melanoma_core.evaluation.figure import Figure

_NO_OUTLINE = "This model draws no outline. The measures are those of the manually drawn ones."


def add_outlines_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `outlines` to the command line."""
    parser = commands.add_parser(
        "outlines",
        help="measure manually drawn outlines by diagnosis, and compare a model's with them",
    )
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="images with lesion outlines in a masks/ folder beside them, as in HAM10000",
    )
    parser.add_argument("--model", metavar="ID", help="default: the deployed model")
    parser.add_argument(
        "--limit", type=parse_limit, metavar="N", help="measure N images, drawn at random"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_outlines)


def _outlines(options: argparse.Namespace) -> int:
    from melanoma_core.assessment.outline_measures import list_outlined, measure_table, summarise
    from melanoma_core.data.splitting import find_groups

    table = open_cleaned(options.folder, None).table
    table = table.assign(group=find_groups(table))
    outlined = list_outlined(table, options.folder, options.limit)
    summary = summarise(measure_table(outlined, make_counter("Measuring outlines")))
    model_id, dice = _compare(options)
    if options.json:
        print_json({"model_id": model_id, "dice": to_jsonable(dice)} | to_jsonable(summary))
        return 0
    print("\n\n".join(_format(summary)))
    if dice is None:
        log(_NO_OUTLINE)
    else:
        print(f"\n{_describe_dice(model_id, dice)}")
    return 0


def _compare(options: argparse.Namespace) -> tuple[str, "dict[str, Figure] | None"]:
    """Return the model, and how well its outlines agree with those on unseen photographs."""
    from melanoma_core.assessment.outline_measures import list_outlined, measure_dice
    from melanoma_core.models.card import load_card
    from melanoma_core.models.classifier import load_classifier

    folder = choose_model(options.model).folder
    card = load_card(folder)
    if card.outline is None:
        return card.model_id, None
    selection = select_unseen(options.folder, folder)
    table: pd.DataFrame = list_outlined(selection.table, options.folder, options.limit)
    counter = make_counter("Reading photographs")
    return card.model_id, measure_dice(load_classifier(folder), table, counter)


def _describe_dice(model_id: str, dice: "dict[str, Figure]") -> str:
    from melanoma_core.models.card_text.formats import format_figure, format_value

    mean = dice["dice"]
    return (
        f"Outlines of {model_id} on {mean.total:,} photographs of {mean.num_lesions:,} lesions not "
        f"seen in training: Dice {format_value(mean.value, mean.low, mean.high)}; Jaccard index "
        f"below 0.65: {format_figure('failed', dice['failed'])}."
    )


def _format(summary: "OutlineSummary") -> list[str]:
    """Return one table for each measure, one for the colours, and one for what is missing."""
    from melanoma_core.models.card_text.formats import format_figure, format_value
    from melanoma_core.reading.outline_text import TITLES

    tables = []
    for name, auc in summary.roc_auc.items():
        rows = [
            (
                label,
                f"{spread.mean.total:,}",
                f"{spread.mean.num_lesions:,}",
                format_value(spread.mean.value, spread.mean.low, spread.mean.high),
                " / ".join(f"{each:.3g}" for each in spread.quartiles),
            )
            for label, spreads in summary.spreads.items()
            for spread in (spreads[name],)
        ]
        title = TITLES.get(name, "Number of colours")
        ranking = format_value(auc.value, auc.low, auc.high)
        tables.append(
            f"{title}. ROC AUC of this measure alone for melanoma: {ranking}\n\n"
            + _format_table(("Diagnosis", "Photographs", "Lesions", "Mean", "Quartiles"), rows)
        )
    shares = {
        "Share of photographs with each colour": summary.colours,
        "Share of photographs with missing measures": summary.missing,
    }
    for title, by_label in shares.items():
        names = tuple(next(iter(by_label.values())))
        cells = [
            (label, *(format_figure("share", figures[name]) for name in names))
            for label, figures in by_label.items()
        ]
        tables.append(f"{title}\n\n" + _format_table(("Diagnosis", *names), cells))
    return tables


def _format_table(head: tuple[str, ...], rows: "Sequence[tuple[str, ...]]") -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
