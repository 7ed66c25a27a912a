"""The reading as a Structured Report, read by pydicom, highdicom and dcmtk."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import highdicom
import numpy as np
import pytest
from pydicom.dataset import Dataset

from melanoma_core.exchange.dicom import codes
from melanoma_core.exchange.dicom.files import DicomFile, make_files
from melanoma_core.exchange.facts import list_candidates
from melanoma_core.exchange.occasion import MadeReading, Occasion, list_occasions
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.loop import AiReading
from melanoma_core.taxonomy import Diagnosis
from tests.core.exchange.dicom.conftest import ReadLesion, run_tool

READING = "visit-1-reading-SR-1.dcm"


def _find_occasion(lesion: ReadLesion) -> Occasion:
    case = lesion.record.load_case(lesion.id)
    (occasion,) = list_occasions(case, lesion.record.images.read, load_card(BUNDLED))
    return occasion


def _make_report(occasion: Occasion, **changes: object) -> Dataset:
    """Return the report of an occasion whose reading is changed."""
    assert occasion.reading is not None
    value = replace(occasion.reading.value, **changes)
    changed = replace(occasion, reading=replace(occasion.reading, value=value))
    return make_files([changed])[-1].dataset


def _walk(item: Dataset) -> Iterator[Dataset]:
    for each in item.get("ContentSequence", []):
        yield each
        yield from _walk(each)


def _name(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning)


def _find_group(report: Dataset, place: int = 0) -> Dataset:
    groups = [each for each in _walk(report) if _name(each) == "Measurement Group"]
    return groups[place]


def _list_values(group: Dataset) -> dict[str, list[object]]:
    values: dict[str, list[object]] = {}
    for item in group.ContentSequence:
        found: object = None
        if item.ValueType == "NUM":
            found = item.MeasuredValueSequence[0].FloatingPointValue
        elif item.ValueType == "CODE":
            found = item.ConceptCodeSequence[0].CodeValue
        elif item.ValueType == "TEXT":
            found = item.TextValue
        values.setdefault(_name(item), []).append(found)
    return values


def _find_reading(lesion: ReadLesion) -> AiReading:
    return lesion.record.load_case(lesion.id).ai_readings[-1].value


def test_both_probabilities_and_thresholds_are_the_doubles_that_were_kept(
    files: dict[str, DicomFile], lesion: ReadLesion
) -> None:
    values, reading = _list_values(_find_group(files[READING].dataset)), _find_reading(lesion)
    assert values["Probability of melanoma"] == [100 * (reading.find_probability("MEL") or 0)]
    cancers = sum(reading.find_probability(each) or 0 for each in ("MEL", "BCC", "SCC"))
    assert values["Probability of cancer"] == [pytest.approx(100 * cancers, rel=1e-15)]
    assert values["Threshold of the melanoma alert"] == [100 * reading.melanoma_threshold]
    assert values["Threshold of the skin cancer alert"] == [
        100 * (reading.skin_cancer_threshold or 0)
    ]
    others = [name for name in values if name.startswith("Probability of")]
    assert len(others) == 9  # eight diagnoses, and any skin cancer


def test_alerts_and_the_differential_are_coded(
    files: dict[str, DicomFile], lesion: ReadLesion
) -> None:
    values, reading = _list_values(_find_group(files[READING].dataset)), _find_reading(lesion)
    assert values["Melanoma alert"] == ["373066001" if reading.melanoma_alert else "373067005"]
    assert values["Skin cancer alert"] == [
        "373066001" if reading.skin_cancer_alert else "373067005"
    ]
    assert values["Was read by the model"] == ["373066001"]
    expected = [codes.code_diagnosis(each).value for each in list_candidates(reading)]
    assert values["Differential Diagnosis/Impression"] == expected
    assert values["Finding"] == ["95324001"]
    assert reading.statement in values["Comment"]


def test_the_model_is_named_with_the_origin_of_its_thresholds(
    files: dict[str, DicomFile], lesion: ReadLesion
) -> None:
    values, reading = _list_values(_find_group(files[READING].dataset)), _find_reading(lesion)
    assert values["Algorithm Name"] == [f"melanoma-dashboard, model {reading.model_id}"]
    assert values["Algorithm Version"] == ["1.2.3"]
    assert values["Algorithm Family"] == ["123110"]
    melanoma, any_cancer = values["Algorithm Parameters"]
    assert str(melanoma).startswith(f"Melanoma alert at {reading.melanoma_threshold!r}. ")
    assert "chosen on the validation subset of the model's data for a sensitivity of" in str(
        melanoma
    )
    assert str(any_cancer).startswith("Skin cancer alert at ")


def test_without_the_card_the_origin_is_said_to_be_unknown(lesion: ReadLesion) -> None:
    occasion = _find_occasion(lesion)
    assert occasion.reading is not None
    without = replace(occasion, reading=replace(occasion.reading, card=None))
    values = _list_values(_find_group(make_files([without])[-1].dataset))
    assert all("card is not here" in str(each) for each in values["Algorithm Parameters"])


def test_each_photograph_has_a_group_with_its_image(files: dict[str, DicomFile]) -> None:
    report = files[READING].dataset
    images = [files[f"visit-1-photograph-DMS-{each}.dcm"].dataset for each in (1, 2)]
    for place, image in enumerate(images, start=1):
        group = _find_group(report, place)
        values = _list_values(group)
        assert values["Tracking Identifier"] == [f"Photograph {place}"]
        assert "Probability of melanoma" in values
        (reference,) = [each for each in group.ContentSequence if each.ValueType == "IMAGE"]
        found = reference.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        assert found == image.SOPInstanceUID
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0]
    assert evidence.StudyInstanceUID == report.StudyInstanceUID == images[0].StudyInstanceUID


def test_it_is_neither_verified_nor_final(files: dict[str, DicomFile]) -> None:
    report = files[READING].dataset
    assert report.VerificationFlag == "UNVERIFIED"
    assert report.PreliminaryFlag == "PRELIMINARY"
    comments = [
        item.TextValue
        for item in report.ContentSequence
        if item.ValueType == "TEXT" and _name(item) == "Comment"
    ]
    assert comments[0].startswith("Research, not for diagnosis. Not a medical device.")
    assert comments[-1] == "No person has confirmed this reading."


def test_a_refused_photograph_says_why_and_has_no_number(lesion: ReadLesion) -> None:
    occasion = _find_occasion(lesion)
    reading = _find_reading(lesion)
    refused = tuple(
        replace(each, probabilities=(), uncalibrated=(), heatmap_sha256="", refusal="Too dark.")
        for each in reading.photographs
    )
    report = _make_report(
        occasion,
        photographs=refused,
        probabilities=(),
        melanoma_alert=False,
        skin_cancer_alert=None,
        statement="No photograph was read.",
    )
    lesion_values = _list_values(_find_group(report))
    assert lesion_values["Was read by the model"] == ["373067005"]
    assert "Melanoma alert" not in lesion_values
    assert not any(name.startswith("Probability") for name in lesion_values)
    values = _list_values(_find_group(report, 1))
    assert "Too dark." in values["Comment"]


def test_values_of_numpy_are_written_and_keep_their_digits(lesion: ReadLesion) -> None:
    occasion, reading = _find_occasion(lesion), _find_reading(lesion)
    floats = tuple(np.float32(each) for each in reading.probabilities)
    values = _list_values(_find_group(_make_report(occasion, probabilities=floats)))
    assert values["Probability of melanoma"] == [
        100 * float(floats[reading.class_names.index(Diagnosis.MEL)])
    ]


def test_a_prevalence_is_said_and_orders_the_differential(lesion: ReadLesion) -> None:
    occasion, reading = _find_occasion(lesion), _find_reading(lesion)
    certain = tuple(0.93 if each == "NV" else 0.01 for each in reading.class_names)
    report = _make_report(occasion, prevalence=(0.02, 0.05), adapted=certain)
    values = _list_values(_find_group(report))
    assert str(values["Algorithm Parameters"][-1]).startswith(
        "Prevalence of the clinic: melanoma 0.02, skin cancer 0.05."
    )
    assert values["Differential Diagnosis/Impression"][0] == "400096001"


def test_a_decision_that_knew_the_reading_does_not_confirm_it(lesion: ReadLesion) -> None:
    occasion = _find_occasion(lesion)
    assert occasion.reading is not None
    decided = replace(occasion, reading=replace(occasion.reading, decided="excision"))
    report = make_files([decided])[-1].dataset
    texts = [each.TextValue for each in report.ContentSequence if each.ValueType == "TEXT"]
    assert texts[-1] == (
        "A person has signed a decision that knew this reading (excision). It does not confirm "
        "the reading."
    )
    assert report.VerificationFlag == "UNVERIFIED"


def test_a_reading_without_a_date_has_the_same_uid_on_another_day(lesion: ReadLesion) -> None:
    occasion = _find_occasion(lesion)
    assert occasion.reading is not None
    undated = replace(
        occasion, reading=MadeReading(value=occasion.reading.value, card=occasion.reading.card)
    )
    one, other = (make_files([undated], datetime(2026, 1, day, tzinfo=UTC))[-1] for day in (1, 2))
    assert one.dataset.ContentDate != other.dataset.ContentDate
    assert one.dataset.SOPInstanceUID == other.dataset.SOPInstanceUID


def test_highdicom_reads_it_as_a_measurement_report(written: dict[str, Path]) -> None:
    report = highdicom.sr.srread(written[READING])
    groups = report.content.get_image_measurement_groups()
    assert len(groups) == 3
    (algorithm_group,) = [g for g in groups if g.tracking_identifier == "1"]
    (melanoma,) = algorithm_group.get_measurements(name=codes.MELANOMA_PROBABILITY)
    assert melanoma.unit == codes.PERCENT


def test_dcmtk_finds_the_report_valid(written: dict[str, Path]) -> None:
    dumped = run_tool("dsrdump", written[READING])
    assert dumped.returncode == 0, dumped.stderr
    assert "Comprehensive SR Document" in dumped.stdout
    xml = run_tool("dsr2xml", written[READING])
    assert xml.returncode == 0, xml.stderr
    assert ElementTree.fromstring(xml.stdout).tag.endswith("report")


def test_no_line_of_the_codes_is_longer_than_dicom_allows() -> None:
    every = [codes.code_diagnosis(each) for each in Diagnosis]
    every += [codes.code_probability(each) for each in Diagnosis]
    assert len({(each.scheme_designator, each.value) for each in every}) == 16
    assert all(len(each.value) <= 16 for each in every)
    assert all(len(each.meaning) <= 64 for each in every)
