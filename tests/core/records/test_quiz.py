"""The cases of a quiz, and how a student stands beside the network."""

import math
from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.quiz import Answer, measure_quiz
from melanoma_core.records.quiz_cases import (
    Mix,
    QuizCase,
    QuizPool,
    draw_quiz,
    find_folder_cases,
    find_record_cases,
)
from melanoma_core.records.quiz_reading import load_photograph, read_case
from melanoma_core.records.quiz_text import (
    describe_cases,
    describe_pool,
    describe_result,
    list_quiz_tiles,
    tabulate_answers,
)
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from melanoma_core.taxonomy import Diagnosis
from tests.core.records.made_cases import INVASIVE, NEVUS
from tests.core.records.made_entries import read_drawn
from tests.core.records.made_loops import add_loop

KEY = IdKey(bytes(32))


def make_case(number: int, diagnosis: Diagnosis = Diagnosis.NV) -> QuizCase:
    return QuizCase(
        key=f"{number:064d}",
        diagnosis=diagnosis,
        title=diagnosis.title,
        confirmation="histopathology",
        patient=number,
    )


def make_pool(melanomas: int, others: int) -> QuizPool:
    cases = [make_case(number, Diagnosis.MEL) for number in range(melanomas)]
    cases += [make_case(melanomas + number) for number in range(others)]
    return QuizPool("a folder", tuple(cases), {})


def make_table(**columns: list[object]) -> pd.DataFrame:
    number = len(columns["label"])
    names = [f"image-{each}" for each in range(number)]
    table = pd.DataFrame(
        {
            "image_id": names,
            "path": names,
            "sha256": [f"{each:064d}" for each in range(number)],
            "lesion_id": [None] * number,
            "patient_id": [None] * number,
            "cluster": list(range(number)),
            "confirmation": ["histopathology"] * number,
        }
    )
    return table.assign(**columns)


def make_split(**columns: list[object]) -> pd.DataFrame:
    number = len(columns["subset"])
    empty = {name: [None] * number for name in ("image_id", "sha256", "lesion_id", "patient_id")}
    return pd.DataFrame(empty | columns)


def test_an_empty_pool_makes_no_quiz() -> None:
    with pytest.raises(DatasetError, match=r"A quiz needs at least 1\. Choose another source\."):
        draw_quiz(make_pool(0, 0), 10, 0, Mix.AS_FOUND)


def test_a_quiz_is_the_same_for_the_same_number_and_another_for_another() -> None:
    pool = make_pool(20, 80)
    first = draw_quiz(pool, 10, 1, Mix.AS_FOUND)
    assert len(set(first)) == 10
    assert first == draw_quiz(pool, 10, 1, Mix.AS_FOUND)
    assert first != draw_quiz(pool, 10, 2, Mix.AS_FOUND)
    # A longer one begins with the same cases, and a new lesion moves no other.
    assert draw_quiz(pool, 20, 1, Mix.AS_FOUND)[:10] == first
    more = QuizPool("a folder", (*pool.cases, make_case(1000)), {})
    assert [each for each in draw_quiz(more, 11, 1, Mix.AS_FOUND) if each.patient < 1000][
        :10
    ] == list(first)


def test_a_pool_of_fewer_cases_gives_all_of_them() -> None:
    assert len(draw_quiz(make_pool(1, 2), 10, 0, Mix.AS_FOUND)) == 3
    assert sum(case.is_melanoma for case in draw_quiz(make_pool(1, 9), 6, 0, Mix.ENRICHED)) == 1


def test_half_of_an_enriched_quiz_are_melanomas() -> None:
    cases = draw_quiz(make_pool(20, 200), 20, 3, Mix.ENRICHED)
    assert [len(cases), sum(case.is_melanoma for case in cases)] == [20, 10]
    assert not all(case.is_melanoma for case in cases[:10])  # they are mixed


def test_what_the_network_was_trained_on_and_its_relatives_are_left_out() -> None:
    table = make_table(
        label=["MEL", "NV", "NV", "NV", "BCC"],
        lesion_id=["a", "a", None, None, None],
        patient_id=[None, None, None, "p", None],
    )
    split = make_split(
        subset=["train", "validation", "test"],
        sha256=[f"{0:064d}", None, f"{4:064d}"],
        patient_id=[None, "p", None],
    )
    pool = find_folder_cases("moles", table, split, KEY)
    assert [case.path for case in pool.cases] == ["image-2", "image-4"]
    assert pool.left_out == {"seen by the network in training": 3}
    assert find_folder_cases("moles", table, None, KEY).is_lineage_known is False


def test_only_what_histology_has_confirmed_is_asked_once_per_lesion() -> None:
    table = make_table(
        label=["MEL", "MEL", "NV", "benign"],
        lesion_id=["a", "a", None, None],
        confirmation=["histopathology", "histopathology", "follow-up", "histopathology"],
    )
    pool = find_folder_cases("moles", table, None, KEY)
    assert [case.diagnosis for case in pool.cases] == [Diagnosis.MEL]
    assert pool.left_out == {
        "not confirmed by histopathology": 1,
        "of which only the risk tier is known": 1,
        "further photographs or lesions of the same person or lesion": 1,
    }
    assert pool.num_melanomas == 1
    drawn = find_folder_cases("drawings", table, None, KEY, is_drawn=True)
    assert [case.confirmation for case in drawn.cases] == ["", ""]
    assert describe_pool(drawn)[0].startswith("A program has drawn these lesions")
    assert describe_pool(pool)[:2] == [
        "Each diagnosis was confirmed by histopathology.",
        "Drawn from 1 lesions of moles; 1 of them are melanomas (100.0%).",
    ]
    assert describe_pool(pool)[-1].startswith("WARNING: the model does not record")


def test_lesions_of_a_record_are_asked_unless_the_network_has_seen_one_of_the_patient(
    tmp_path: Path,
) -> None:
    record = Record.create(tmp_path / "record", by="dr.a")
    add_loop(record, "p-1", INVASIVE, Management.EXCISION)
    add_loop(record, "p-2", NEVUS, Management.EXCISION, "drawn-nevus.jpg")
    pool = find_record_cases(record, None, KEY)
    assert {case.title for case in pool.cases} == {
        "Melanoma Invasive, Superficial spreading",
        "Nevus, NOS, Compound",
    }
    assert not pool.is_drawn
    melanoma = next(case for case in pool.cases if case.is_melanoma)
    assert melanoma.confirmation == "histopathology"
    assert load_photograph(melanoma, record) == record.images.read(melanoma.key)
    split = make_split(subset=["train"], sha256=[melanoma.key])
    rest = find_record_cases(record, split, KEY)
    assert [case.diagnosis for case in rest.cases] == [Diagnosis.NV]
    assert rest.left_out == {"seen by the network in training": 1}
    record.close()


def test_a_file_that_is_gone_is_named() -> None:
    case = QuizCase(
        key="0", diagnosis=Diagnosis.MEL, title="", confirmation="", patient=0, path="/gone.jpg"
    )
    with pytest.raises(ImageError, match=r"/gone\.jpg can no longer be read"):
        load_photograph(case, None)


def test_a_quiz_without_an_answer_has_no_figures() -> None:
    result = measure_quiz([make_case(0)], {}, {})
    assert (result.num_cases, result.num_refused) == (0, 0)
    assert math.isnan(result.student.sensitivity.value)
    assert result.student.roc.x == ()
    assert list_quiz_tiles(result)[0].value == "Undefined"
    assert tabulate_answers([make_case(0)], {}, {}) == []
    assert describe_cases([]) == "There was no case."


def test_student_and_network_are_measured_on_the_same_cases() -> None:
    cases = [make_case(number, Diagnosis.MEL) for number in range(40)]
    cases += [make_case(40 + number) for number in range(40)]
    answers = {
        case.key: Answer.of_student(
            0.9 if case.patient % 4 else 0.1, Diagnosis.MEL if case.patient % 4 else Diagnosis.NV
        )
        for case in cases
    }
    network = {
        case.key: Answer(0.8, Diagnosis.MEL, True)
        if case.is_melanoma
        else Answer(0.05, Diagnosis.NV, False)
        for case in cases[1:]
    }
    result = measure_quiz(cases, answers, network)
    assert (result.num_cases, result.num_melanomas, result.num_refused) == (79, 39, 1)
    student = result.student
    assert (student.sensitivity.count, student.sensitivity.total) == (30, 39)
    assert (student.specificity.count, student.specificity.total) == (10, 40)
    assert student.sensitivity.low < 30 / 39 < student.sensitivity.high
    assert (student.right.count, student.right.total) == (40, 79)
    assert result.network.sensitivity.value == result.network.roc_auc.value == 1.0
    assert result.network.sensitivity.low > 0.9  # the exact interval: nothing varies
    # By hand: of 39 × 40 pairs, ties count half.
    area = (30 * 10 + 0.5 * (30 * 30 + 9 * 10)) / (39 * 40)
    assert student.roc_auc.value == pytest.approx(area)
    assert result.area_difference.value == pytest.approx(area - 1)
    assert result.too_few == ""
    words = describe_result(result)
    assert words[0].startswith("ROC AUC, yours minus the network's, on the same cases: -0.4")
    assert "These cases do not show that one of you is better." not in words
    assert words[-1].startswith("The network refused 1 of the cases")
    rows = tabulate_answers(cases, answers, network)
    assert len(rows) == 80
    assert rows[0]["Network's diagnosis"] == "refused"


def test_few_cases_say_so() -> None:
    cases = [make_case(0, Diagnosis.MEL), make_case(1)]
    answers = {case.key: Answer.of_student(0.5, Diagnosis.NV) for case in cases}
    result = measure_quiz(cases, answers, answers)
    assert describe_result(result)[0] == (
        "Too few to say: 1 patient with a melanoma; 30 are needed"
    )
    assert result.area_difference.value == 0
    assert math.isnan(result.area_difference.low)


def test_the_network_reads_a_drawn_case_and_refuses_what_is_no_image() -> None:
    classifier = load_classifier(BUNDLED)
    reading = read_case(classifier, read_drawn(), is_drawn=True)
    assert reading.answer is not None
    assert reading.answer.suspects
    assert reading.overlay.startswith(b"\xff\xd8")
    refused = read_case(classifier, b"no image", is_drawn=False)
    assert refused.answer is None
    assert refused.refusal
