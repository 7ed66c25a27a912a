"""`python -m melanoma_core explanations …`: run the faithfulness tests of a model's heatmaps.

Like every command, it imports what it needs when it runs.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.files import choose_model, parse_limit, select_unseen
from melanoma_core.cli.terminal import make_counter, print_json
from melanoma_core.errors import DatasetError
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.methods import Method

if TYPE_CHECKING:
    from melanoma_core.assessment.selection import Selection
    from melanoma_core.models.card import ModelCard


def add_explanations_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add `explanations` to the command line."""
    parser = commands.add_parser(
        "explanations", help="run the faithfulness tests of a model's heatmaps"
    )
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="images with lesion outlines in a masks/ folder beside them, as in HAM10000",
    )
    parser.add_argument("--model", metavar="ID", help="default: the deployed model")
    parser.add_argument(
        "--method",
        choices=[str(method) for method in Method],
        default=str(Method.GRAD_CAM),
        help="heatmap method; default: %(default)s",
    )
    parser.add_argument(
        "--limit", type=parse_limit, metavar="N", help="test N images, drawn at random"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_explanations)


def _explanations(options: argparse.Namespace) -> int:
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.networks.explainer import Explainer
    from melanoma_core.reading.faithfulness import MapMaker, measure_maps

    serving = choose_model(options.model)
    folder = serving.folder
    classifier, explainer = load_classifier(folder), Explainer()
    selection = select_unseen(options.folder, folder)
    try:
        maker = MapMaker(classifier, folder, explainer, Method(options.method))
        figures = measure_maps(
            maker, selection.table, options.limit, make_counter("Testing heatmaps")
        )
    finally:
        explainer.close()
    if figures is None:
        raise DatasetError(
            f"Found no lesion outline for the unseen images in {options.folder}. The tests need at "
            "least 1. Put the outlines into a masks/ folder beside the folder of the images, named "
            "as in HAM10000: ISIC_0024306_segmentation.png."
        )
    card = replace(classifier.card, explanation={options.method: figures})
    _print_figures(card, selection, serving.notice, options)
    return 0


def _print_figures(
    card: "ModelCard", selection: "Selection", notice: str, options: argparse.Namespace
) -> None:
    from melanoma_core.models.card_text.formats import format_value
    from melanoma_core.models.card_text.heatmaps import describe_maps, tabulate_maps

    if options.json:
        document = {"model_id": card.model_id, "method": options.method}
        figures = to_jsonable(card)["explanation"][options.method]
        print_json(
            document
            | {"is_lineage_known": selection.is_lineage_known, "unchecked": selection.unchecked}
            | {"notice": notice}
            | {"verdict": describe_maps(card, options.method), "figures": figures}
        )
        return
    print(f"{card.model_id}, {options.method}\n\n{describe_maps(card, options.method)}\n")
    for row in tabulate_maps(card):
        value = format_value(row["Value"], row["95% CI from"], row["95% CI to"])
        print(f"{row['Diagnosis']}: {row['Test']}: {value}, of {row['Photographs']:,}")
