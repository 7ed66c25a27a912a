"""A lesion that was read without a record is kept in one as it was read."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.entry import Entry, RefusedFile, read_file
from melanoma_core.reading.lesion import combine_readings
from melanoma_core.records.adding import NewPhotograph
from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph, Visit
from melanoma_core.records.errors import ForeignDrawingError, PseudonymError
from melanoma_core.records.keeping import Destination, ReadLesion, keep_lesion
from melanoma_core.records.loop import AiReading
from melanoma_core.records.store import Record
from melanoma_core.records.tasks import find_tasks
from melanoma_core.records.vocabulary import ImageKind, Task

TODAY = date(2026, 11, 27)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier(BUNDLED, num_threads=1)


@pytest.fixture(scope="module")
def drawn(classifier: Classifier) -> list[Entry]:
    paths = [DEMONSTRATION_LESIONS[place].path for place in (0, 3)]
    entries = [
        read_file(classifier, number, path.name, path.read_bytes())
        for number, path in enumerate(paths)
    ]
    assert all(isinstance(each, Entry) for each in entries)
    return entries  # type: ignore[return-value]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


def make_read(entries: list[Entry], **facts: object) -> ReadLesion:
    return ReadLesion(
        card=entries[0].card,
        photographs=[
            NewPhotograph(each.detail or each.photograph, {"kind": ImageKind.DERMOSCOPIC})
            for each in entries
        ],
        readings=[each.reading for each in entries],
        app_version="0.2.0",
        **facts,  # type: ignore[arg-type]
    )


def keep(record: Record, read: ReadLesion, destination: Destination) -> Lesion:
    with record.write(by="dr.a", today=TODAY) as change:
        return keep_lesion(record, change, read, destination)  # type: ignore[return-value]


def invented(**more: object) -> Destination:
    new = {"patient": Patient(pseudonym="drawn-1"), "lesion": Lesion(patient_id="", label="1")}
    return Destination(**(new | {"on": TODAY} | more))  # type: ignore[arg-type]


def test_nothing_is_kept_without_a_photograph(record: Record, drawn: list[Entry]):
    empty = replace(make_read(drawn), photographs=[], readings=[])

    with pytest.raises(ForeignDrawingError):
        keep(record, empty, invented())
    assert record.find(Patient) == ()


def test_the_reading_is_the_one_that_was_shown(record: Record, drawn: list[Entry]):
    keep(record, make_read(drawn, prevalence=Prevalence(0.02, 0.08)), invented())

    (reading,) = record.find(AiReading)
    shown = combine_readings(drawn[0].card, [each.reading for each in drawn])
    assert reading.value.probabilities == pytest.approx(shown.probabilities)
    assert reading.value.melanoma_alert == shown.alert
    assert reading.value.prevalence == (0.02, 0.08)
    assert len(reading.value.adapted) == len(shown.probabilities)
    assert reading.value.model_id == drawn[0].card.model_id
    kept = [each.value for each in record.find(Photograph)]
    assert [each.uncalibrated for each in reading.value.photographs] == [
        each.reading.uncalibrated for each in drawn
    ]
    assert len(kept) == 2
    for photograph in reading.value.photographs:
        assert Image.open(io.BytesIO(record.images.read(photograph.heatmap_sha256))).size[0] <= 320


def test_the_outlines_of_the_network_are_kept_with_their_model(record: Record, drawn: list[Entry]):
    keep(record, make_read(drawn), invented())

    plausible = [
        each
        for each in drawn
        if each.reading.outline_measures and each.reading.outline_measures.area_share
    ]
    outlines = record.find(Outline)
    assert len(outlines) == len(plausible)
    assert {each.value.model_id for each in outlines} <= {drawn[0].card.model_id}


def test_the_lesion_then_waits_for_a_decision(record: Record, drawn: list[Entry]):
    lesion = keep(record, make_read(drawn), invented())

    assert [each.task for each in find_tasks(record.load_case(lesion.id))] == [Task.DECIDE]


def test_a_known_patient_lesion_and_visit_are_used(record: Record, drawn: list[Entry]):
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym="drawn-7"))
        lesion = change.add(Lesion(patient_id=patient.id, label="2"))
        change.add(Visit(patient_id=patient.id, on=TODAY))

    keep(record, make_read(drawn[:1]), invented(patient=patient, lesion=lesion))

    assert (len(record.find(Patient)), len(record.find(Lesion)), len(record.find(Visit))) == (
        1,
        1,
        1,
    )
    assert record.load_case(lesion.id).ai_readings


def test_a_drawn_lesion_is_no_patients(record: Record, drawn: list[Entry]):
    with pytest.raises(ForeignDrawingError, match="no patient's"):
        keep(record, make_read(drawn), invented(patient=Patient(pseudonym="4711")))
    assert record.find(Patient) == ()


def test_an_invented_patient_has_no_photographs(
    record: Record, drawn: list[Entry], classifier: Classifier
):
    # As a person would upload it, it is other bytes than the drawing that is shipped.
    buffer = io.BytesIO()
    pixels = np.asarray(Image.open(io.BytesIO(drawn[0].photograph)))
    Image.fromarray(pixels[2:, 2:]).save(buffer, "PNG")
    file = read_file(classifier, 9, "photograph.png", buffer.getvalue())
    entry = file.withheld if isinstance(file, RefusedFile) else file
    assert entry is not None

    with pytest.raises(ForeignDrawingError, match="Close it"):
        keep(record, make_read([entry]), invented())


def test_another_patient_of_the_pseudonym_is_not_made(record: Record, drawn: list[Entry]):
    keep(record, make_read(drawn), invented())

    with pytest.raises(PseudonymError, match="drawn-1"):
        keep(record, make_read(drawn), invented())
    assert len(record.find(Photograph)) == 2
