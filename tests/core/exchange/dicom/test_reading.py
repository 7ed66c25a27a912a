"""DICOM files of photographs that no record keeps."""

from dataclasses import replace

import numpy as np
import pytest

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.errors import ImageError
from melanoma_core.exchange.dicom.reading import Unkept, read_files, take_readings
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.reading import Reading, read_photograph

FILES = {str(place): DEMONSTRATION_LESIONS[place].path.read_bytes() for place in (0, 2)}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier(BUNDLED)


def _read(classifier: Classifier, data: bytes) -> Reading:
    reading = read_photograph(classifier, decode_within(data), is_drawn=True)
    assert isinstance(reading, Reading)
    return reading


def test_what_was_read_before_gives_the_same_instances_as_reading_again(
    classifier: Classifier,
) -> None:
    readings = {name: _read(classifier, data) for name, data in FILES.items()}
    taken = take_readings(classifier.card, Unkept(files=FILES), readings)
    again = read_files(classifier, Unkept(files=FILES))
    assert [each.name for each in taken] == [each.name for each in again]
    for one, other in zip(taken, again, strict=True):
        if one.dataset.Modality != "SR":  # in parallel, sums of floats may differ in the last bit
            assert one.dataset.SOPInstanceUID == other.dataset.SOPInstanceUID


def test_the_name_of_a_file_goes_no_further(classifier: Classifier) -> None:
    named = {"Erika Mustermann 1960.jpg": FILES["0"]}
    for each in read_files(classifier, Unkept(files=named)):
        assert b"Mustermann" not in each.encode()


def test_photographs_of_two_people_have_two_ids(classifier: Classifier) -> None:
    ids = {
        read_files(classifier, Unkept(files={"a.jpg": data}))[0].dataset.PatientID
        for data in FILES.values()
    }
    assert len(ids) == 2
    assert all(each.startswith("file-") and len(each) == 17 for each in ids)


def test_drawn_lesions_are_called_synthetic(classifier: Classifier) -> None:
    for each in read_files(classifier, Unkept(files=FILES)):
        assert each.dataset.SyntheticData == "YES"


def test_a_file_that_is_no_photograph_is_refused(classifier: Classifier) -> None:
    with pytest.raises(ImageError):
        read_files(classifier, Unkept(files={"a.jpg": b"no photograph"}))


def test_a_reading_against_a_refusal_says_so(classifier: Classifier) -> None:
    reading = replace(_read(classifier, FILES["0"]), read_anyway=True)
    files = take_readings(classifier.card, Unkept(files={"0": FILES["0"]}), {"0": reading})
    report = str(files[-1].dataset)
    assert "Out of distribution, read all the same" in report
    assert "was not measured" in files[0].dataset.ImageComments


def test_probabilities_are_never_nan(classifier: Classifier) -> None:
    report = read_files(classifier, Unkept(files=FILES))[-1].dataset
    values = [
        item.MeasuredValueSequence[0].FloatingPointValue
        for each in report.iterall()
        if each.keyword == "ContentSequence"
        for item in each.value
        if item.ValueType == "NUM"
    ]
    assert len(values) == 11 + 2 * 2
    assert np.isfinite(values).all()
