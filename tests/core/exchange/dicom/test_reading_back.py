"""Our own DICOM files come back in: photographs as they were, and nothing else as a photograph."""

import numpy as np
import pytest

from melanoma_core.data.formats.dicom_facts import read_facts
from melanoma_core.data.images import decode_image
from melanoma_core.errors import ImageError
from melanoma_core.records.entities import Patient


def test_a_photograph_comes_back_with_its_pixels_and_its_patient(lesion):
    case = lesion.record.load_case(lesion.id)
    originals = [
        decode_image(lesion.record.images.read(each.value.sha256), 2**16).pixels
        for each in case.photographs
    ]
    found = [file for file in lesion.make_files() if file.dataset.Modality == "DMS"]
    assert len(found) == 2
    for file in found:
        data = file.encode()
        pixels = decode_image(data, 2**16).pixels
        assert min(np.abs(pixels.astype(int) - each).max() for each in originals) <= 1
        facts = read_facts(data)
        patient = lesion.record.get(Patient, case.patient.id).value
        assert (facts.patient_id, facts.is_dermoscopic) == (patient.pseudonym, True)
        assert facts.site == (case.lesion.value.site or None)


def test_neither_a_heatmap_nor_a_report_is_read_as_a_photograph(lesion):
    others = [file for file in lesion.make_files() if file.dataset.Modality != "DMS"]
    refusals = set()
    for file in others:
        with pytest.raises(ImageError) as refusal:
            decode_image(file.encode())
        refusals.add(str(refusal.value).partition(".")[0])
    assert refusals == {
        "The DICOM file is a picture that was made from another image, such as a heatmap",
        "The DICOM file is a comprehensive SR",
    }
