"""What files of new photographs offer to a record."""

from datetime import date

import numpy as np
import pytest
from pydicom import Dataset, Sequence

from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.offered import OfferedPhotograph, Place, offer_photographs
from melanoma_core.records.vocabulary import DermoscopicType, ImageKind, Laterality
from tests.dicom_files import DERMOSCOPIC, encode, make_photograph, write

PATIENT = Patient(pseudonym="P-1")
PIXELS = np.random.default_rng(0).integers(0, 256, (70, 80, 3), dtype=np.uint8)


def make_lesion(site: str = "", laterality: Laterality | None = None) -> Lesion:
    return Lesion(patient_id="a", label="1", site=site, laterality=laterality)


def make_region(code: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "SCT", "as it is said"
    return Sequence([item])


def offer(lesion: Lesion | None = None, **values: object) -> OfferedPhotograph:
    data = write(make_photograph(PIXELS, DERMOSCOPIC, **values))
    (found,) = offer_photographs([("a.dcm", data)], PATIENT, lesion or make_lesion())
    return found


def test_a_file_that_says_nothing_offers_nothing():
    data = encode(PIXELS)
    (found,) = offer_photographs([("a.jpg", data)], PATIENT, make_lesion())
    assert (found.name, found.content, found.kind, found.said) == ("a.jpg", data, None, "")
    assert found.warnings == ()


def test_a_dermoscopic_file_offers_its_light_its_day_and_its_place():
    found = offer(
        PatientID="P-1",
        TrackingID="arm",
        LightSourcePolarization="NON_POLARIZED",
        ContactMethod="CONTACT",
        AcquisitionDate="20240531",
        AnatomicRegionSequence=make_region("14975008"),
        ImageLaterality="L",
    )
    assert found.kind is ImageKind.DERMOSCOPIC
    assert found.dermoscopic_type is DermoscopicType.CONTACT_NON_POLARISED
    assert found.taken_on == date(2024, 5, 31)
    assert found.place == Place("Upper extremity:Forearm", Laterality.LEFT)
    assert found.said == (
        "patient P-1, lesion arm, site Upper extremity, Forearm, left, taken on 2024-05-31, "
        "non-polarised light, with contact"
    )
    assert (found.warnings, found.is_of_another) == ((), False)


def test_light_without_contact_and_without_polarisation_has_no_name_in_the_record():
    assert offer(LightSourcePolarization="NON_POLARIZED").dermoscopic_type is None
    found = offer(LightSourcePolarization="NON_POLARIZED", ContactMethod="NON_CONTACT")
    assert found.dermoscopic_type is None
    assert found.said == "non-polarised light, without contact"


def test_a_file_of_another_patient_is_marked():
    found = offer(PatientID="P-2")
    assert found.is_of_another
    assert found.warnings == (
        "The file names the patient P-2, and this is P-1. Keep it only if both are the same "
        "person.",
    )


@pytest.mark.parametrize(
    ("site", "side", "fits"),
    [
        ("Upper extremity", None, True),
        ("Upper extremity:Forearm:Volar forearm", None, True),
        ("Upper extremity:Forearm", Laterality.RIGHT, False),
        ("Trunk", None, False),
    ],
)
def test_a_place_that_does_not_fit_the_lesion_is_marked(site, side, fits):
    region, lesion = make_region("14975008"), make_lesion(site, side)
    found = offer(lesion, AnatomicRegionSequence=region, ImageLaterality="L")
    assert found.place is None  # the record has one
    assert bool(found.warnings) is not fits


def test_text_in_the_pixels_and_a_face_are_marked():
    found = offer(BurnedInAnnotation="YES", RecognizableVisualFeatures="YES")
    assert [text[:40] for text in found.warnings] == [
        "The file says that text is part of its p",
        "The file says that the patient can be re",
    ]
    assert offer(BurnedInAnnotation="NO", RecognizableVisualFeatures="NO").warnings == ()


def test_each_frame_is_offered_with_what_the_file_says():
    data = write(make_photograph(np.stack([PIXELS, PIXELS[::-1]]), PatientID="P-1"))
    found = offer_photographs([("a.dcm", data)], PATIENT)
    assert [(each.name, each.said) for each in found] == [
        ("a.dcm#1", "patient P-1"),
        ("a.dcm#2", "patient P-1"),
    ]
