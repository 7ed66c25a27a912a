"""An outline drawn by a person: what a browser may send, and what the record then holds."""

from datetime import date
from pathlib import Path

import pytest

from melanoma_core.records.drawn_outlines import DrawnOutline, read_drawn, write_outline
from melanoma_core.records.entities import Outline
from melanoma_core.records.entry import Entry
from melanoma_core.records.errors import EditConflict
from melanoma_core.records.store import Record
from melanoma_core.records.validation import InvalidEntryError
from melanoma_core.records.vocabulary import OutlineSource
from tests.drawn_record import DrawnLesion, add_drawn_lesion

TRIANGLE = ((0.2, 0.2), (0.8, 0.3), (0.5, 0.9))
SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record.create(tmp_path / "record", by="dr.a")


@pytest.fixture
def lesion(record: Record) -> DrawnLesion:
    return add_drawn_lesion(record)


def write(
    record: Record, lesion: DrawnLesion, points, version: int = 0, by: str = "dr.a"
) -> Entry[Outline]:
    drawn = DrawnOutline(lesion.photograph_ids[0], points, version)
    with record.write(by=by, today=date.today()) as change:
        return write_outline(record, change, lesion.lesion_id, drawn)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {"photograph": "other", "corners": [], "version": 0},
        {"photograph": "a", "corners": [[0, "<b>"]], "version": 0},
        {"photograph": "a", "corners": [[0, 1, 2]], "version": 0},
        {"photograph": "a", "corners": [[True, 1]], "version": 0},
        {"photograph": "a", "corners": [], "version": "1"},
    ],
)
def test_what_is_no_outline_of_a_shown_photograph_is_ignored(sent):
    assert read_drawn(sent, {"a"}) is None


def test_each_correction_is_a_new_version_by_a_person(record: Record, lesion: DrawnLesion):
    first = write(record, lesion, TRIANGLE)
    second = write(record, lesion, SQUARE, version=1, by="dr.b")
    assert (second.id, second.version, second.by) == (first.id, 2, "dr.b")
    assert second.value.source is OutlineSource.PERSON
    assert [each.value.points for each in record.versions(Outline, first.id)] == [TRIANGLE, SQUARE]


def test_an_outline_by_the_network_becomes_one_by_a_person_and_stays_in_its_versions(
    record: Record, lesion: DrawnLesion
):
    with record.write(by="dr.a") as change:
        drawn = change.add(
            Outline(
                photograph_id=lesion.photograph_ids[0],
                lesion_id=lesion.lesion_id,
                points=SQUARE,
                source=OutlineSource.NETWORK,
                model_id="m1",
            )
        )
    corrected = write(record, lesion, TRIANGLE, version=1)
    assert (corrected.id, corrected.version, corrected.value.model_id) == (drawn.id, 2, "")
    assert record.versions(Outline, drawn.id)[0].value.model_id == "m1"


def test_of_two_people_neither_loses_an_outline_and_the_second_is_given_the_first(
    record: Record, lesion: DrawnLesion
):
    write(record, lesion, TRIANGLE)
    with pytest.raises(EditConflict) as drawn:
        write(record, lesion, SQUARE, by="dr.b")
    assert (drawn.value.current.by, drawn.value.refused.points) == ("dr.a", SQUARE)
    write(record, lesion, SQUARE, version=1)
    with pytest.raises(EditConflict):
        write(record, lesion, TRIANGLE, version=1, by="dr.b")


def test_corners_that_enclose_nothing_or_lie_outside_are_refused(
    record: Record, lesion: DrawnLesion
):
    for points in (SQUARE[:2], ((0.1, 0.1),) * 4, (*SQUARE, (1.2, 0.5))):
        with pytest.raises(InvalidEntryError) as refused:
            write(record, lesion, points)
        assert [error.field for error in refused.value.errors] == ["points"]
    assert record.find(Outline) == ()
