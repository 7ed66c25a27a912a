"""The command `records audit`: how good doctor, network and both together are in a record."""

import argparse
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from melanoma_core.cli.terminal import make_counter, print_json
from melanoma_core.errors import ModelError
from melanoma_core.names import neutralise
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.records.audit import Audit, Drift
    from melanoma_core.records.performance import Excisions, Group, Performance, Rates
    from melanoma_core.records.store import Record

_GROUPINGS = (
    "month",
    "year",
    "model",
    "version",
    "skin type",
    "device",
    "kind of photograph",
    "reader",
)


def add_audit_options(
    parser: argparse.ArgumentParser, open_record: "Callable[[argparse.Namespace], Record]"
) -> None:
    """Add the options of `records audit` to its parser.

    Args:
        parser: With the options that all commands of a record have.
        open_record: Opens the record that the options name.
    """
    parser.add_argument(
        "--follow-up",
        action="store_true",
        help="count also lesions that are confirmed as benign by follow-up alone",
    )
    parser.add_argument(
        "--divide-by",
        choices=_GROUPINGS,
        action="append",
        default=[],
        help="also by this; can be given several times",
    )
    parser.add_argument(
        "--histology-months",
        type=int,
        default=12,
        metavar="N",
        help="a histology counts for a visit up to N months after it; default: 12",
    )
    parser.add_argument(
        "--follow-up-months",
        type=int,
        default=18,
        metavar="N",
        help="a lesion is confirmed by follow-up after N months; default: 18",
    )
    parser.add_argument(
        "--model", metavar="ID", help="model for the drift; default: the deployed model"
    )
    parser.set_defaults(run=lambda options: _audit(options, open_record(options)))


def _audit(options: argparse.Namespace, record: "Record") -> int:
    from melanoma_core.evaluation.prevalence import Prevalence
    from melanoma_core.models.registry import find_model
    from melanoma_core.records.audit import make_audit, make_drift, read_audit_data
    from melanoma_core.records.audit_export import describe_audit, find_model_origins
    from melanoma_core.records.audit_table import Scope
    from melanoma_core.records.ground_truth import AuditRules
    from melanoma_core.records.performance import Grouping

    rules = AuditRules(options.histology_months, options.follow_up_months)
    data = read_audit_data(record, rules, make_counter("Reading lesions"))
    scope = Scope.WITH_FOLLOW_UP if options.follow_up else Scope.HISTOLOGY
    groupings = [Grouping(name) for name in dict.fromkeys(options.divide_by)]
    audit = make_audit(data.cases, scope, groupings)
    settings = load_settings()
    shares = settings.prevalence or ()
    prevalence = Prevalence(*shares) if len(shares) == 2 else None
    try:
        drift = make_drift(data.photographs, find_model(settings, options.model), prevalence)
    except ModelError:
        if options.model:
            raise
        drift = None  # a record can be audited where no model is
    if options.json:
        origins = find_model_origins(data.cases, settings)
        print_json(describe_audit(audit, drift, origins))
    else:
        _print(audit, drift)
    return 0


def _print(audit: "Audit", drift: "Drift | None") -> None:
    flow, performance = audit.flow, audit.performance
    print(f"Lesions: {flow.lesions:,}. Patients: {flow.patients:,}.")
    print(f"Decided: {flow.decided:,}. With tissue taken: {flow.excised:,}.")
    print(
        f"Ground truth ({performance.scope}): {performance.by_histology:,} by histology, "
        f"{performance.by_follow_up:,} by follow-up."
    )
    for reason, count in flow.left_out.items():
        print(f"Left out: {count:,}, {reason}.")
    if flow.trained_on:
        print(
            f"AI readings not counted: {flow.trained_on:,}, their model was trained on the patient."
        )
    _print_rates("sensitivity and specificity", performance.rates)
    _print_differences(performance)
    _print_excisions(performance.excisions)
    _print_scores(audit)
    for grouping, groups in audit.groups.items():
        for group in groups:
            _print_rates(f"{grouping}: {neutralise(group.value)} ({_count(group)})", group.rates)
    _print_missed(audit)
    if drift is not None:
        _print_drift(drift)
    print()
    for sentence in audit.bias:
        print(sentence)


def _count(group: "Group") -> str:
    return (
        f"lesions: {group.num_lesions:,}, patients: {group.num_patients:,}, melanomas: "
        f"{group.num_melanomas:,}"
    )


def _print_rates(title: str, rates: "Iterable[Rates]") -> None:
    print(f"\n{title}")
    for each in rates:
        print(f"  {each.judge}, {each.condition}")
        print(f"    sensitivity  {_format(each.sensitivity, each.few_positives)}")
        print(f"    specificity  {_format(each.specificity, each.few_negatives)}")


def _print_differences(performance: "Performance") -> None:
    print("\ndifferences on the same lesions")
    for each in performance.differences:
        print(f"  {each.one} minus {each.other}, {each.condition}")
        print(
            f"    sensitivity  {_format(each.sensitivity, each.few_positives)}; found by one "
            f"alone: {each.found_by_one:,} and {each.found_by_other:,}"
        )
        print(
            f"    specificity  {_format(each.specificity, each.few_negatives)}; spared by one "
            f"alone: {each.spared_by_one:,} and {each.spared_by_other:,}"
        )


def _print_excisions(excisions: "Excisions") -> None:
    figure = excisions.per_melanoma
    high = "no upper limit" if math.isnan(figure.high) else f"{figure.high:.1f}"
    number = "undefined" if math.isnan(figure.value) else f"{figure.value:.1f}"
    interval = "" if math.isnan(figure.low) else f" (95% CI {figure.low:.1f} to {high})"
    print(
        f"\nlesions excised per melanoma found: {number}{interval}; {excisions.melanomas:,} "
        f"melanomas among {excisions.excised:,}{_add(excisions.too_few)}"
    )


def _print_scores(audit: "Audit") -> None:
    for each in audit.scores:
        area, error = each.roc_auc, each.calibration_error
        print(
            f"\nprobability of {each.condition}, {each.score} ({each.num_lesions:,} lesions): "
            f"ROC AUC {_format_plain(area)}, calibration error {_format_plain(error)}"
            f"{_add(each.too_few)}"
        )


def _print_missed(audit: "Audit") -> None:
    print(f"\nmelanomas that were missed: {len(audit.missed):,}")
    for each in audit.missed:
        seen = f"{each.case.visited_on:%Y-%m-%d}" if each.case.visited_on else "no visit"
        print(f"  {seen}, lesion {each.case.lesion_id}, missed by {', '.join(each.missed_by)}")
        for sentence in (each.first_read, each.network, each.decision, each.became_known):
            print(f"    {neutralise(sentence)}")


def _print_drift(drift: "Drift") -> None:
    """Print the comparisons that say something, and count the others."""
    from melanoma_core.records.audit_text import describe_trained
    from melanoma_core.records.drift import Verdict

    shifts = (*drift.against_card, *drift.against_start)
    verdicts = [shift.verdict for shift in shifts] + [share.verdict for share in drift.shares]
    counts = ", ".join(f"{each}: {verdicts.count(each):,}" for each in Verdict)
    print(f"\nmonths compared ({counts})")
    for sentence in describe_trained(drift):
        print(f"  {sentence}")
    spoken = (Verdict.SOME, Verdict.ALERT)
    for shift in shifts:
        if shift.verdict in spoken:
            print(
                f"  {shift.month}, {shift.measure}, against {shift.reference}: PSI "
                f"{_format_plain(shift.psi)}, {shift.verdict}"
            )
    for share in drift.shares:
        if share.verdict in spoken:
            print(
                f"  {share.month}, {share.kind}: {_format(share.share, '')}; usual up to "
                f"{share.usual:.1%}; {share.verdict}"
            )


def _format(figure: "Figure", too_few: str) -> str:
    """Return a share or a difference with its count and its interval, in percent."""
    if math.isnan(figure.value):
        return too_few or "undefined"
    hits = "" if figure.count is None else f"{figure.count:,} "
    interval = (
        "95% CI undefined"
        if math.isnan(figure.low)
        else f"95% CI {figure.low:.1%} to {figure.high:.1%}"
    )
    return f"{figure.value:.1%} ({hits}of {figure.total:,}; {interval}){_add(too_few)}"


def _format_plain(figure: "Figure") -> str:
    if math.isnan(figure.value):
        return "undefined"
    return f"{figure.value:.3f} (95% CI {figure.low:.3f} to {figure.high:.3f})"


def _add(too_few: str) -> str:
    return f" [{too_few}]" if too_few else ""
