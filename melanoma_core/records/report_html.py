"""The report of a lesion as HTML, for a page, for its print view and for an export."""

from collections.abc import Iterable, Sequence
from html import escape

from melanoma_core.models.card_text.printable import strip_unseen
from melanoma_core.records.report import LesionReport
from melanoma_core.software import DISCLAIMER, SOFTWARE, VERSION

NOTICE = f"{DISCLAIMER} Written with {SOFTWARE} {VERSION}."


def show(text: str) -> str:
    """Return a text as HTML: escaped, without characters that are not seen.

    >>> show("a<b>\u202e")
    'a&lt;b&gt;'
    """
    return escape(strip_unseen(text))


def render_head(report: LesionReport) -> str:
    """Render what stands above the pictures: lesion, patient, when and for whom."""
    lines = "".join(f"<p>{show(each)}</p>" for each in (*report.facts, report.made))
    return f'<section class="report"><p class="title">{show(report.title)}</p>{lines}</section>'


def render_body(report: LesionReport, missing: Sequence[str] = ()) -> str:
    """Render what stands below the pictures.

    Args:
        report: What it says.
        missing: Why photographs are not shown (`ReportPictures.missing`).
    """
    warnings = "".join(f"<p>{show(each)}</p>" for each in (*report.warnings, *missing))
    steps = render_table(
        ("Step", "What it says", "Who and when"),
        ((each.name, each.text, each.signed) for each in report.steps),
    )
    notes = show(report.notes or "–").replace("\n", "<br>")
    return (
        f'<section class="report"><p class="title">{show(report.headline)}</p>{warnings}{steps}'
        f'{_render_reading(report)}<p class="title">Notes</p><p>{notes}</p>'
        f"<p>{NOTICE}</p></section>"
    )


def render_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Render a table of texts; the first cell of each row names it."""
    columns = "".join(f'<th scope="col">{show(each)}</th>' for each in head)
    body = "".join(
        f'<tr><th scope="row">{show(row[0])}</th>'
        f"{''.join(f'<td>{_show_lines(each)}</td>' for each in row[1:])}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"


def _render_reading(report: LesionReport) -> str:
    if not report.reading:
        return ""
    alerts = (
        render_table(("AI reading", "Probability", "Alert", "Operating point"), report.alerts)
        if report.alerts
        else ""
    )
    named = ", ".join(f"{name} {share}" for name, share in report.diagnoses)
    probable = f"<p>Most probable: {show(named)}.</p>" if named else ""
    limits = "".join(f"<li>{show(each)}</li>" for each in report.limits)
    return (
        f"{alerts}{probable}<p>{show(report.reading)}</p>"
        f'<p class="title">Limitations of the model</p><ul>{limits}</ul>'
    )


def _show_lines(text: str) -> str:
    return show(text).replace("\n", "<br>")
