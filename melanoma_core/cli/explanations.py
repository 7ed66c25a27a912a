"""`python -m melanoma_core explanations …`: how far a model's heatmaps can be trusted.

As everywhere on the command line, a command imports what it needs when it runs.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.files import open_files
from melanoma_core.cli.terminal import log, make_counter, print_json
from melanoma_core.errors import DatasetError
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.methods import Method
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.models.card import ModelCard


def add_explanations_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add `explanations` to the command line."""
    parser = commands.add_parser("explanations", help="test a model's heatmaps")
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="photographs with outlines in masks/ beside them, as HAM10000 has them",
    )
    parser.add_argument("--model", metavar="ID", help="default: the model that reads")
    parser.add_argument(
        "--method",
        choices=[str(method) for method in Method],
        default=str(Method.GRAD_CAM),
        help="how the heatmaps are made; default: %(default)s",
    )
    parser.add_argument(
        "--limit", type=_parse_limit, metavar="N", help="test N photographs, drawn at random"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=_explanations)


def _parse_limit(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'found "{text}"; it must be a whole number from 1')
    return int(text)


def _explanations(options: argparse.Namespace) -> int:
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import find_model
    from melanoma_core.networks.explainer import Explainer
    from melanoma_core.reading.faithfulness import MapMaker, measure_maps

    folder = find_model(load_settings(), options.model)
    classifier, explainer = load_classifier(folder), Explainer()
    table, is_told = _select(options.folder, folder)
    try:
        maker = MapMaker(classifier, folder, explainer, Method(options.method))
        figures = measure_maps(maker, table, options.limit, make_counter("Testing heatmaps"))
    finally:
        explainer.close()
    if figures is None:
        raise DatasetError(
            f"Found no outline of a lesion beside the photographs in {options.folder} that are new "
            "to the model. Put them into masks/ beside the folder of the photographs, named as "
            "HAM10000's: ISIC_0024306_segmentation.png."
        )
    _tell(replace(classifier.card, explanation={options.method: figures}), is_told, options)
    return 0


def _select(data: Path, model: Path) -> "tuple[pd.DataFrame, bool]":
    """Return the photographs that are new to a model, and whether it tells which those are."""
    from melanoma_core.assessment.selection import ALL, leave_out_known, select_photographs
    from melanoma_core.models.lineage import read_split

    selection = select_photographs(open_files(data), ALL, read_split(model))
    if not selection.is_lineage_known:
        log("The model does not tell what it learned from: it may know some of these photographs.")
    return selection.table[leave_out_known(selection)], selection.is_lineage_known


def _tell(card: "ModelCard", is_told: bool, options: argparse.Namespace) -> None:
    from melanoma_core.models.card_text.heatmaps import describe_maps, tabulate_maps

    if options.json:
        document = {"model_id": card.model_id, "method": options.method}
        figures = to_jsonable(card)["explanation"][options.method]
        print_json(
            document
            | {"is_lineage_known": is_told, "verdict": describe_maps(card, options.method)}
            | {"figures": figures}
        )
        return
    print(f"{card.model_id}, {options.method}\n\n{describe_maps(card, options.method)}\n")
    for row in tabulate_maps(card):
        interval = f"({row['95% from']:.3f}–{row['95% to']:.3f})"
        value = "undefined" if math.isnan(row["Value"]) else f"{row['Value']:.3f} {interval}"
        print(f"{row['Photographs of']}: {row['Figure']}: {value}, of {row['Photographs']:,}")
