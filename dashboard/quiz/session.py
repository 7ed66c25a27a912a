"""The answers of a student: kept for the browser session and through a reload, in no record."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboard.quiz.choice import Choice
from dashboard.shared.kept import get_kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from melanoma_core.records.quiz import Answer
    from melanoma_core.records.quiz_cases import QuizCase
    from melanoma_core.taxonomy import Diagnosis

_QUIZZES = "quizzes"


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
    """

    is_started: bool = False
    is_finished: bool = False
    answers: "dict[str, Answer]" = field(default_factory=dict)
    reviewed: str = ""
    probability: float | None = None
    diagnosis: "Diagnosis | None" = None
    is_incomplete: bool = False

    def find_next(self, cases: "Sequence[QuizCase]") -> "QuizCase | None":
        """Return the first case that was not answered; None after the last one."""
        return next((case for case in cases if case.key not in self.answers), None)

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
