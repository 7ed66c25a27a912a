"""The command `models average`. It alone of the command line needs TensorFlow in its process."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.terminal import log, make_counter, print_json
from melanoma_core.jsonable import to_jsonable
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.networks.found import Photographs


def add_average_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add `average` to the commands of `models`."""
    average = commands.add_parser(
        "average",
        help="average the weights of a model with those of the model that it started from",
    )
    average.add_argument("model", metavar="ID")
    chosen = average.add_mutually_exclusive_group(required=True)
    chosen.add_argument(
        "--compare",
        type=_parse_share,
        nargs="+",
        metavar="SHARE",
        help="measure these shares of the older weights on validation photographs, write nothing",
    )
    chosen.add_argument(
        "--share", type=_parse_share, metavar="SHARE", help="write the average as a new model"
    )
    average.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="folders with the photographs of the model, which are found by their content; "
        "--compare needs those of validation",
    )
    average.add_argument("--json", action="store_true", help="print one JSON document")
    average.set_defaults(run=_average)


def _average(options: argparse.Namespace) -> int:
    from melanoma_core.cli.files import open_files
    from melanoma_core.errors import ModelError
    from melanoma_core.models.card import load_card
    from melanoma_core.models.registry import find_model
    from melanoma_core.networks.averaging import find_parent
    from melanoma_core.networks.found import Photographs

    settings = load_settings()
    folder = find_model(settings, options.model)
    parent_id = find_parent(load_card(folder))
    if parent_id is None:
        raise ModelError(
            f"The training of {options.model} started from no model, so there are no weights to "
            "average with. Name a model that was trained with --from."
        )
    photographs = Photographs(
        [open_files(each).records for each in options.data],
        options.data,
        make_counter("Photographs"),
    )
    parent = find_model(settings, parent_id)
    if options.compare:
        return _compare_shares(options, folder, parent, photographs)
    return _write_average(options, folder, parent, photographs)


def _compare_shares(
    options: argparse.Namespace, folder: Path, parent: Path, photographs: "Photographs"
) -> int:
    from melanoma_core.networks.averaging import compare_shares, load_pair
    from melanoma_core.networks.found import find_split
    from melanoma_core.training.preparation import VALIDATION

    pair = load_pair(folder, parent)
    table = find_split(folder, pair.card, photographs, [VALIDATION]).table
    validation = table[table["subset"] == VALIDATION].reset_index(drop=True)
    rows = compare_shares(pair, validation, options.compare, photographs.progress)
    if options.json:
        print_json(rows.to_dict("records"))
    else:
        print(f"Validation photographs of {pair.card.model_id}, one view each, without intervals\n")
        print(rows.round(3).to_string(index=False))
    return 0


def _write_average(
    options: argparse.Namespace, folder: Path, parent: Path, photographs: "Photographs"
) -> int:
    from melanoma_core.models.card import load_card
    from melanoma_core.models.card_text.tables import write_figures
    from melanoma_core.networks.averaging import Sources, release_average
    from melanoma_core.training.recipe import Recipe
    from melanoma_core.training.weights import find_novelty_weights

    settings = load_settings()
    started_from_a_model = Recipe("", weights="model.keras")
    weights = find_novelty_weights(started_from_a_model, settings.weights_dir)
    sources = Sources(photographs, settings.models_dir, weights)
    card = load_card(release_average(folder, parent, options.share, sources))
    log(f"`python -m melanoma_core promote {card.model_id}` deploys it.")
    if options.json:
        print_json(to_jsonable(card))
    else:
        print(f"{card.model_id}, averaged from {options.model}\n\n{write_figures(card)}")
    return 0


def _parse_share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; a share is a number from 0, the trained weights, to 1, the older ones"
        )
    return share
