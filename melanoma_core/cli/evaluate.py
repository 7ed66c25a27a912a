"""`python -m melanoma_core evaluate …`: evaluate a model on a labelled folder.

Like every command, it imports what it needs when it runs.
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

_MAX_LISTED = 10  # unreadable files


def add_evaluate_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `evaluate` to the command line."""
    evaluate = commands.add_parser(
        "evaluate", help="evaluate a model on a folder of labelled images"
    )
    evaluate.add_argument(
        "folder", type=Path, metavar="DIR", help="a dataset folder: one collection or several"
    )
    evaluate.add_argument("--model", metavar="ID", help="default: the deployed model")
    evaluate.add_argument(
        "--subset",
        choices=("test", "validation", "train", "all"),
        help="default: the folder's test subset, or all images if it has none",
    )
    evaluate.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="use the labels of a cleaned table written by `dataset audit`",
    )
    evaluate.add_argument(
        "--with-trained",
        action="store_true",
        help="include images seen in training; the metrics are then too optimistic",
    )
    evaluate.add_argument(
        "--prevalence",
        type=_parse_share,
        metavar="P",
        help="also compute PPV and NPV at this prevalence of melanoma, for example 0.02",
    )
    evaluate.add_argument("--json", action="store_true", help="print one JSON document")
    evaluate.add_argument(
        "--out", type=Path, metavar="FILE", help="write the JSON document to FILE"
    )
    evaluate.set_defaults(run=_evaluate)


def _parse_share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(
            f'found "{text}"; it must lie between 0 and 1, for example 0.02'
        )
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
        make_counter("Reading images"),
        make_counter("Scanning images"),
    )
    document = to_jsonable(assessment) | _compute_at_prevalence(assessment, options.prevalence)
    if options.out:
        text = dump_json(document, indent=2, ensure_ascii=True)
        write_file(options.out, f"{text}\n".encode(), "or name another file")
    if options.json:
        print_json(document)
    else:
        _print_evaluation(assessment, options.prevalence)
    return 0


def _compute_at_prevalence(
    assessment: "Assessment", prevalence: float | None
) -> dict[str, dict[str, object] | None]:
    """Return the predictive values at the requested prevalence, if any."""
    from melanoma_core.evaluation.alerts import predict_values

    if prevalence is None:
        return {"at_prevalence": None}
    figures = assessment.evaluation.figures
    values = predict_values(figures["sensitivity"], figures["specificity"], prevalence)
    return {"at_prevalence": to_jsonable(values)}


def _print_evaluation(assessment: "Assessment", prevalence: float | None) -> None:
    from melanoma_core.assessment.tables import (
        describe_assessment,
        describe_prevalence,
        format_tables,
    )

    for sentence in describe_assessment(assessment):
        print(sentence)
    print(f"\n{format_tables(assessment)}")
    if prevalence is not None:
        print(f"\n{describe_prevalence(assessment.evaluation.figures, prevalence)}")
    for name, reason in list(assessment.unreadable.items())[:_MAX_LISTED]:
        log(f"Unreadable: {name}. {reason}")
    if len(assessment.unreadable) > _MAX_LISTED:
        log(f"… and {len(assessment.unreadable) - _MAX_LISTED:,} more.")
