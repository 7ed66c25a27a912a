from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from melanoma_core import __version__
from melanoma_core.cli.main import main
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.ai_readings import DRAWN
from melanoma_core.records.audit_cases import make_audit_cases
from melanoma_core.records.case import LesionCase
from melanoma_core.records.drawn import create_drawn_record, holds_drawn, is_drawn
from melanoma_core.records.drawn_stories import load_patients
from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.loop import AiReading, Histology, Recall, Specimen
from melanoma_core.records.store import Record
from melanoma_core.records.tasks import find_tasks, is_due, is_overdue
from melanoma_core.records.vocabulary import Management, Opinion, Task

NOW = datetime(2026, 5, 20, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    folder = tmp_path_factory.mktemp("drawn") / "record"
    record = create_drawn_record(folder, load_classifier(BUNDLED, num_threads=1), __version__, NOW)
    yield record
    record.close()


@pytest.fixture(scope="module")
def cases(record: Record) -> list[LesionCase]:
    return [record.load_case(lesion.id) for lesion in record.find(Lesion)]


def test_the_stories_are_of_12_patients_with_30_lesions():
    patients = load_patients()
    assert (len(patients), sum(len(each.lesions) for each in patients)) == (12, 30)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MELANOMA_RECORD", "MELANOMA_RECORD_URL", "MELANOMA_MODEL"):
        monkeypatch.delenv(name, raising=False)


def test_a_new_record_holds_no_drawn_lesions(tmp_path):
    record = Record.create(tmp_path / "empty", by="dr.a")
    assert not holds_drawn(record)
    with record.write(by="dr.a") as change:
        change.add(Patient(pseudonym="4711"))
    assert not holds_drawn(record)
    record.close()


@pytest.mark.slow
def test_everything_in_it_says_that_it_is_drawn(record: Record):
    assert holds_drawn(record)
    patients = record.find(Patient)
    assert [is_drawn(each.value) for each in patients] == [True] * 12
    assert all(each.value.note.startswith(DRAWN) for each in record.find(Lesion))
    assert all(each.value.reason == DRAWN for each in record.find(Visit))
    assert all("drawn" in each.value.device for each in record.find(Photograph))
    assert all(each.value.number.startswith("drawn-") for each in record.find(Specimen))
    assert all("Invented" in each.value.text for each in record.find(Histology))
    assert all("drawn" in each.by for each in patients)


@pytest.mark.slow
def test_the_model_has_really_read_each_drawing(record: Record):
    readings = [each.value for each in record.find(AiReading)]
    assert len(readings) == 33
    assert {each.model_id for each in readings} == {load_classifier(BUNDLED).card.model_id}
    assert all(each.was_read for each in readings)
    shown = [photograph for each in readings for photograph in each.photographs]
    assert all(each.findings[0] == DRAWN and each.heatmap_sha256 for each in shown)
    assert record.images.read(shown[0].heatmap_sha256).startswith(b"\x89PNG")


@pytest.mark.slow
def test_every_stage_of_the_loop_waits_for_someone(cases: list[LesionCase]):
    tasks = [task for case in cases for task in find_tasks(case)]
    assert {task.task for task in tasks} == set(Task)
    today = NOW.date()
    late = [task.task for task in tasks if is_overdue(task.due_on, today)]
    assert Task.HISTOLOGY in late
    assert any(not is_due(task.due_on, today) for task in tasks)


@pytest.mark.slow
def test_some_melanomas_were_found_and_one_was_missed_by_reader_and_network(
    cases: list[LesionCase],
):
    melanomas = [case for case in make_audit_cases(cases) if case.is_melanoma]
    assert len(melanomas) == 5
    found = Counter(case.decision is Management.EXCISION for case in melanomas)
    assert found == {True: 3, False: 2}
    (missed,) = [case for case in melanomas if not case.melanoma_alert]
    assert (missed.opinion, missed.decision) == (Opinion.NV, Management.MONITOR_3)
    assert missed.breslow_mm == 1.3
    assert all(case.is_blind for case in melanomas)


@pytest.mark.slow
def test_the_record_is_whole_and_its_entries_are_in_order_of_time(record: Record):
    verification = record.verify()
    assert verification.faults == ()
    times = [each.at for each in record.find(AiReading)]
    assert times == sorted(times)
    assert times[0].date() == date(2024, 6, 19)
    assert times[-1] < NOW


@pytest.mark.slow
def test_a_melanoma_has_a_recall_of_the_whole_skin(record: Record):
    whole = [each.value for each in record.find(Recall) if each.value.lesion_id is None]
    assert {each.due_on for each in whole} == {date(2026, 6, 9)}
    assert len(whole) == 4


@pytest.mark.slow
def test_the_command_line_makes_one_and_never_fills_one_that_is_there(tmp_path, capsys):
    folder = str(tmp_path / "record")
    assert main(["records", "create", folder, "--drawn", "--json"]) == 0
    assert '"record"' in capsys.readouterr().out
    assert main(["records", "create", folder, "--drawn"]) == 2
    assert "There is a record in" in capsys.readouterr().err
