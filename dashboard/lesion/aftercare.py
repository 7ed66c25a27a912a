"""What follows a malignant report or a referral: re-excision, follow-up, the answer."""

import streamlit as st

from dashboard.lesion.decision import show_next_decision
from dashboard.lesion.form import Form, open_edit
from dashboard.lesion.recall import show_recall_form
from dashboard.shared.markup import escape_markdown


def show_re_excision(form: Form, histology_id: str) -> None:
    """Show a report whose margins are not settled; decide, or correct the report.

    Args:
        form: The form.
        histology_id: Id of the report that waits.
    """
    from melanoma_core.records.aftercare import explain_margins
    from melanoma_core.records.wording import summarise

    reports = {each.id: each for each in form.opened.case.histologies}
    report = reports.get(histology_id)
    if report is None:
        st.html("<p>No margins wait to be settled.</p>")
        return
    st.text(summarise(report.value))
    st.caption(escape_markdown(explain_margins(report.value)))
    st.button(
        "Correct the report",
        key=f"{form.name}-correct",
        help="If the laboratory has stated or clarified the margins since.",
        on_click=open_edit,
        args=(report.id,),
    )
    show_next_decision(form, "What is done now?")


def show_follow_up(form: Form, histology_id: str) -> None:
    """Show a malignant report without follow-up, and the fields of a recall.

    Args:
        form: The form.
        histology_id: Id of the report that waits.
    """
    from melanoma_core.records.aftercare import explain_follow_up
    from melanoma_core.records.wording import summarise

    reports = {each.id: each for each in form.opened.case.histologies}
    report = reports.get(histology_id)
    if report is not None:
        st.text(summarise(report.value))
        st.caption(escape_markdown(explain_follow_up(report.value)))
    show_recall_form(form, report)


def show_referral_answer(form: Form, decision_id: str) -> None:
    """Show a referral that was not answered, and what is decided on its answer.

    Args:
        form: The form.
        decision_id: Id of the referral.
    """
    from melanoma_core.records.wording import summarise

    decisions = {each.id: each for each in form.opened.case.decisions}
    referral = decisions.get(decision_id)
    if referral is None:
        st.html("<p>No referral waits for an answer.</p>")
        return
    st.text(summarise(referral.value))
    st.caption(
        "Note the answer when it arrives. If tissue was taken elsewhere, save its specimen and its "
        "report: they answer the referral too."
    )
    show_next_decision(form, "The answer has arrived: what is done now?")
