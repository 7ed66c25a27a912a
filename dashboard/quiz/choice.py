"""Which quiz: chosen in the sidebar, kept in the address, so that a class gets the same one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.address import follow_address, write_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from melanoma_core.records.quiz_cases import Mix

RECORD, FOLDER = "record", "folder"
AT_ONCE, AT_END = "at once", "at the end"
_SOURCES = {RECORD: "This record", FOLDER: "A folder of images"}
_COUNTS = (10, 20, 30, 50, 100)
_LARGEST_SEED = 9999
_KEYS = "quiz-keys"


@dataclass(frozen=True)
class Choice:
    """Which quiz.

    Attributes:
        source: `RECORD` or `FOLDER`.
        count: Number of cases.
        seed: Which of all quizzes of these settings.
        mix: How cases are drawn.
        feedback: `AT_ONCE` or `AT_END`.
    """

    source: str
    count: int
    seed: int
    mix: "Mix"
    feedback: str


def choose_quiz(*, has_record: bool) -> Choice:
    """Let a person choose in the sidebar.

    Args:
        has_record: Whether a record is open.
    """
    from melanoma_core.records.quiz_cases import Mix

    sources = [RECORD, FOLDER] if has_record else [FOLDER]
    with st.sidebar:
        st.header("Which quiz", anchor=False)
        source = _choose("from", "Cases from", sources)
        count = _choose("cases", "Number of cases", _COUNTS)
        follow_address("seed", "quiz-seed", 0, range(_LARGEST_SEED + 1))
        seed = st.number_input(
            "Quiz number",
            min_value=0,
            max_value=_LARGEST_SEED,
            key="quiz-seed",
            help="The same number gives the same cases. Send the address to a class.",
        )
        write_address("seed", "quiz-seed", 0)
        mix = _choose("mix", "Cases are drawn", list(Mix))
        feedback = _choose("feedback", "The answer is shown", [AT_ONCE, AT_END])
        # People who dictate to the computer must be able to switch single keys off.
        st.checkbox("Keys answer", value=True, key=_KEYS)
    return Choice(str(source), int(count), int(seed), Mix(str(mix)), str(feedback))


def get_shortcut(key: str) -> str | None:
    """Return the key of a button; None if keys are switched off."""
    return key if st.session_state.get(_KEYS, True) else None


def _choose(parameter: str, label: str, options: "Sequence[str | int]") -> str | int:
    key = f"quiz-{parameter}"
    follow_address(parameter, key, options[0], options)
    chosen: str | int = st.selectbox(
        label,
        options,
        key=key,
        format_func=lambda each: _SOURCES.get(str(each), str(each)),
        persist_state="session",
    )
    write_address(parameter, key, options[0])
    return chosen
