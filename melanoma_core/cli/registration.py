"""`python -m melanoma_core registration`: how well photographs of one lesion are compared."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.files import choose_model, open_cleaned, parse_limit, select_unseen
from melanoma_core.cli.terminal import log, make_counter, print_json
from melanoma_core.jsonable import to_jsonable

if TYPE_CHECKING:
    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.records.registration_study import RegistrationStudy
    from melanoma_core.records.repeatability import ModelLimits
    from melanoma_core.records.repeatability_study import Agreement

    Agreements = dict[str, dict[str, Agreement]]

_ROWS = {
    "same": "two photographs of one lesion: registered",
    "others": "photographs of two lesions, at random: registered, wrongly",
    "alike": "photographs of the two most alike lesions: registered, wrongly",
    "warped": "taken again by a known transform: registered",
    "accurate": "of these, misplaced by at most 1% of the longer side",
    "matching": "registered outlines with a Dice coefficient of at least 0.8",
}


def add_registration_command(commands: Any) -> None:
    """Add `registration` to the parser's commands."""
    parser = commands.add_parser(
        "registration",
        help="measure how well two photographs of one lesion are laid on each other, and by how "
        "much they differ",
    )
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="images whose tables say which show the same lesion (lesion_id), such as HAM10000",
    )
    parser.add_argument("--model", metavar="ID", help="default: the deployed model")
    parser.add_argument(
        "--limit", type=parse_limit, metavar="N", help="N lesions of each source, drawn at random"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep by how much the model's outlines and probabilities differ in the folder of the "
        "model, so that a comparison can say what is more than that",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_registration)


def _registration(options: argparse.Namespace) -> int:
    from melanoma_core.data.splitting import find_groups
    from melanoma_core.records.registration_study import choose_pairs, study_registration
    from melanoma_core.records.repeatability_study import measure_distances, summarise

    table = open_cleaned(options.folder, None).table
    pairs = choose_pairs(table.assign(group=find_groups(table)), options.limit)
    study = study_registration(pairs, make_counter("Registering lesions"))
    drawn = summarise(measure_distances(pairs, progress=make_counter("Comparing outlines")))
    limits, read = _measure_model(options)
    if options.json:
        document = {"registration": study, "outlines": drawn | read, "limits": limits}
        print_json(to_jsonable(document))
    else:
        print(_format_study(study))
        print(_format_agreements(drawn | read))
    return 0


def _measure_model(options: argparse.Namespace) -> "tuple[ModelLimits | None, Agreements]":
    """Return the limits of the model on lesions that it has not seen; None if there are too few."""
    from melanoma_core.errors import DatasetError
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.records.registration_study import choose_pairs
    from melanoma_core.records.repeatability import write_limits
    from melanoma_core.records.repeatability_study import make_limits, measure_distances, summarise

    folder = choose_model(options.model).folder
    try:
        pairs = choose_pairs(select_unseen(options.folder, folder).table, options.limit)
    except DatasetError as error:
        log(f"The model is left out. {error}")
        return None, {}
    classifier = load_classifier(folder)
    counter = make_counter("Comparing readings")
    distances = measure_distances(pairs, classifier, counter)
    limits = make_limits(classifier.card.model_id, distances)
    if options.keep:
        write_limits(folder, limits)
    return limits, summarise(distances)


def _format_study(study: "RegistrationStudy") -> str:
    from melanoma_core.models.card_text.formats import format_figure, format_value
    from melanoma_core.records.registration import MIN_INLIERS

    lines = [
        f"At least {MIN_INLIERS} features must agree. The first half of the lesions would choose "
        f"{study.min_inliers}: one more than agreed in any of {study.num_compared:,} pairs of "
        "different lesions. All below is of the second half."
    ]
    for source, figures in study.sources.items():
        lines += ["", f"{source}: {figures.same.num_lesions:,} lesions"]
        for name, title in _ROWS.items():
            figure: Figure = getattr(figures, name)
            lines.append(f"- {title}: {format_figure(name, figure)}")
        half, most = figures.error_quantiles
        dice = figures.dice
        lines += [
            f"- misplaced by, of the longer side: half at most {half:.2%}, 95% at most {most:.2%}",
            f"- mean Dice coefficient: {format_value(dice.value, dice.low, dice.high)}",
        ]
    return "\n".join(lines)


def _format_agreements(agreements: "Agreements") -> str:
    from melanoma_core.models.card_text.formats import format_figure

    lines = [""]
    for kind, by_name in agreements.items():
        lines.append(
            f"{kind[:1].upper()}{kind[1:]}: 95% of pairs of the first half differ by at most"
        )
        for name, agreement in by_name.items():
            within = format_figure("share", agreement.within)
            lines.append(
                f"- {name}: {_format_limit(kind, name, agreement.limit)} "
                f"({agreement.num_chosen:,} pairs); of the second half: {within}"
            )
    return "\n".join(lines)


def _format_limit(kind: str, name: str, limit: float) -> str:
    """Return a limit with its unit: a factor for a ratio."""
    import math

    from melanoma_core.records.repeatability import RATIOS
    from melanoma_core.records.repeatability_study import PROBABILITIES

    if kind == PROBABILITIES:
        return f"{limit:.2f} of the logit"
    if name in RATIOS:
        return f"a factor of {math.exp(limit):.2f}"
    return f"{limit:.3g}"
