"""The result of a quiz: the student's point and curve on the network's, on the same cases."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.quiz.cases import read_network
from dashboard.quiz.choice import Choice
from dashboard.quiz.session import forget_session
from dashboard.shared.downloads import Export, offer_export, show_chart
from dashboard.shared.html import show_html
from dashboard.shared.markup import render_paragraphs
from dashboard.shared.progress import show_progress
from dashboard.shared.record import get_who
from dashboard.shared.tables import render_table
from dashboard.shared.tiles import render_tile_list
from melanoma_core.spreadsheets import format_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.quiz.session import QuizSession
    from melanoma_core.records.quiz import Answer, QuizResult
    from melanoma_core.records.quiz_cases import QuizCase, QuizPool
    from melanoma_core.records.store import Record

_CHART_WIDTH = 720  # px
_NOTE = (
    "You suspect a melanoma where you name it; the network, where it raises its alert. Your curve "
    "is that of your probabilities. Intervals resample patients."
)


def show_result(
    cases: "Sequence[QuizCase]",
    session: "QuizSession",
    choice: Choice,
    pool: "QuizPool",
    record: "Record | None",
) -> None:
    """Show how student and network do, and what each case was."""
    from melanoma_core.records.quiz import measure_quiz
    from melanoma_core.records.quiz_text import (
        describe_cases,
        describe_result,
        list_quiz_tiles,
        tabulate_answers,
    )

    answered = [case for case in cases if case.key in session.answers]
    st.header(f"{len(answered):,} of {len(cases):,} cases answered", anchor=False)
    if answered:
        network = _read_all(answered, pool, record)
        result = measure_quiz(cases, session.answers, network)
        show_html(render_tile_list(list_quiz_tiles(result)))
        st.html(render_paragraphs([*describe_result(result), describe_cases(answered)]))
        _show_curves(result)
        rows = tabulate_answers(cases, session.answers, network)
        show_html(render_table(rows, "Your answers"))
        _offer_table(rows, choice, record)
    with st.container(horizontal=True):
        if len(answered) < len(cases):
            st.button("Go on with the cases", type="primary", on_click=session.resume)
        st.button(
            "Start again",
            key="quiz-again",
            on_click=forget_session,
            args=(choice, pool.source),
            help="Your answers to this quiz are forgotten.",
        )


def _read_all(
    answered: "Sequence[QuizCase]", pool: "QuizPool", record: "Record | None"
) -> "dict[str, Answer]":
    """Return what the network says of each case that it did not refuse."""
    work = st.empty()
    network = {}
    with work.container():
        progress = show_progress("The network reads the cases")
        for number, case in enumerate(answered, start=1):
            reading = read_network(case, record, is_drawn=pool.is_drawn)
            if reading.answer is not None:
                network[case.key] = reading.answer
            progress(number, len(answered))
    work.empty()
    return network


def _show_curves(result: "QuizResult") -> None:
    from dashboard.shared.roc import RocLine, RocPoint, draw_rocs

    if not result.network.roc.x:
        return  # all are melanomas, or none is
    lines = [RocLine("network", result.network.roc), RocLine("you", result.student.roc)]
    points = [
        RocPoint("you, melanoma named", result.student.sensitivity, result.student.specificity),
        RocPoint("network's alert", result.network.sensitivity, result.network.specificity),
    ]
    title = f"You and the network on the same {result.num_cases:,} cases"
    with st.container(width=_CHART_WIDTH):
        show_chart(draw_rocs(lines, points, title), "quiz-roc")
    st.caption(_NOTE)


def _offer_table(
    rows: "list[dict[str, str | float]]", choice: Choice, record: "Record | None"
) -> None:
    """Offer the answers as CSV; the audit log of a record says that its cases were taken out."""
    if record is not None and record.is_read_only:
        return

    who = get_who()

    def log() -> None:
        if record is not None:
            detail = f"answers to quiz {choice.seed}, without ids of lesions"
            record.log_export(by=who, kind=None, detail=detail)

    export = Export(f"quiz-{choice.seed}.csv", lambda: format_rows(rows), log)
    offer_export("Your answers as CSV", export, key="download-quiz")
