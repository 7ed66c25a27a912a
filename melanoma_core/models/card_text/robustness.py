"""How artefacts change what a model says, in a sentence and in tables."""

import math

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card_text.formats import (
    UNDEFINED,
    format_figure,
    format_percent,
)
from melanoma_core.models.card_text.section import Section, Table, Title

Robustness = dict[str, dict[str, Figure]]
_SHARES = {
    "false_alerts": "False melanoma alerts",
    "sensitivity": "Sensitivity for melanoma",
    "skin_cancer_false_alerts": "False skin cancer alerts",
    "skin_cancer_sensitivity": "Sensitivity for skin cancer",
    "refused": "Refused",
}
_CHANGES = {
    "melanoma_probability_change": "Mean absolute change of the probability of melanoma",
    "skin_cancer_probability_change": "Mean absolute change of the probability of skin cancer",
}
_NOT_MEASURED = "Not provided: no artefacts were drawn onto the photographs."
_NOTHING_WORSE = "None changes alerts by 5 points or refusals by 2 for the worse, with certainty."
_MANY_ALERTS, _MANY_REFUSALS = 0.05, 0.02  # changes that count, as shares
_WARNED = "warned"


def build_robustness(robustness: Robustness | None) -> Section:
    """Return the section of a card about artefacts."""
    if not robustness:
        return Section(Title.ROBUSTNESS, (_NOT_MEASURED,))
    tables = (_tabulate_changes(robustness), _tabulate_warnings(robustness))
    sentences = (describe_robustness(robustness), _describe_warnings(robustness))
    return Section(
        Title.ROBUSTNESS,
        tuple(filter(None, sentences)),
        tuple(table for table in tables if table.rows),
    )


def describe_robustness(robustness: Robustness) -> str:
    """Return which artefacts change alerts and refusals for the worse, and what was measured."""
    sizes = [figures["refused"] for figures in robustness.values() if "refused" in figures]
    if not sizes:  # a card that a person changed
        return _NOT_MEASURED
    verdicts = (
        _list_worse(robustness, "False melanoma alerts rise", "false_alerts", _MANY_ALERTS),
        _list_worse(robustness, "The sensitivity for melanoma falls", "sensitivity", -_MANY_ALERTS),
        _list_worse(robustness, "Refusals rise", "refused", _MANY_REFUSALS),
    )
    worse = " ".join(filter(None, verdicts))
    size = sizes[0]
    return (
        f"Artefacts were drawn onto {size.total:,} photographs of {size.num_lesions:,} lesions, by "
        "a generator that no network is trained with. Each photograph is compared with itself "
        f"without the artefact. {worse or _NOTHING_WORSE}"
    )


def _list_worse(robustness: Robustness, verdict: str, name: str, limit: float) -> str:
    """Return the artefacts whose change reaches a limit, if its interval excludes 0."""
    sign = math.copysign(1, limit)
    changed = f"{name}_change"
    changes = {kind: each[changed] for kind, each in robustness.items() if changed in each}
    worse = [
        f"{kind} ({_format_points(each)})"
        for kind, each in changes.items()
        if sign * each.value >= abs(limit) and (each.low if sign > 0 else -each.high) > 0
    ]
    if not worse:
        return ""
    return f"{verdict} by {100 * abs(limit):.0f} points or more with: {'; '.join(worse)}."


def _describe_warnings(robustness: Robustness) -> str:
    """Return how the share of right and of false warnings was measured; empty if it was not."""
    if not any(_WARNED in figures for figures in robustness.values()):
        return ""
    return (
        "A reading warns of ink, hair and rulers. The warnings were measured on drawn ones, on "
        "lesions that no limit was chosen on. No collection says which photographs show an "
        "artefact, and some do. So the warnings on unaltered photographs are an upper bound of "
        "the false ones."
    )


def _tabulate_changes(robustness: Robustness) -> Table:
    """Return a row for the unaltered photographs, then one for each artefact."""
    first = next(iter(robustness.values()))
    shares = {name: title for name, title in _SHARES.items() if name in first}
    changes = {name: title for name, title in _CHANGES.items() if name in first}
    unaltered = (
        "none",
        *(format_figure("share", first.get(f"{name}_before")) for name in shares),
        *("–" for _ in changes),
    )
    rows = tuple(
        (
            kind,
            *(
                f"{format_figure('share', figures.get(name))}; "
                f"{_format_points(figures.get(f'{name}_change'))}"
                for name in shares
            ),
            *(_format_mean(figures.get(name)) for name in changes),
        )
        for kind, figures in robustness.items()
    )
    head = ("Artefact", *shares.values(), *changes.values())
    return Table("Alerts and refusals with artefacts", head, (unaltered, *rows))


def _tabulate_warnings(robustness: Robustness) -> Table:
    """Return how often a reading warns of each artefact that it can find."""
    rows = tuple(
        (
            kind,
            format_figure("share", figures[_WARNED]),
            format_figure("share", figures.get(f"{_WARNED}_before")),
        )
        for kind, figures in robustness.items()
        if _WARNED in figures
    )
    head = ("Artefact", "Warned, where it was drawn", "Warned, unaltered photographs")
    return Table("Warnings of artefacts", head, rows)


def _format_points(figure: Figure | None) -> str:
    """Return a difference of two shares in percentage points, with its 95% confidence interval.

    >>> _format_points(Figure(0.125, 0.08, 0.17, None, 150, 140))
    '+12.5 points (+8.0 to +17.0)'
    >>> _format_points(Figure(0.0, float("nan"), float("nan"), None, 150, 140))
    '0.0 points'
    """
    if figure is None or math.isnan(figure.value):
        return UNDEFINED
    text = f"{_sign(figure.value)} points"
    if math.isnan(figure.low):  # all resamples are equal
        return text
    return f"{text} ({_sign(figure.low)} to {_sign(figure.high)})"


def _sign(share: float) -> str:
    rounded = round(100 * share, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"


def _format_mean(figure: Figure | None) -> str:
    if figure is None:
        return UNDEFINED
    return f"{format_percent(figure.value)} ({100 * figure.low:.1f}–{100 * figure.high:.1f})"
