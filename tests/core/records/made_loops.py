"""Lesions that went through the whole loop, written into a record."""

from dataclasses import replace
from datetime import UTC, datetime

from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.loop import Decision, FirstRead, Histology, Specimen
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder, SkinType
from tests.core.records.made_cases import make_photograph, make_reading
from tests.core.records.made_entries import read_drawn

MELANOMA = "drawn-melanoma-1.jpg"


def add_loop(
    record: Record, name: str, diagnosis: str, management: Management, drawing: str = MELANOMA
) -> None:
    """Write a lesion that was read, decided and excised today."""
    today = datetime.now(UTC).date()
    image = record.images.put(read_drawn(drawing))
    with record.write(by="dr.b") as change:
        patient = change.add(Patient(pseudonym=name, skin_type=SkinType.II))
        lesion = change.add(Lesion(patient_id=patient.id, label="1"))
        visit = change.add(Visit(patient_id=patient.id, on=today))
        photograph = replace(make_photograph(visit.id, device="X"), sha256=image.sha256)
        where = {"lesion_id": lesion.id, "visit_id": visit.id}
        shot = change.add(replace(photograph, patient_id=patient.id, lesion_id=lesion.id))
        change.add(
            FirstRead(
                **where,
                opinion=Opinion.NV,
                melanoma_probability=0.1,
                management=management,
                order=ReadOrder.DOCTOR_FIRST,
                seconds=9.0,
            )
        )
        reading = change.add(replace(make_reading(visit.id, shot.id, melanoma=0.5), **where))
        decision = change.add(
            Decision(**where, management=Management.EXCISION, ai_reading_id=reading.id)
        )
        specimen = change.add(
            Specimen(
                lesion_id=lesion.id,
                number=name,
                taken_on=today,
                method=Management.EXCISION,
                decision_id=decision.id,
            )
        )
        change.add(
            Histology(
                lesion_id=lesion.id,
                specimen_id=specimen.id,
                reported_on=today,
                diagnosis=diagnosis,
            )
        )
