"""`python -m melanoma_core evaluate …`: evaluate a model on a labelled folder.

Like every command, it imports what it needs when it runs.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.terminal import log, make_counter, make_folder, print_json
from melanoma_core.errors import SettingsError
from melanoma_core.files import write_file
from melanoma_core.jsonable import dump_json, to_jsonable
from melanoma_core.settings import load_settings, parse_prevalence

if TYPE_CHECKING:
    from melanoma_core.assessment.assessment import Assessment
    from melanoma_core.evaluation.evaluation import Evaluation

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
        type=_parse_shares,
        metavar="P",
        help="also compute PPV and NPV at this prevalence: of melanoma, for example 0.02, or of "
        "melanoma and skin cancer, for example 0.02,0.08; default: MELANOMA_PREVALENCE",
    )
    evaluate.add_argument("--json", action="store_true", help="print one JSON document")
    evaluate.add_argument(
        "--out", type=Path, metavar="FILE", help="write the JSON document to FILE"
    )
    evaluate.set_defaults(run=_evaluate)


def _parse_shares(text: str) -> tuple[float, ...] | None:
    try:
        return parse_prevalence("--prevalence", text)
    except SettingsError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


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
    shares = options.prevalence or load_settings().prevalence or ()
    document = to_jsonable(assessment) | _compute_at_prevalence(assessment, shares)
    if options.out:
        text = dump_json(document, indent=2, ensure_ascii=True)
        write_file(options.out, f"{text}\n".encode(), "or name another file")
    if options.json:
        print_json(document)
    else:
        _print_evaluation(assessment, shares)
    return 0


def _compute_at_prevalence(
    assessment: "Assessment", shares: Sequence[float]
) -> dict[str, dict[str, object] | None]:
    """Return the predictive values of both alerts, of the headline and beside it of all images.

    Args:
        assessment: With the metrics.
        shares: Prevalence of melanoma and of skin cancer; shorter where they are not given.
    """
    from melanoma_core.assessment.assessment import Part

    if not shares:
        return {"at_prevalence": None}
    parts = assessment.parts
    part = next(iter(parts))
    values = _predict_alerts(parts[part], shares) | {"images": str(part)}
    if part is not Part.ALL:
        values["all_images"] = _predict_alerts(parts[Part.ALL], shares)
    return {"at_prevalence": values}


def _predict_alerts(evaluation: "Evaluation", shares: Sequence[float]) -> dict[str, object]:
    """Return the predictive values of the melanoma alert, with those of the skin cancer alert."""
    from melanoma_core.models.card_text.prevalence import MELANOMA, SKIN_CANCER, predict_alert

    melanoma, skin_cancer = (
        predict_alert(evaluation.figures, kind, share)
        for kind, share in zip((MELANOMA, SKIN_CANCER), (*shares, math.nan), strict=False)
    )
    return (to_jsonable(melanoma) or {}) | {"skin_cancer": to_jsonable(skin_cancer)}


def _print_evaluation(assessment: "Assessment", shares: Sequence[float]) -> None:
    from melanoma_core.assessment.assessment import Part
    from melanoma_core.assessment.tables import describe_assessment, format_tables
    from melanoma_core.models.card_text.prevalence import MELANOMA, SKIN_CANCER, describe_alert

    for sentence in describe_assessment(assessment):
        print(sentence)
    print(f"\n{format_tables(assessment)}")
    parts = assessment.parts
    for part in dict.fromkeys((next(iter(parts)), Part.ALL)):
        for kind, share in zip((MELANOMA, SKIN_CANCER), shares, strict=False):
            if text := describe_alert(parts[part].figures, kind, share):
                print(f"\n{part}: {text}")
    for name, reason in list(assessment.unreadable.items())[:_MAX_LISTED]:
        log(f"Unreadable: {name}. {reason}")
    if len(assessment.unreadable) > _MAX_LISTED:
        log(f"… and {len(assessment.unreadable) - _MAX_LISTED:,} more.")
