import io
from datetime import date
from pathlib import Path

import pytest
from PIL import Image

from melanoma_core.errors import ImageError, RecordError
from melanoma_core.records.adding import NewPhotograph, NewVisit, add_photographs
from melanoma_core.records.entities import Photograph, Visit
from melanoma_core.records.loop import Specimen
from melanoma_core.records.specimens import add_specimen
from melanoma_core.records.store import Record
from melanoma_core.records.validation import InvalidEntryError
from melanoma_core.records.vocabulary import ImageKind, Management
from tests.drawn_record import DrawnLesion, add_drawn_lesion

TODAY = date.today()


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record.create(tmp_path / "record", by="dr.a")


@pytest.fixture
def lesion(record: Record) -> DrawnLesion:
    return add_drawn_lesion(record)


def draw() -> bytes:
    content, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "name of a patient"
    Image.new("RGB", (96, 80), "tan").save(content, "JPEG", exif=exif)
    return content.getvalue()


def add(record: Record, lesion: DrawnLesion, *new: NewPhotograph) -> None:
    with record.write(by="dr.a", today=TODAY) as change:
        visit = NewVisit(lesion.patient_id, TODAY, "control")
        add_photographs(record, change, visit, lesion.lesion_id, new)


def test_nothing_chosen_adds_no_visit(record: Record, lesion: DrawnLesion):
    with pytest.raises(RecordError, match="Choose at least one file"):
        add(record, lesion)
    assert record.count()["Visit"] == 1


def test_what_is_no_photograph_adds_nothing(record: Record, lesion: DrawnLesion):
    with pytest.raises(ImageError):
        add(record, lesion, NewPhotograph(draw()), NewPhotograph(b"no photograph"))
    assert (record.count()["Visit"], record.count()["Photograph"]) == (1, 1)


def test_photographs_lose_their_exif_and_share_a_new_visit(record: Record, lesion: DrawnLesion):
    add(record, lesion, NewPhotograph(draw(), {"kind": ImageKind.CLOSE_UP}), NewPhotograph(draw()))
    visits = record.find(Visit, patient_id=lesion.patient_id, on=TODAY)
    (visit,) = visits
    assert visit.value.reason == "control"
    added = record.find(Photograph, visit_id=visit.id)
    assert [each.value.kind for each in added] == [ImageKind.CLOSE_UP, ImageKind.DERMOSCOPIC]
    assert b"name of a patient" not in record.images.read(added[0].value.sha256)

    add(record, lesion, NewPhotograph(draw()))
    assert record.find(Visit, patient_id=lesion.patient_id, on=TODAY) == visits


def test_a_field_that_may_not_be_kept_adds_nothing(record: Record, lesion: DrawnLesion):
    with pytest.raises(InvalidEntryError) as raised:
        add(record, lesion, NewPhotograph(draw(), {"millimetres_per_pixel": "small"}))
    assert raised.value.errors[0].field == "millimetres_per_pixel"
    assert record.count()["Photograph"] == 1


def test_the_photograph_of_a_site_goes_with_its_specimen(record: Record, lesion: DrawnLesion):
    specimen = Specimen(
        lesion_id=lesion.lesion_id, number="H-1", taken_on=TODAY, method=Management.PUNCH
    )
    with record.write(by="dr.a", today=TODAY) as change:
        entry = add_specimen(record, change, specimen, draw())
    assert entry.value.photograph_id is not None
    photograph = record.get(Photograph, entry.value.photograph_id).value
    assert photograph.shows_specimen_site
    assert photograph.taken_on == TODAY
