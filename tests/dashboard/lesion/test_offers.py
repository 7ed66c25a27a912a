"""DICOM photographs in the Photographs step: what their files say is proposed, a person accepts."""

from datetime import date

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, Sequence

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.records.entities import Lesion, Patient, Photograph
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import DermoscopicType
from tests.dashboard.lesion.conftest import OpenLesion
from tests.dashboard.lesion.test_page import click, read_all
from tests.dicom_files import DERMOSCOPIC, make_photograph, write
from tests.drawn_record import DrawnLesion

PIXELS = np.asarray(Image.open(DEMONSTRATION_LESIONS[1].path).convert("RGB").resize((160, 120)))
TYPE = "application/dicom"


def make_file(pixels: np.ndarray, patient: str, **values: object) -> bytes:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "14975008", "SCT", "Forearm"
    facts = {
        "PatientID": patient,
        "LightSourcePolarization": "POLARIZED",
        "ContactMethod": "NON_CONTACT",
        "AcquisitionDate": "20240531",
        "AnatomicRegionSequence": Sequence([item]),
    }
    return write(make_photograph(pixels, DERMOSCOPIC, **facts | values))


@pytest.fixture
def pseudonym(record: Record, lesion: DrawnLesion) -> str:
    """Take the site of the lesion away, and return the pseudonym of its patient."""
    entry = record.get(Lesion, lesion.lesion_id)
    with record.write(by="dr.a") as change:
        change.correct(entry, Lesion(patient_id=lesion.patient_id, label=entry.value.label))
    return record.get(Patient, lesion.patient_id).value.pseudonym


def upload(open_lesion: OpenLesion, content: bytes):
    app = click(open_lesion(step="photographs"), "Add another")
    return app.file_uploader[0].set_value([("scan.dcm", content, TYPE)]).run()


def read_plain(elements) -> list[str]:
    """Return texts of Markdown without what keeps their letters from being markup."""
    return [each.value.replace("\\", "") for each in elements]


def test_what_the_file_says_is_proposed_and_kept_when_it_is_saved(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion, pseudonym: str
):
    app = upload(open_lesion, make_file(PIXELS, pseudonym))
    assert read_plain(app.caption)[-1].startswith(f"scan.dcm says: patient {pseudonym}, site Upper")
    assert not app.warning
    (place,) = [each for each in app.checkbox if each.label.startswith("Set the place")]
    assert not place.value
    app = click(place.check().run(), "Save 1 photograph")

    assert "Saved" in read_all(app)
    _, added = record.find(Photograph, lesion_id=lesion.lesion_id)
    assert added.value.dermoscopic_type is DermoscopicType.NON_CONTACT_POLARISED
    assert added.value.taken_on == date(2024, 5, 31)
    assert record.get(Lesion, lesion.lesion_id).value.site == "Upper extremity:Forearm"
    kept = record.images.read(added.value.sha256)
    assert added.value.media_type == "image/png"
    assert b"DICM" not in kept
    assert pseudonym.encode() not in kept


def test_a_photograph_of_another_patient_is_not_kept_unless_a_person_says_so(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion, pseudonym: str
):
    app = upload(open_lesion, make_file(PIXELS, "another", BurnedInAnnotation="YES"))
    warnings = read_plain(app.warning)
    assert f"names the patient another, and this is {pseudonym}." in warnings[0]
    assert "text is part of its pixels" in warnings[1]
    assert not [each for each in app.button if each.label.startswith("Save 1")]
    (keep,) = [each for each in app.checkbox if each.label == "Keep this photograph"]
    app = click(keep.check().run(), "Save 1 photograph")
    assert len(record.find(Photograph, lesion_id=lesion.lesion_id)) == 2


def test_each_frame_can_be_kept_or_left(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion, pseudonym: str
):
    frames = np.stack([PIXELS, PIXELS[::-1], PIXELS[:, ::-1]])
    app = upload(open_lesion, make_file(frames, pseudonym))
    names = [text.partition(" says")[0] for text in read_plain(app.caption)[-3:]]
    assert names == ["scan.dcm#1", "scan.dcm#2", "scan.dcm#3"]
    second = [each for each in app.checkbox if each.label == "Keep this photograph"][1]
    app = click(second.uncheck().run(), "Save 2 photographs")
    assert len(record.find(Photograph, lesion_id=lesion.lesion_id)) == 3
