"""What changed between two photographs, in words: each measure with its unit and its limits."""

from collections.abc import Callable
from dataclasses import dataclass

from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.records.change import Change, Verdict

MISSING = "missing"
_SYMBOLS = {
    Verdict.CHANGED: "≠",
    Verdict.WITHIN: "≈",
    Verdict.NOT_COMPARABLE: "–",
    Verdict.LIMITS_UNKNOWN: "?",
}
_SHARE = "share of "
_PROBABILITY = "probability of "


@dataclass(frozen=True)
class ChangeText:
    """A change in words.

    Attributes:
        title: What is measured, with its unit.
        earlier: Its value in the earlier photograph, or that it is missing.
        later: The same of the later one.
        difference: Later minus earlier, with its sign; "–" if they are not comparable.
        limits: Between which values 95% of second photographs of an unchanged lesion lie.
        verdict: What the difference means, with a symbol of its own.
        reason: Why it is not comparable, or why the limits are unknown; "" otherwise.
    """

    title: str
    earlier: str
    later: str
    difference: str
    limits: str
    verdict: str
    reason: str


def describe_change(change: Change) -> ChangeText:
    """Return a change in words.

    Args:
        change: Of one measure, or of one probability.

    Example:
        >>> text = describe_change(Change(name="area", unit="mm²", earlier=10.0, later=12.5,
        ...     is_ratio=True, limits=(8.0, 12.0), verdict=Verdict.CHANGED))
        >>> text.title, text.difference, text.limits
        ('Area, mm²', '+2.5 (+25%)', '8.0 to 12.0')
    """
    form = _choose_form(change)
    name = change.name[0].upper() + change.name[1:]
    unit = change.unit.replace(_SHARE, "% of ") if change.unit.startswith(_SHARE) else change.unit
    return ChangeText(
        title=name if not unit or unit == "colours" else f"{name}, {unit}",
        earlier=MISSING if change.earlier is None else form(change.earlier),
        later=MISSING if change.later is None else form(change.later),
        difference=_describe_difference(change, form),
        limits="–" if change.limits is None else " to ".join(map(form, change.limits)),
        verdict=f"{_SYMBOLS[change.verdict]} {_describe_verdict(change.verdict)}",
        reason=change.reason,
    )


def is_probability(change: Change) -> bool:
    """Return whether a change is one of a probability, not of a measure."""
    return change.name.startswith(_PROBABILITY)


def _choose_form(change: Change) -> Callable[[float], str]:
    if is_probability(change) or change.unit.startswith(_SHARE):
        return format_percent
    if change.unit == "colours":
        return "{:.0f}".format
    if change.unit.startswith("mm"):
        return "{:.1f}".format
    return "{:,.0f}".format if change.unit else "{:.2f}".format


def _describe_difference(change: Change, form: Callable[[float], str]) -> str:
    difference, relative = change.difference, change.relative
    if difference is None:
        return "–"
    text = (
        f"{100 * abs(difference):.1f} points" if form is format_percent else form(abs(difference))
    )
    share = "" if relative is None else f" ({_sign(relative)}{abs(relative):.0%})"
    return f"{_sign(difference)}{text}{share}"


def _sign(difference: float) -> str:
    return "−" if difference < 0 else "+" if difference > 0 else ""


def _describe_verdict(verdict: Verdict) -> str:
    if verdict is Verdict.CHANGED:
        return f"changed: {verdict}"
    return "limits not known" if verdict is Verdict.LIMITS_UNKNOWN else str(verdict)
