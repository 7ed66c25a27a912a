"""The answers of a student: kept for the browser session and through a reload, in no record."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.quiz.choice import Choice
from dashboard.shared.address import leave_address
from dashboard.shared.kept import get_kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from melanoma_core.records.quiz import Answer
    from melanoma_core.records.quiz_cases import QuizCase
    from melanoma_core.taxonomy import Diagnosis

_QUIZZES = "quizzes"
_CASE = "case"  # in the address
_WRITTEN = "quiz-case-written"  # of the browser session: what the page has written there


@dataclass
class QuizSession:
    """How far a student is in one quiz.

    Attributes:
        is_started: Whether the first case was shown.
        is_finished: Whether the result is shown, though cases may be unanswered.
        answers: By the key of the case.
        reviewed: Key of the case whose answer is shown; "" for none.
        probability: What is chosen for the case that is asked; None for nothing yet.
        diagnosis: The same.
        is_incomplete: Whether the case was to be answered before both were chosen.
        wanted: Key of the case that is asked next, if the address names one; "" for the first.
        shown: Number of the case that the address names, as text; "" for none.
    """

    is_started: bool = False
    is_finished: bool = False
    answers: "dict[str, Answer]" = field(default_factory=dict)
    reviewed: str = ""
    probability: float | None = None
    diagnosis: "Diagnosis | None" = None
    is_incomplete: bool = False
    wanted: str = ""
    shown: str = ""

    def find_next(self, cases: "Sequence[QuizCase]") -> "QuizCase | None":
        """Return the case that is asked: the wanted one, or the first without an answer."""
        left = [case for case in cases if case.key not in self.answers]
        wanted = [case for case in left if case.key == self.wanted]
        return next(iter(wanted or left), None)

    def follow_case(self, cases: "Sequence[QuizCase]", *, is_reviewed: bool) -> None:
        """Go to the case that the address names, if a link, Back or a person has changed it.

        Args:
            cases: All cases.
            is_reviewed: Whether the truth of a case may be shown before the last one.
        """
        asked = st.query_params.get(_CASE, "")
        written = st.session_state.get(_WRITTEN)  # perhaps for another quiz
        if asked in {self.shown, written} or asked not in map(str, range(1, len(cases) + 1)):
            return
        case = cases[int(asked) - 1]
        self.is_started, self.is_finished = True, False
        if case.key not in self.answers:
            self.wanted, self.reviewed = case.key, ""
        elif is_reviewed:
            self.reviewed = case.key

    def write_case(self, cases: "Sequence[QuizCase]", case: "QuizCase | None") -> None:
        """Write the number of the case that is shown into the address; none without one."""
        self.shown = "" if case is None else str(cases.index(case) + 1)
        st.session_state[_WRITTEN] = self.shown
        if not self.shown:
            leave_address(_CASE)
        elif st.query_params.get(_CASE) != self.shown:
            st.query_params[_CASE] = self.shown

    def find_reviewed(self, cases: "Sequence[QuizCase]") -> "QuizCase | None":
        """Return the case whose answer is shown; None for none."""
        return next((case for case in cases if case.key == self.reviewed), None)

    def answer(self, case: "QuizCase", *, is_reviewed: bool) -> None:
        """Take what is chosen as the answer to a case, if both are chosen."""
        from melanoma_core.records.quiz import Answer

        self.is_incomplete = self.probability is None or self.diagnosis is None
        if self.probability is None or self.diagnosis is None:
            return
        self.answers[case.key] = Answer.of_student(self.probability, self.diagnosis)
        self.probability = self.diagnosis = None
        self.reviewed = case.key if is_reviewed else ""

    def choose_probability(self, probability: float) -> None:
        """Choose the probability of melanoma."""
        self.probability = probability

    def choose_diagnosis(self, diagnosis: "Diagnosis") -> None:
        """Choose the diagnosis."""
        self.diagnosis = diagnosis

    def go_on(self) -> None:
        """Go from an answer that is shown to the next case."""
        self.reviewed = ""

    def start(self) -> None:
        """Show the first case."""
        self.is_started = True

    def finish(self) -> None:
        """Show the result."""
        self.is_finished, self.reviewed = True, ""

    def resume(self) -> None:
        """Go back from the result to the cases that were not answered."""
        self.is_finished = False


def get_session(choice: Choice, source: str) -> QuizSession:
    """Return how far this browser session is in a quiz.

    Args:
        choice: Which quiz.
        source: What its cases are of.
    """
    quizzes: dict[tuple[Choice, str], QuizSession] = get_kept().setdefault(_QUIZZES, {})
    return quizzes.setdefault((choice, source), QuizSession())


def forget_session(choice: Choice, source: str) -> None:
    """Forget the answers to a quiz, so that it begins from its first case."""
    get_kept().get(_QUIZZES, {}).pop((choice, source), None)
