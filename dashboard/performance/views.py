"""The views of the audit: figures, groups, curves, missed melanomas, drift, and the flow."""

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.performance.cached import (
    get_drift,
    get_flow,
    get_groups,
    get_performance,
    get_scores,
    select_cases,
)
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.diagram import render_diagram
from dashboard.shared.downloads import show_chart
from dashboard.shared.html import show_html
from dashboard.shared.markup import render_paragraphs
from dashboard.shared.paging import choose_page
from dashboard.shared.prevalence import PREVALENCE, choose_prevalence, show_address_error
from dashboard.shared.tables import render_table
from melanoma_core.models.registry import find_model, list_models
from melanoma_core.records.dates import write_day
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.performance.choice import Choice
    from dashboard.performance.data import Kept
    from melanoma_core.records.drift import Shift
    from melanoma_core.records.missed import MissedMelanoma
    from melanoma_core.records.performance import Performance

_MISSED_PER_PAGE = 20
_HOLLOW = "Hollow marks are of fewer than 30 patients: too few to say."
_DOCTOR_NOTE = (
    "The points are those of the judges, with 95% CI. A point above the network's curve has a "
    "higher sensitivity at the same specificity. Lesions that were excised, or followed up, are "
    "not those that a clinic sees: see Flow and bias."
)


def show_figures(kept: "Kept", choice: "Choice") -> None:
    """Show each judge's figures, their differences, and what to keep in mind."""
    from dashboard.performance.charts import draw_rates
    from melanoma_core.records.audit_text import tabulate_differences, tabulate_rates

    performance = get_performance(kept, choice)
    rates = tabulate_rates(performance, choice.condition)
    if not rates:
        st.html("<p>No lesion with this ground truth has been judged yet.</p>")
        return
    show_chart(draw_rates(performance.rates, choice.condition), "audit-rates")
    st.caption(f"{_HOLLOW} Intervals resample patients.")
    show_html(render_table(rates, "Sensitivity and specificity of each judge"))
    differences = tabulate_differences(performance, choice.condition)
    if differences:
        st.header("Differences", anchor=False)
        show_html(render_table(differences, "Differences between judges, on the same lesions"))
        st.caption(
            "In percentage points, on the lesions that both judged. Above 0 the first leads."
        )


def show_groups(kept: "Kept", choice: "Choice") -> None:
    """Show the figures of each part."""
    from dashboard.performance.charts import SIDES, draw_groups
    from melanoma_core.records.audit_text import tabulate_groups

    groups = get_groups(kept, choice)
    if not groups:
        st.html("<p>No lesion has this ground truth yet.</p>")
        return
    for side, column in zip(SIDES, st.columns(2, gap="medium"), strict=True):
        with column:
            show_chart(draw_groups(groups, choice.condition, side), f"audit-{side}")
    st.caption(f"{_HOLLOW} Of 20 comparisons, one is outside its 95% CI by chance.")
    rows = tabulate_groups(groups, choice.condition)
    show_html(render_table(rows, f"Figures by {choice.grouping}"))


def show_curves(kept: "Kept", choice: "Choice") -> None:
    """Show the ROC curves with the judges' points, and the calibration here."""
    from dashboard.shared.curves import draw_calibration_bins
    from dashboard.shared.roc import RocLine, RocPoint, draw_rocs
    from melanoma_core.records.audit_table import Judge
    from melanoma_core.records.audit_text import name_judge, tabulate_bins, tabulate_scores

    scores, _ = get_scores(kept, choice)
    shown = [each for each in scores if each.condition is choice.condition]
    if not shown:
        st.html("<p>No lesion with this ground truth has a probability yet.</p>")
        return
    ordered = sorted(shown, key=lambda each: not str(each.score).startswith("network"))
    performance = get_performance(kept, choice)
    points = [
        RocPoint(name_judge(each.judge), each.sensitivity, each.specificity)
        for each in performance.rates
        if each.condition is choice.condition
        and each.judge in (Judge.FIRST_READ, Judge.NETWORK, Judge.TOGETHER)
    ]
    left, right = st.columns(2, gap="medium")
    with left:
        lines = [RocLine(f"{each.score}: probability", each.roc) for each in ordered]
        show_chart(draw_rocs(lines, points, f"ROC curves, {choice.condition}"), "audit-roc")
    with right:
        names = {str(each.score): each for each in ordered}
        name = st.selectbox("Calibration of", list(names), key="audit-calibration")
        score = names[name]
        figure = draw_calibration_bins(
            score.calibration,
            f"Calibration here: {score.score}",
            f"{choice.condition}s",
            str(score.score),
        )
        show_chart(figure, "audit-calibration-chart")
    st.caption(_DOCTOR_NOTE)
    show_html(render_table(tabulate_scores(ordered, choice.condition), "Probabilities"))
    show_html(render_table(tabulate_bins(score.calibration), "Calibration, bin by bin"))


def show_missed(kept: "Kept", choice: "Choice") -> None:
    """Show the melanomas that anyone missed, one by one, with a link to each lesion."""
    from melanoma_core.records.missed import list_missed

    missed = list_missed(select_cases(kept, choice))
    if not missed:
        st.html(
            "<p>No confirmed melanoma was missed by the decision, the network or a first read. "
            "A melanoma that was never excised is counted nowhere.</p>"
        )
        return
    st.html(
        f"<p>Missed by the decision, the network or the first read: {len(missed):,} "
        f"{'melanoma' if len(missed) == 1 else 'melanomas'}. "
        "Those that the decision missed come first.</p>"
    )
    rows = choose_page(len(missed), _MISSED_PER_PAGE, "missed", parameter="page")
    show_html("".join(_render_missed(each) for each in missed[rows]))


def _render_missed(missed: "MissedMelanoma") -> str:
    from melanoma_core.records.audit_text import describe_missing

    case = missed.case
    seen = "" if case.visited_on is None else f"<small>{write_day(case.visited_on)}</small>"
    sentences = (missed.first_read, missed.network, missed.decision, missed.became_known)
    lines = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return (
        f'<article class="finding"><h2>Missed by {escape(describe_missing(missed))} {seen}</h2>'
        f"<ul>{lines}</ul>"
        f'<p><a href="lesion?lesion={escape(case.lesion_id)}" target="_self">Open the lesion seen '
        f"on {escape(str(case.visited_on or 'an unknown day'))}</a></p></article>"
    )


def show_drift(kept: "Kept", choice: "Choice") -> None:  # noqa: ARG001  # of all lesions
    """Show how photographs and scores change, against the card's and the first months'."""
    from melanoma_core.models.card import load_card
    from melanoma_core.records.audit_text import describe_verdicts, tabulate_shares

    settings = load_settings()
    cards = [card.model_id for _, card in list_models(settings)]
    serving = load_card(find_model(settings)).model_id
    with st.sidebar:
        follow_address("model", "audit-model", serving, cards)
        model = st.selectbox("Model of the drift", cards, key="audit-model")
        write_address("model", "audit-model", serving)
        with st.expander(PREVALENCE):
            prevalence = choose_prevalence()
    show_address_error()
    drift = get_drift(kept, model, prevalence)
    st.html(
        "<p>Drift needs no ground truth: it is the earliest sign that something changed. It does "
        "not say why, nor that anything became worse. It is of all lesions of the record.</p>"
    )
    st.html(f"<p>{escape(describe_verdicts(drift))}</p>")
    for title, shifts in (
        ("Scores against the test photographs of the model", drift.against_card),
        ("Photographs and scores against the first months", drift.against_start),
    ):
        st.header(title, anchor=False)
        if shifts:
            _show_shifts(title, shifts)
        else:
            st.html(f"<p>{_explain_missing(kept, title)}</p>")
    st.header("Unusual photographs", anchor=False)
    shares = tabulate_shares(drift.shares)
    show_html(render_table(shares, "Unusual photographs by month") or "<p>None was read.</p>")


def _show_shifts(title: str, shifts: "Sequence[Shift]") -> None:
    from dashboard.performance.charts import draw_shifts
    from melanoma_core.records.audit_text import tabulate_shifts

    measures = list(dict.fromkeys(str(each.measure) for each in shifts))
    measure = st.selectbox("Measure", measures, key=f"measure-{title}", width=400)
    chosen = [each for each in shifts if str(each.measure) == measure]
    show_chart(draw_shifts(chosen), f"drift-{title.split(maxsplit=1)[0].lower()}")
    show_html(render_table(tabulate_shifts(chosen), f"{title}: {measure}"))


def _explain_missing(kept: "Kept", title: str) -> str:
    if not len(kept.data.photographs.patient):
        return "No photograph was read by a network yet."
    if "first months" in title:
        return (
            "Too few to say: the first months need 100 patients whose photographs this model has "
            "read, and a later month to compare."
        )
    return "The model's folder has no test photographs, or has read none of these."


def show_flow(performance: "Performance", kept: "Kept", choice: "Choice") -> None:
    """Show which lesions are audited, and what the ground truth hides."""
    from melanoma_core.records.audit_flow import draw_audit_flow
    from melanoma_core.records.bias import explain_bias

    flow = get_flow(kept, choice)
    st.html(render_diagram(draw_audit_flow(flow, performance.scope)))
    st.header("What these figures hide", anchor=False)
    st.html(render_paragraphs(explain_bias(flow, performance.scope)))
