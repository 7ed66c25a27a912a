"""HTML of a comparison: how two photographs lie on each other, and what changed; escaped."""

from html import escape
from typing import TYPE_CHECKING

from dashboard.shared.markup import render_code, render_paragraphs
from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.taxonomy import Diagnosis, title_label

if TYPE_CHECKING:
    from melanoma_core.records.change import Change, Comparison
    from melanoma_core.records.change_text import ChangeText
    from melanoma_core.records.registration import NotRegistered, Registration

_COLUMNS = ("Measure", "Earlier", "Later", "Difference", "95% limits of agreement", "What it means")
_MEANING = (
    "Limits of agreement: between these values lie 95% of second photographs of a lesion that has "
    "not changed, given the earlier one. What is beyond them has changed; why, they do not say."
)


def render_registration(registration: "Registration | NotRegistered") -> str:
    """Render how the later photograph was laid on the earlier one, or why it was not."""
    from melanoma_core.records.registration import NotRegistered

    if isinstance(registration, NotRegistered):
        said = f"Not laid on each other. {registration.reason}"
    else:
        said = (
            f"The later photograph is laid on the earlier one: {registration.num_inliers} of "
            f"{registration.num_matches} matched features agree. It is shown at "
            f"{registration.scale:.2f} times its size, turned by {registration.rotation:.0f}°, and "
            f"covers {format_percent(registration.overlap)} of the earlier one."
        )
    return f'<p class="fact">{escape(said.replace("-", "−"))}</p>'


def render_changes(comparison: "Comparison") -> str:
    """Render the measures and the probability of melanoma; other probabilities are closed."""
    from melanoma_core.records.change_text import is_probability

    melanoma = f"of {title_label(Diagnosis.MEL)}"
    main: list[Change] = []
    others: list[Change] = []
    for change in comparison.changes:
        is_other = is_probability(change) and not change.name.endswith(melanoma)
        (others if is_other else main).append(change)
    closed = f"<details><summary>Other probabilities</summary>{_render_table(others)}</details>"
    return (
        f"{render_paragraphs(f'WARNING: {each}' for each in comparison.warnings)}"
        f'{_render_table(main)}{closed if others else ""}<p class="fact">{_MEANING}</p>'
    )


def _render_table(changes: "list[Change]") -> str:
    from melanoma_core.records.change_text import describe_change

    head = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    rows = "".join(map(_render_row, map(describe_change, changes)))
    return (
        '<div class="scrolls"><table class="answers changes">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _render_row(text: "ChangeText") -> str:
    reason = f'<br><span class="fact">{render_code(text.reason)}</span>' if text.reason else ""
    values = (text.earlier, text.later, text.difference, text.limits)
    cells = (*map(escape, values), escape(text.verdict) + reason)
    labelled = "".join(
        f'<td data-label="{column}">{cell}</td>'
        for column, cell in zip(_COLUMNS[1:], cells, strict=True)
    )
    return f'<tr><th scope="row">{escape(text.title)}</th>{labelled}</tr>'
