"""A drawn lesion that was photographed twice, half a year apart: for tests of the compare view."""

from dataclasses import dataclass
from datetime import date, timedelta

from melanoma_core.records.drawn_photographs import (
    MILLIMETRES_PER_PIXEL,
    draw_dermoscopic,
    encode,
    outline_drawing,
)
from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph, Visit
from melanoma_core.records.loop import AiReading, FirstRead, PhotographReading
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management, Opinion, OutlineSource, ReadOrder
from melanoma_core.taxonomy import Diagnosis

CODES = tuple(map(str, Diagnosis))


@dataclass(frozen=True)
class ComparedLesion:
    """Ids of what was added: the photographs are the earlier and the later one."""

    lesion_id: str
    photograph_ids: tuple[str, str]


def add_compared_lesion(
    record: Record,
    *,
    pseudonym: str = "drawn-1",
    seeds: tuple[int, int] = (3, 3),
    with_outlines: bool = True,
) -> ComparedLesion:
    """Add a lesion with two visits, each with a photograph, a first read and an AI reading.

    Args:
        record: The record.
        pseudonym: Of the patient.
        seeds: Which lesion each photograph shows; two different ones cannot be laid on each other.
        with_outlines: Whether each photograph has an outline by a person.
    """
    ids, start = [], date.today() - timedelta(days=200)
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym=pseudonym, birth_year=start.year - 50))
        lesion = change.add(Lesion(patient_id=patient.id, label="1"))
        for number, seed in enumerate(seeds):
            on = start + timedelta(days=180 * number)
            pixels = draw_dermoscopic(Diagnosis.NV, seed, number, 1 + 0.3 * number)
            kept = record.images.put(encode(pixels))
            visit = change.add(Visit(patient_id=patient.id, on=on))
            photograph = change.add(
                Photograph(
                    patient_id=patient.id,
                    lesion_id=lesion.id,
                    visit_id=visit.id,
                    sha256=kept.sha256,
                    media_type=kept.media_type,
                    width=kept.width,
                    height=kept.height,
                    device="drawn <b>",
                    taken_on=on,
                    millimetres_per_pixel=MILLIMETRES_PER_PIXEL,
                )
            )
            ids.append(photograph.id)
            if with_outlines:
                change.add(
                    Outline(
                        photograph_id=photograph.id,
                        lesion_id=lesion.id,
                        points=outline_drawing(pixels),
                        source=OutlineSource.PERSON,
                    )
                )
            change.add(_read(lesion.id, visit.id))
            change.add(_make_ai_reading(lesion.id, visit.id, photograph.id, 0.1 + 0.2 * number))
    return ComparedLesion(lesion.id, (ids[0], ids[1]))


def _read(lesion_id: str, visit_id: str) -> FirstRead:
    return FirstRead(
        lesion_id=lesion_id,
        visit_id=visit_id,
        opinion=Opinion.NV,
        melanoma_probability=0.1,
        management=Management.MONITOR_6,
        order=ReadOrder.DOCTOR_FIRST,
        seconds=9.0,
    )


def _make_ai_reading(
    lesion_id: str, visit_id: str, photograph_id: str, melanoma: float
) -> AiReading:
    shares = tuple(
        {Diagnosis.MEL: melanoma, Diagnosis.NV: 1 - melanoma}.get(each, 0.0) for each in Diagnosis
    )
    return AiReading(
        lesion_id=lesion_id,
        visit_id=visit_id,
        model_id="m1",
        app_version="1",
        class_names=CODES,
        probabilities=shares,
        melanoma_threshold=0.2,
        skin_cancer_threshold=0.4,
        melanoma_alert=melanoma >= 0.2,
        skin_cancer_alert=False,
        statement="kept",
        photographs=(PhotographReading(photograph_id=photograph_id, probabilities=shares),),
    )
