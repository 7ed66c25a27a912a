"""A case: its photograph, what the student says of it, and what it is."""

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.quiz.cases import get_photograph, read_network
from dashboard.quiz.choice import AT_ONCE, Choice, get_shortcut
from dashboard.shared.html import show_html
from dashboard.shared.markup import name_diagnosis, render_error, render_paragraphs
from dashboard.shared.record import log_seen
from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.taxonomy import Diagnosis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.quiz.session import QuizSession
    from melanoma_core.records.quiz_cases import QuizCase, QuizPool
    from melanoma_core.records.quiz_reading import QuizReading
    from melanoma_core.records.store import Record

# The keys of the Lesion page. C and R belong to Streamlit.
_DIAGNOSES = {
    Diagnosis.MEL: "M",
    Diagnosis.NV: "N",
    Diagnosis.BCC: "B",
    Diagnosis.SCC: "S",
    Diagnosis.AK: "A",
    Diagnosis.BKL: "K",
    Diagnosis.DF: "D",
    Diagnosis.VASC: "V",
}
_KEYS = (*"0123456789", "T")  # of the eleven probabilities
_PHOTOGRAPH, _ANSWER = 1.7, 1.0  # widths


def show_start(pool: "QuizPool", session: "QuizSession", choice: Choice) -> None:
    """Say what the quiz draws from, and offer to start it."""
    from melanoma_core.records.quiz_text import describe_mix, describe_pool

    st.html(render_paragraphs([*describe_pool(pool), describe_mix(choice.mix)]))
    st.button("Start", type="primary", key="quiz-start", on_click=session.start)


def show_question(
    case: "QuizCase",
    cases: "Sequence[QuizCase]",
    session: "QuizSession",
    choice: Choice,
    record: "Record | None",
) -> None:
    """Show the photograph of a case, and ask for its probability of melanoma and diagnosis."""
    from melanoma_core.records.entities import Lesion
    from melanoma_core.records.quiz import PROBABILITIES

    if record is not None:
        log_seen(record, Lesion, case.lesion_id)
    number = cases.index(case) + 1
    st.progress(len(session.answers) / len(cases), f"Case {number:,} of {len(cases):,}")
    picture, answer = st.columns([_PHOTOGRAPH, _ANSWER], gap="medium")
    with picture:
        alt = f"Photograph of case {number}, to be judged"
        st.image(get_photograph(case, record), width="stretch", alt=alt)
    with answer:
        st.header("How probable is a melanoma?", anchor=False)
        with st.container(horizontal=True, gap="xxsmall", key="quiz-probabilities"):
            for probability, key in zip(PROBABILITIES, _KEYS, strict=True):
                _offer(
                    f"{probability:.0%}",
                    key,
                    session.probability == probability,
                    session.choose_probability,
                    probability,
                )
        st.header("What is it?", anchor=False)
        with st.container(horizontal=True, gap="xxsmall", key="quiz-diagnoses"):
            for diagnosis, key in _DIAGNOSES.items():
                label = diagnosis.title.capitalize()
                is_chosen = session.diagnosis is diagnosis
                _offer(label, key, is_chosen, session.choose_diagnosis, diagnosis)
        st.button(
            "Answer",
            type="primary",
            key="quiz-answer",
            shortcut=get_shortcut("Enter"),
            on_click=session.answer,
            args=(case,),
            kwargs={"is_reviewed": choice.feedback == AT_ONCE},
        )
        if session.is_incomplete:
            st.html(render_error("Choose a probability and a diagnosis, then answer."))
        st.button("Finish now", type="tertiary", key="quiz-finish", on_click=session.finish)


def show_truth(
    case: "QuizCase",
    cases: "Sequence[QuizCase]",
    session: "QuizSession",
    pool: "QuizPool",
    record: "Record | None",
) -> None:
    """Show what a case is, beside the student's answer and the network's."""
    number = cases.index(case) + 1
    st.progress(len(session.answers) / len(cases), f"Case {number:,} of {len(cases):,}")
    reading = read_network(case, record, is_drawn=pool.is_drawn)
    picture, words = st.columns([_PHOTOGRAPH, _ANSWER], gap="medium")
    with picture:
        left, right = st.columns(2, gap="small")
        with left:
            alt = f"Photograph of case {number}: {case.title}"
            st.image(get_photograph(case, record), width="stretch", alt=alt)
        with right:
            if reading.overlay:
                alt = f"The same photograph with the network's heatmap of melanoma, case {number}"
                st.image(reading.overlay, width="stretch", alt=alt)
                st.caption(
                    "What supports a melanoma, for the network."
                    if reading.is_clear
                    else "No clear region supports a melanoma."
                )
    with words:
        show_html(_render_truth(case, session, reading))
        is_last = session.find_next(cases) is None
        st.button(
            "See the result" if is_last else "Next case",
            type="primary",
            key="quiz-next",
            shortcut=get_shortcut("Enter"),
            on_click=session.finish if is_last else session.go_on,
        )


def _offer(label: str, key: str, is_chosen: bool, choose: object, value: object) -> None:
    st.button(
        f"✓ {label}" if is_chosen else label,
        key=f"quiz-{value}",
        type="primary" if is_chosen else "secondary",
        shortcut=get_shortcut(key),
        on_click=choose,  # type: ignore[arg-type]
        args=(value,),
    )


def _render_truth(case: "QuizCase", session: "QuizSession", reading: "QuizReading") -> str:
    answer = session.answers[case.key]
    is_right = answer.diagnosis is case.diagnosis
    confirmed = f"Confirmed by {case.confirmation}." if case.confirmation else "A drawn lesion."
    if reading.answer is None:
        network = f"It refused the photograph. {reading.refusal}"
    else:
        alert = "melanoma alert" if reading.answer.suspects else "no melanoma alert"
        network = (
            f"{reading.answer.diagnosis.title}; probability of melanoma "
            f"{format_percent(reading.answer.probability)}; {alert}."
        )
    return (
        f'<div role="status"><h2>{"✓ Right" if is_right else "✗ Not right"}: '
        f"{escape(name_diagnosis(case.diagnosis))}</h2>"
        f"<p>{escape(case.title)}. {escape(confirmed)}</p>"
        f"<p><strong>You:</strong> {escape(answer.diagnosis.title)}; probability of melanoma "
        f"{answer.probability:.0%}.</p><p><strong>Network:</strong> {escape(network)}</p></div>"
    )
