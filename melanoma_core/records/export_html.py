"""The page of a patient's export: one HTML file that a browser shows without a network."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from melanoma_core.records.dates import write_moment
from melanoma_core.records.drawn import is_drawn
from melanoma_core.records.entities import Lesion, Patient, Photograph
from melanoma_core.records.entry import Entry
from melanoma_core.records.history import Event
from melanoma_core.records.report_html import NOTICE, render_table, show
from melanoma_core.records.wording import describe, find_differences, say, summarise, title_kind

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#16202a;background:#fff}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;
border-bottom:1px solid #c9d2db}
td{overflow-wrap:anywhere;min-width:3.5rem}
th[scope=row]{white-space:nowrap;font-weight:600}
figure{display:inline-block;margin:0 1rem 1rem 0;width:18rem}
img{width:100%;height:auto}
figcaption{font-size:.85rem}
@media (prefers-color-scheme:dark){body{color:#e8edf2;background:#10161c}a{color:#8ec5ff}}
"""
# No script, and nothing from elsewhere, whatever the record holds.
_POLICY = "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Exported:
    """What an export holds.

    Attributes:
        patient: The patient.
        history: All entries with all versions, the newest first.
        images: Names of the files of photographs and heatmaps, by SHA-256 (hex).
        reports: Names of the reports, by id of the lesion.
        missing: Photographs whose file is damaged, a sentence each.
    """

    patient: Entry[Patient]
    history: tuple[Event, ...]
    images: dict[str, str]
    reports: dict[str, str]
    missing: tuple[str, ...]


def render_index(exported: Exported, by: str, at: datetime) -> str:
    """Render the page.

    Args:
        exported: What the export holds.
        by: Who has exported it.
        at: When, in the zone in which times are written.
    """
    title = f"Patient {exported.patient.value.pseudonym}"
    facts = render_table(
        ("Patient", ""), ((each.label, each.text) for each in describe(exported.patient.value))
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{show(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{show(title)}</h1>{''.join(_list_introduction(exported, by, at))}{facts}"
        f"{''.join(_list_lesions(exported))}{_render_history(exported, at)}"
        f"<p>{NOTICE}</p></main></body></html>"
    )


def _list_introduction(exported: Exported, by: str, at: datetime) -> Iterator[str]:
    yield (
        f"<p>All that the record holds of this patient, exported by {show(by)} on "
        f"{show(say(at.date()))} at {at:%H:%M %Z}. The same is in <a href='entries.json'>"
        "entries.json</a> for programs, and in the folder <code>tables</code> for spreadsheets, "
        "with the audit log: who saw and changed what.</p>"
    )
    if is_drawn(exported.patient.value):
        yield "<p><strong>Demonstration: drawn by a program, and invented.</strong></p>"
    for text in exported.missing:
        yield f"<p>{show(text)}</p>"


def _list_lesions(exported: Exported) -> Iterator[str]:
    """Yield a section of each lesion with its report and photographs, then the overviews."""
    for event in reversed(exported.history):
        if event.kind is Lesion:
            lesion = event.current
            report = exported.reports.get(lesion.id)
            link = f'<p><a href="{report}">Report (PDF)</a></p>' if report else ""
            why = f"<p>Withdrawn: {show(lesion.withdrawn)}</p>" if lesion.withdrawn else ""
            yield f"<section><h2>Lesion {show(summarise(lesion.value))}</h2>{why}{link}"
            yield from _list_photographs(exported, lesion.id)
            yield "</section>"
    overviews = list(_list_photographs(exported, None))
    if overviews:
        yield f"<section><h2>Overviews</h2>{''.join(overviews)}</section>"


def _list_photographs(exported: Exported, lesion_id: str | None) -> Iterator[str]:
    for event in exported.history:
        value = event.current.value
        if isinstance(value, Photograph) and value.lesion_id == lesion_id:
            name = exported.images.get(value.sha256)
            caption = show(summarise(value))
            if event.current.withdrawn:
                caption += f" (withdrawn: {show(event.current.withdrawn)})"
            if name:
                yield (
                    f'<figure><img src="{name}" alt="{caption}"><figcaption>{caption}</figcaption>'
                    "</figure>"
                )


def _render_history(exported: Exported, at: datetime) -> str:
    """Render all entries, the newest first, with every earlier version."""
    labels = {
        each.current.id: each.current.value.label
        for each in exported.history
        if each.kind is Lesion
    }
    rows = [
        (
            say(event.day),
            title_kind(event.kind),
            labels.get(getattr(event.current.value, "lesion_id", None) or "", ""),
            _describe_event(event),
            "\n".join(_sign(entry, at) for entry in event.versions),
        )
        for event in exported.history
    ]
    head = ("Day", "What", "Lesion", "What it says", "Who and when")
    return f"<h2>All entries, the newest first</h2>{render_table(head, rows)}"


def _describe_event(event: Event) -> str:
    """Return what an entry says now, what was corrected, and why it was withdrawn."""
    lines = [f"{each.label}: {each.text}" for each in describe(event.current.value)]
    for before, after in zip(event.versions, event.versions[1:], strict=False):
        lines += [
            f"Version {after.version} changed {each.label}: {each.before} → {each.after}"
            for each in find_differences(before.value, after.value)
        ]
    if event.current.withdrawn:
        lines.append(f"Withdrawn: {event.current.withdrawn}")
    return "\n".join(lines)


def _sign(entry: Entry[Any], at: datetime) -> str:
    return f"{entry.by}, {write_moment(entry.at.astimezone(at.tzinfo))} (version {entry.version})"
