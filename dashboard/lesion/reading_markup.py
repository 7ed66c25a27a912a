"""HTML of an AI reading as it was kept. All text is escaped."""

from html import escape
from typing import TYPE_CHECKING

from dashboard.shared.clock import render_moment
from dashboard.shared.markup import name_diagnosis
from melanoma_core.models.card_text.formats import format_beside_threshold, format_percent
from melanoma_core.taxonomy import TIER_STYLES, Diagnosis, RiskTier

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.loop import AiReading, PhotographReading

_TIER = TIER_STYLES[RiskTier.MALIGNANT]


def render_reading(entry: "Entry[AiReading]") -> str:
    """Render the alert, both operating points, the diagnoses, and with what it was read."""
    reading = entry.value
    return (
        f"{_render_banner(reading)}{_render_points(reading)}{_render_diagnoses(reading)}"
        f'<p class="fact">Read {render_moment(entry.at)} for {escape(entry.by)} with model '
        f"{escape(reading.model_id)}, software {escape(reading.app_version)}. "
        f"{escape(_describe_prevalence(reading))} Kept as it was read, never computed again.</p>"
    )


def render_photograph(reading: "AiReading", photograph: "PhotographReading") -> str:
    """Render what the network said of one photograph."""
    from melanoma_core.records.kept_readings import list_probabilities

    if photograph.refusal:
        said = f"Not read: {photograph.refusal}"
    else:
        ranked = list_probabilities(reading.class_names, photograph.probabilities)[:3]
        said = ", ".join(f"{each.title} {format_percent(share)}" for each, share in ranked)
        said += " (out of distribution, read anyway)" if photograph.read_anyway else ""
    findings = "".join(f"<li>{escape(each)}</li>" for each in photograph.findings)
    return f"<p>{escape(said)}</p>{f'<ul>{findings}</ul>' if findings else ''}"


def _render_banner(reading: "AiReading") -> str:
    from melanoma_core.reading.statement import Level
    from melanoma_core.records.kept_readings import find_level

    level = find_level(reading)
    kind = {Level.MELANOMA: "alert", Level.SKIN_CANCER: "suspected"}.get(level or Level.NONE, "")
    symbol = _TIER.symbol if kind else "○"
    headline = str(level).capitalize() if level else "Not read"
    return (
        f'<section class="banner {kind or "no-alert"}" style="--tier:{_TIER.colour}">'
        f'<span class="shape" aria-hidden="true">{symbol}</span>'
        f'<div><p class="verdict">{escape(headline)}</p>'
        f"<p>{escape(reading.statement)}</p></div></section>"
    )


def _render_points(reading: "AiReading") -> str:
    """Render both operating points in force, each with its probability and its alert."""
    from melanoma_core.records.kept_readings import find_skin_cancer_probability

    rows = (
        (
            "Melanoma",
            reading.find_probability(Diagnosis.MEL),
            reading.melanoma_threshold,
            reading.melanoma_alert,
        ),
        (
            "Skin cancer",
            find_skin_cancer_probability(reading),
            reading.skin_cancer_threshold,
            reading.skin_cancer_alert,
        ),
    )
    body = "".join(
        _render_point(name, probability, threshold, alert)
        for name, probability, threshold, alert in rows
        if probability is not None and threshold is not None
    )
    return (
        '<table class="points"><thead><tr><th scope="col">Alert</th><th scope="col">Probability'
        '</th><th scope="col">Threshold</th><th scope="col">Raised</th></tr></thead>'
        f"<tbody>{body}</tbody></table>"
        if body
        else ""
    )


def _render_point(name: str, probability: float, threshold: float, alert: bool | None) -> str:
    shown, limit = format_beside_threshold(probability, threshold)
    raised = f"{_TIER.symbol} yes" if alert else "no"
    return f'<tr><th scope="row">{name}</th><td>{shown}</td><td>{limit}</td><td>{raised}</td></tr>'


def _render_diagnoses(reading: "AiReading") -> str:
    """Render all diagnoses, most probable first, at the prevalence in force where there is one."""
    from melanoma_core.records.kept_readings import list_probabilities

    shown = reading.adapted or reading.probabilities
    if not shown:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(name_diagnosis(each))}</th><td>{format_percent(share)}</td>'
        "</tr>"
        for each, share in list_probabilities(reading.class_names, shown)
    )
    return (
        '<details><summary>All diagnoses</summary><table class="points"><tbody>'
        f"{rows}</tbody></table></details>"
    )


def _describe_prevalence(reading: "AiReading") -> str:
    if reading.prevalence is None:
        return "No prevalence of a clinic was set."
    melanoma, skin_cancer = map(format_percent, reading.prevalence)
    return f"Prevalence in force: melanoma {melanoma}, skin cancer {skin_cancer}."
