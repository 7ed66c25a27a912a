"""The cases of a quiz: their pool, their photographs, and what the network says of them."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.quiz.choice import RECORD, Choice
from dashboard.shared.cached import get_dataset, get_large
from dashboard.shared.folder import choose_folder, open_chosen_folder
from dashboard.shared.pictures import get_picture
from dashboard.shared.reading_model import get_card, get_classifier, get_turns
from melanoma_core.errors import DatasetError
from melanoma_core.models.registry import find_model
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.data.opening import OpenedFolder
    from melanoma_core.records.quiz_cases import QuizCase, QuizPool
    from melanoma_core.records.quiz_reading import QuizReading
    from melanoma_core.records.store import Record

_MOST_READINGS = 300  # about 50 MB with their heatmaps


def open_pool(choice: Choice, record: "Record | None") -> "QuizPool | None":
    """Return what the quiz draws from; None if a folder was not opened.

    Raises:
        DatasetError: The folder cannot be opened.
        ModelError: The model or its split cannot be read.
        RecordError: The record cannot be read.
    """
    model_id = get_card().model_id
    if choice.source == RECORD and record is not None:
        return _find_record_cases(record, model_id)
    folder = choose_folder()
    opened = open_chosen_folder(folder) if folder is not None else None
    return None if opened is None else _find_folder_cases(opened, opened.key, model_id)


def draw_cases(pool: "QuizPool | None", choice: Choice) -> "tuple[QuizCase, ...]":
    """Return the cases of a quiz; none without a pool.

    Raises:
        DatasetError: The pool is empty.
    """
    from melanoma_core.records.quiz_cases import draw_quiz

    return () if pool is None else draw_quiz(pool, choice.count, choice.seed, choice.mix)


def get_photograph(case: "QuizCase", record: "Record | None") -> bytes:
    """Return the photograph of a case as a JPEG that fills the page.

    Raises:
        DatasetError: Its file can no longer be read.
        RecordError: Its file is missing or was altered.
    """
    if not case.path and record is not None:
        return get_picture(record, case.key)
    found = get_large(case.path, case.key)
    if found is None:
        raise DatasetError(
            "The photograph of this case can no longer be read. Restore its file, or choose "
            "another quiz number."
        )
    return found


def read_network(case: "QuizCase", record: "Record | None", *, is_drawn: bool) -> "QuizReading":
    """Return what the network says of a case, read once for all sessions.

    Raises:
        ModelError: The model cannot be read.
        RecordError: The file is missing or was altered.
    """
    return _read(case, record, is_drawn, f"{case.key}-{get_card().model_id}-{is_drawn}")


@st.cache_resource(show_spinner="The network reads the case", max_entries=_MOST_READINGS)
def _read(
    _case: "QuizCase",
    _record: "Record | None",
    _is_drawn: bool,
    key: str,  # noqa: ARG001
) -> "QuizReading":
    from melanoma_core.records.quiz_reading import load_photograph, read_case

    content = load_photograph(_case, _record)
    with get_turns().take():
        return read_case(get_classifier(), content, is_drawn=_is_drawn)


@st.cache_resource(show_spinner=False)
def _get_pools() -> "dict[tuple[str, str], tuple[int, QuizPool]]":
    """Return the pool of each record and model, with the end of the log when it was made."""
    return {}


def _find_record_cases(record: "Record", model_id: str) -> "QuizPool":
    """Return the confirmed lesions of a record, found again when the record has changed."""
    from melanoma_core.models.identifiers import find_key
    from melanoma_core.models.lineage import read_split
    from melanoma_core.records.quiz_cases import find_record_cases

    name = record.record_id, model_id
    number, pool = _get_pools().get(name, (0, None))
    if pool is None or record.count_changes(number):
        settings = load_settings()
        number = record.find_newest()
        with st.spinner("Finding the confirmed lesions"):
            split = read_split(find_model(settings, model_id))
            pool = find_record_cases(record, split, find_key(settings))
        _get_pools()[name] = number, pool
    return pool


@st.cache_resource(show_spinner="Finding the confirmed images", max_entries=8)
def _find_folder_cases(_opened: "OpenedFolder", key: str, model_id: str) -> "QuizPool":  # noqa: ARG001
    from melanoma_core.data.catalogue import is_demonstration
    from melanoma_core.models.identifiers import find_key
    from melanoma_core.models.lineage import read_split
    from melanoma_core.records.quiz_cases import find_folder_cases

    settings = load_settings()
    return find_folder_cases(
        _opened.folder.name,
        get_dataset(_opened, {}).table,
        read_split(find_model(settings, model_id)),
        find_key(settings),
        is_drawn=is_demonstration(_opened.folder, settings),
    )
