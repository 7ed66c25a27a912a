"""The figures of an audit in words: tiles, and rows of tables that a page and a file show.

Every function returns plain text. The caller escapes it.
"""

import math
from collections.abc import Iterable, Sequence

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.reliability import CalibrationBin
from melanoma_core.models.card_text.formats import (
    UNDEFINED,
    format_interval,
    format_percent,
    format_value,
)
from melanoma_core.models.card_text.tiles import Tile
from melanoma_core.records.audit import Drift
from melanoma_core.records.audit_scores import ScoreQuality
from melanoma_core.records.audit_table import Condition, Judge, Scope
from melanoma_core.records.drift import ShareShift, Shift, Verdict
from melanoma_core.records.missed import MissedMelanoma
from melanoma_core.records.performance import Excisions, Group, Performance, Rates

TOO_FEW = "Too few to say"
_HEADLINES = (Judge.FIRST_READ, Judge.NETWORK, Judge.TOGETHER)
_NAMES = {
    Judge.FIRST_READ: "Doctor's first read",
    Judge.FIRST_OPINION: "Doctor's first diagnosis",
    Judge.NETWORK: "Network's alert",
    Judge.NETWORK_INTENDED: "Network's alert, refusals counted against it",
    Judge.TOGETHER: "Doctor with network",
}
_SIDES = ("sensitivity", "specificity")

Row = dict[str, str | float]


def name_judge(judge: Judge) -> str:
    """Return who judged, as a title.

    >>> name_judge(Judge.TOGETHER)
    'Doctor with network'
    """
    return _NAMES[judge]


def list_audit_tiles(performance: Performance, condition: Condition) -> list[Tile]:
    """Return the headline figures: those of each judge, then the excisions.

    Args:
        performance: Of the lesions that are shown.
        condition: What was looked for.
    """
    found = {each.judge: each for each in performance.rates if each.condition is condition}
    tiles = [
        _make_tile(f"{name_judge(judge)}: {side}", rates, side)
        for side in _SIDES
        for judge, rates in ((judge, found.get(judge)) for judge in _HEADLINES)
    ]
    tiles.insert(len(_HEADLINES), _make_excision_tile(performance.excisions, condition))
    return [*tiles, _make_basis_tile(performance, condition)]


def format_rate(figure: Figure, too_few: str = "") -> str:
    """Return a share with its interval and its counts, and whether it is of too few patients.

    >>> format_rate(Figure(0.75, 0.5, 1.0, 3, 4, 4), "Too few to say: 4 patients; 30 are needed")
    '75.0% (3 of 4; 95% CI 50.0–100.0%). Too few to say: 4 patients; 30 are needed'
    """
    if math.isnan(figure.value):
        return too_few or UNDEFINED
    counts = "" if figure.count is None else f"{figure.count:,} of {figure.total:,}; "
    text = f"{format_percent(figure.value)} ({counts}{format_interval(figure)})"
    return f"{text}. {too_few}" if too_few else text


def format_difference(figure: Figure, too_few: str = "") -> str:
    """Return a difference of shares in percentage points, with its interval.

    >>> format_difference(Figure(0.1, -0.02, 0.2, None, 40, 35))
    '+10.0 points (95% CI -2.0 to +20.0; 40 lesions)'
    """
    if math.isnan(figure.value):
        return too_few or UNDEFINED
    interval = (
        UNDEFINED
        if math.isnan(figure.low)
        else f"{100 * figure.low:+.1f} to {100 * figure.high:+.1f}"
    )
    lesions = f"{figure.total:,} lesion{'' if figure.total == 1 else 's'}"
    text = f"{100 * figure.value:+.1f} points (95% CI {interval}; {lesions})"
    return f"{text}. {too_few}" if too_few else text


def format_excisions(figure: Figure, too_few: str = "") -> str:
    """Return how many lesions were excised for each one that was found, with its interval.

    >>> format_excisions(Figure(5.0, 3.0, math.nan, None, 10, 9))
    '5.0 (95% CI 3.0 to no upper limit)'
    """
    if math.isnan(figure.value):
        at_least = "" if math.isnan(figure.low) else f", at least {figure.low:.1f}"
        text = f"{UNDEFINED}{at_least}"
    else:
        high = "no upper limit" if math.isnan(figure.high) else f"{figure.high:.1f}"
        text = f"{figure.value:.1f} (95% CI {figure.low:.1f} to {high})"
    return f"{text}. {too_few}" if too_few else text


def tabulate_rates(performance: Performance, condition: Condition) -> list[Row]:
    """Return sensitivity and specificity of each judge."""
    return [
        {
            "Judged by": name_judge(each.judge),
            "Sensitivity": format_rate(each.sensitivity, each.few_positives),
            "Specificity": format_rate(each.specificity, each.few_negatives),
        }
        for each in performance.rates
        if each.condition is condition
    ]


def tabulate_differences(performance: Performance, condition: Condition) -> list[Row]:
    """Return the paired differences between judges."""
    return [
        {
            "Compared on the same lesions": f"{name_judge(each.one)} − {name_judge(each.other)}",
            "Sensitivity": format_difference(each.sensitivity, each.few_positives),
            "Found by one alone": f"{each.found_by_one:,} against {each.found_by_other:,}",
            "Specificity": format_difference(each.specificity, each.few_negatives),
            "Spared by one alone": f"{each.spared_by_one:,} against {each.spared_by_other:,}",
        }
        for each in performance.differences
        if each.condition is condition
    ]


def tabulate_groups(groups: Sequence[Group], condition: Condition) -> list[Row]:
    """Return the figures of each part, with the excisions."""
    rows: list[Row] = []
    for group in groups:
        of_melanoma = condition is Condition.MELANOMA
        row: Row = {
            str(group.grouping).capitalize(): group.value,
            "Lesions": group.num_lesions,
            "Patients": group.num_patients,
            f"{condition}s".capitalize(): (
                group.num_melanomas if of_melanoma else group.num_skin_cancers
            ),
        }
        found = {each.judge: each for each in group.rates if each.condition is condition}
        for judge in _HEADLINES:
            rates = found.get(judge)
            row |= {f"{name_judge(judge)}: {side}": _format_side(rates, side) for side in _SIDES}
        figure = group.excisions.per_melanoma if of_melanoma else group.excisions.per_skin_cancer
        row[f"Excised per {condition}"] = format_excisions(figure, group.excisions.too_few)
        rows.append(row)
    return rows


def tabulate_scores(scores: Iterable[ScoreQuality], condition: Condition) -> list[Row]:
    """Return how good each probability is."""
    return [
        {
            "Probability": str(each.score).capitalize(),
            "Lesions": each.num_lesions,
            f"{condition}s".capitalize(): each.num_positives,
            "ROC AUC": _format_value(each.roc_auc),
            "Calibration error (ECE)": _format_value(each.calibration_error),
            "Brier score": _format_value(each.brier_score),
            "Note": each.too_few,
        }
        for each in scores
        if each.condition is condition
    ]


def tabulate_bins(bins: Iterable[CalibrationBin]) -> list[Row]:
    """Return a calibration curve as rows."""
    return [
        {
            "Predicted, on average": format_percent(each.predicted),
            "Observed": format_rate(each.observed),
        }
        for each in bins
    ]


def tabulate_missed(missed: Iterable[MissedMelanoma]) -> list[Row]:
    """Return the melanomas that were missed, without a name."""
    return [
        {
            "Lesion": each.case.lesion_id,
            "Visit": "" if each.case.visited_on is None else each.case.visited_on.isoformat(),
            "Missed by": describe_missing(each),
            "First read": each.first_read,
            "Network": each.network,
            "Decision": each.decision,
            "Histology": each.became_known,
        }
        for each in missed
    ]


def describe_missing(missed: MissedMelanoma) -> str:
    """Return who missed a melanoma, in words."""
    names = {Judge.TOGETHER: "the decision", Judge.NETWORK: "the network"}
    return ", ".join(names.get(judge, "the first read") for judge in missed.missed_by)


def describe_verdicts(drift: Drift) -> str:
    """Return how many comparisons show which verdict, the alerts first."""
    verdicts = [each.verdict for each in (*drift.against_card, *drift.against_start)]
    verdicts += [each.verdict for each in drift.shares]
    counts = [f"{each}: {verdicts.count(each):,}" for each in reversed(Verdict)]
    found = f"Comparisons of a month and a measure. {', '.join(counts).capitalize()}."
    return " ".join((found, *describe_trained(drift)))


def describe_trained(drift: Drift) -> list[str]:
    """Return what was left out since the model was trained on it, and what cannot be checked."""
    left_out = (
        "Photographs left out, since the model was trained on their patients: "
        f"{drift.trained_on:,}."
    )
    unchecked = (
        "Photographs of which it cannot be checked whether the model was trained on their "
        f"patients: {drift.unchecked:,}. They are counted."
    )
    counts = ((drift.trained_on, left_out), (drift.unchecked, unchecked))
    return [sentence for count, sentence in counts if count]


def tabulate_shifts(shifts: Iterable[Shift]) -> list[Row]:
    """Return how far each measure of each month is from its reference."""
    return [
        {
            "Measure": str(each.measure),
            "Month": each.month,
            "Compared with": each.reference,
            "Photographs": each.psi.total,
            "Median": f"{each.median:.3g}",
            "Median of the reference": f"{each.reference_median:.3g}",
            "PSI (95% CI)": _format_value(each.psi),
            "Verdict": str(each.verdict),
        }
        for each in shifts
    ]


def tabulate_shares(shares: Iterable[ShareShift]) -> list[Row]:
    """Return how many photographs of each month are unusual."""
    return [
        {
            "Photographs with": str(each.kind),
            "Month": each.month,
            "Share": format_rate(each.share),
            "Usual, at most": format_percent(each.usual),
            "Verdict": str(each.verdict),
        }
        for each in shares
    ]


def _make_tile(label: str, rates: Rates | None, side: str) -> Tile:
    if rates is None:
        return Tile(label, "None", "", "No lesion with ground truth was judged.")
    figure, few = _find_side(rates, side)
    if math.isnan(figure.value):
        return Tile(label, TOO_FEW, "", few)
    lesions = f"{figure.count:,} of {figure.total:,} lesions; {figure.num_lesions:,} patients"
    if few:
        interval = f"{format_percent(figure.value)}, {format_interval(figure)}"
        return Tile(label, TOO_FEW, interval, lesions)
    return Tile(label, format_percent(figure.value), format_interval(figure), lesions)


def _make_excision_tile(excisions: Excisions, condition: Condition) -> Tile:
    is_melanoma = condition is Condition.MELANOMA
    figure = excisions.per_melanoma if is_melanoma else excisions.per_skin_cancer
    basis = f"{excisions.excised:,} lesions with histology; {figure.num_lesions:,} patients"
    text = format_excisions(figure)
    label = f"Lesions excised per {condition} found"
    if excisions.too_few:
        return Tile(label, TOO_FEW, text, basis)
    value, _, interval = text.partition(" (")
    return Tile(label, value, interval.rstrip(")"), basis)


def _make_basis_tile(performance: Performance, condition: Condition) -> Tile:
    is_melanoma = condition is Condition.MELANOMA
    count = performance.num_melanomas if is_melanoma else performance.num_skin_cancers
    both = performance.scope is Scope.WITH_FOLLOW_UP
    known = f"{performance.by_histology:,} by histology, {performance.by_follow_up:,} by follow-up"
    return Tile(
        f"Lesions with ground truth {'' if both else 'by histology'}".strip(),
        f"{performance.num_lesions:,}",
        f"{count:,} with {condition}; {performance.num_patients:,} patients",
        known if both else "follow-up alone does not count here",
    )


def _find_side(rates: Rates, side: str) -> tuple[Figure, str]:
    if side == "sensitivity":
        return rates.sensitivity, rates.few_positives
    return rates.specificity, rates.few_negatives


def _format_side(rates: Rates | None, side: str) -> str:
    return "" if rates is None else format_rate(*_find_side(rates, side))


def _format_value(figure: Figure) -> str:
    return format_value(figure.value, figure.low, figure.high)
