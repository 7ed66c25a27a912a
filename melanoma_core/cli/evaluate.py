"""`python -m melanoma_core evaluate …`: how good a model is on a labelled folder.

As everywhere on the command line, a command imports what it needs when it runs.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.terminal import log, make_counter, make_folder, print_json
from melanoma_core.files import write_file
from melanoma_core.jsonable import dump_json, to_jsonable
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.assessment.assessment import Assessment

_MOST_NAMED = 10  # files that could not be read


def add_evaluate_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `evaluate` to the command line."""
    evaluate = commands.add_parser("evaluate", help="measure a model on labelled photographs")
    evaluate.add_argument(
        "folder", type=Path, metavar="DIR", help="a collection, or a folder of them"
    )
    evaluate.add_argument("--model", metavar="ID", help="default: the model that reads")
    evaluate.add_argument(
        "--subset",
        choices=("test", "validation", "train", "all"),
        help="as the folder calls it; default: test, or all where nothing is called so",
    )
    evaluate.add_argument(
        "--table", type=Path, metavar="FILE", help="a cleaned table of `dataset audit`"
    )
    evaluate.add_argument(
        "--with-trained",
        action="store_true",
        help="measure on what the model was fitted on, too: the figures are then too good",
    )
    evaluate.add_argument(
        "--prevalence",
        type=_parse_share,
        metavar="P",
        help="share of melanomas in your clinic, as 0.02",
    )
    evaluate.add_argument("--json", action="store_true", help="one JSON document")
    evaluate.add_argument("--out", type=Path, metavar="FILE", help="write the JSON document there")
    evaluate.set_defaults(run=_evaluate)


def _parse_share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f'found "{text}"; it must lie between 0 and 1, as 0.02')
    return share


def _evaluate(options: argparse.Namespace) -> int:
    from melanoma_core.assessment.evaluate import EvaluationRequest, evaluate_folder

    if options.out:
        make_folder(options.out.parent)
    request = EvaluationRequest(
        options.folder, options.model, options.subset, options.with_trained, options.table
    )
    assessment = evaluate_folder(
        load_settings(),
        request,
        make_counter("Reading photographs"),
        make_counter("Scanning photographs"),
    )
    document = to_jsonable(assessment) | _tell_elsewhere(assessment, options.prevalence)
    if options.out:
        text = dump_json(document, indent=2, ensure_ascii=True)
        write_file(options.out, f"{text}\n".encode(), "or name another file")
    if options.json:
        print_json(document)
    else:
        _tell(assessment, options.prevalence)
    return 0


def _tell_elsewhere(
    assessment: "Assessment", prevalence: float | None
) -> dict[str, dict[str, object] | None]:
    """Return what the alerts mean at a prevalence that somebody named."""
    from melanoma_core.evaluation.alerts import predict_values

    if prevalence is None:
        return {"at_prevalence": None}
    figures = assessment.evaluation.figures
    values = predict_values(figures["sensitivity"], figures["specificity"], prevalence)
    return {"at_prevalence": to_jsonable(values)}


def _tell(assessment: "Assessment", prevalence: float | None) -> None:
    from melanoma_core.assessment.tables import (
        describe_assessment,
        describe_prevalence,
        write_assessment,
    )

    for sentence in describe_assessment(assessment):
        print(sentence)
    print(f"\n{write_assessment(assessment)}")
    if prevalence is not None:
        print(f"\n{describe_prevalence(assessment.evaluation.figures, prevalence)}")
    for name, reason in list(assessment.unreadable.items())[:_MOST_NAMED]:
        log(f"{name}: not read. {reason}")
    if len(assessment.unreadable) > _MOST_NAMED:
        log(f"… and {len(assessment.unreadable) - _MOST_NAMED:,} more.")
