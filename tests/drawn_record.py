"""One drawn lesion in a record, as after its intake: a patient, a visit and a photograph."""

from dataclasses import dataclass
from datetime import date, timedelta

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Change, Laterality, Sex, SkinType

SITE = "Trunk:Posterior trunk:Upper back"


@dataclass(frozen=True)
class DrawnLesion:
    """Ids of what was added."""

    patient_id: str
    lesion_id: str
    visit_id: str
    photograph_ids: tuple[str, ...]


def add_drawn_lesion(
    record: Record, *, pseudonym: str = "drawn-4711", places: tuple[int, ...] = (0,)
) -> DrawnLesion:
    """Add a patient with a lesion that was photographed yesterday.

    Args:
        record: The record.
        pseudonym: Of the patient; one of a drawn patient is read although it is a drawing.
        places: Which of the demonstration lesions are its photographs.
    """
    on = date.today() - timedelta(days=1)
    with record.write(by="dr.a") as change:
        patient = change.add(
            Patient(
                pseudonym=pseudonym,
                birth_year=on.year - 60,
                sex=Sex.FEMALE,
                skin_type=SkinType.II,
                melanoma_before=True,
            )
        )
        lesion = change.add(
            Lesion(
                patient_id=patient.id,
                label="1",
                site=SITE,
                laterality=Laterality.LEFT,
                noticed=str(on.year - 1),
                changes=(Change.SIZE,),
            )
        )
        visit = change.add(Visit(patient_id=patient.id, on=on))
        photographs = []
        for place in places:
            kept = record.images.put(DEMONSTRATION_LESIONS[place].path.read_bytes())
            photograph = Photograph(
                patient_id=patient.id,
                lesion_id=lesion.id,
                visit_id=visit.id,
                sha256=kept.sha256,
                media_type=kept.media_type,
                width=kept.width,
                height=kept.height,
                device="drawn",
                taken_on=on,
            )
            photographs.append(change.add(photograph))
    return DrawnLesion(patient.id, lesion.id, visit.id, tuple(each.id for each in photographs))
