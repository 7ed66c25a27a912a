"""A patient with an entry of every kind, written into a record."""

from dataclasses import dataclass
from datetime import date
from functools import cache

from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import (
    AbcdRule,
    Acknowledgement,
    AiReading,
    Decision,
    FirstRead,
    Histology,
    Information,
    PhotographReading,
    Recall,
    SevenPointChecklist,
    Specimen,
)
from melanoma_core.records.store import Change, Record
from melanoma_core.records.vocabulary import (
    BodyView,
    Channel,
    DermoscopicType,
    ImageKind,
    Laterality,
    Management,
    MapPoint,
    Margins,
    NevusCount,
    Opinion,
    OutlineSource,
    ReadOrder,
    RecallStatus,
    Sex,
    SkinType,
)
from melanoma_core.settings import ASSETS

DAY = date(2026, 5, 4)


@dataclass(frozen=True)
class Filled:
    """What was written; `entries` holds all of it in the order of writing."""

    patient: Entry[Patient]
    lesion: Entry[Lesion]
    visit: Entry[Visit]
    photograph: Entry[Photograph]
    entries: tuple[Entry, ...]


@cache
def read_drawn(name: str = "drawn-melanoma-1.jpg") -> bytes:
    return (ASSETS / "demonstration" / name).read_bytes()


def fill(record: Record, pseudonym: str = "P-1", by: str = "dr.a") -> Filled:
    """Write a patient with one entry of every kind, each with all of its fields."""
    image = record.images.put(read_drawn())
    heatmap = record.images.put(read_drawn("drawn-nevus.jpg"))
    with record.write(by=by) as change:
        patient, lesion, visit, photograph = add_seen(change, pseudonym, image)
        entries = [patient, lesion, visit, photograph]
        where = {"lesion_id": lesion.id, "visit_id": visit.id}
        entries.append(
            change.add(
                Outline(
                    photograph_id=photograph.id,
                    lesion_id=lesion.id,
                    points=((0.1, 0.2), (0.5, 1 / 3), (0.3, 1)),
                    source=OutlineSource.NETWORK,
                    model_id="model",
                )
            )
        )
        entries.append(
            change.add(
                FirstRead(
                    **where,
                    opinion=Opinion.MEL,
                    melanoma_probability=0.7,
                    management=Management.EXCISION,
                    order=ReadOrder.DOCTOR_FIRST,
                    seconds=12,
                    seven_points=SevenPointChecklist(
                        atypical_network=True,
                        blue_white_veil=False,
                        atypical_vessels=True,
                        irregular_streaks=False,
                        irregular_dots=False,
                        irregular_blotches=True,
                        regression=False,
                    ),
                    abcd=AbcdRule(asymmetry=2, border=3, colours=4, structures=5),
                )
            )
        )
        reading = change.add(
            AiReading(
                **where,
                model_id="model",
                app_version="0.2.0",
                class_names=("MEL", "NV"),
                probabilities=(0.8, 0.2),
                melanoma_threshold=0.11,
                skin_cancer_threshold=0.3,
                prevalence=(0.02, 0.08),
                adapted=(0.1, 0.9),
                melanoma_alert=True,
                skin_cancer_alert=True,
                statement="Melanoma cannot be excluded.",
                photographs=(
                    PhotographReading(
                        photograph_id=photograph.id,
                        probabilities=(0.8, 0.2),
                        uncalibrated=(0.9, 0.1),
                        findings=("hair",),
                        novelty=0.25,
                        heatmap_sha256=heatmap.sha256,
                    ),
                ),
            )
        )
        decision = change.add(
            Decision(
                **where, management=Management.EXCISION, reason="ugly", ai_reading_id=reading.id
            )
        )
        specimen = change.add(
            Specimen(
                lesion_id=lesion.id,
                number="H-1",
                taken_on=DAY,
                method=Management.EXCISION,
                decision_id=decision.id,
                photograph_id=photograph.id,
            )
        )
        histology = change.add(
            Histology(
                lesion_id=lesion.id,
                specimen_id=specimen.id,
                reported_on=date(2026, 5, 11),
                diagnosis="Malignant:Malignant melanocytic proliferations (Melanoma)",
                text="Ein Melanom.\n\tBreslow 0,4 mm – «pT1a»",
                breslow_mm=0.4,
                ulcerated=False,
                mitoses_per_mm2=0.5,
                in_situ=False,
                margins=Margins.CLEAR,
                pt="pT1a",
            )
        )
        entries += [reading, decision, specimen, histology]
        seen = change.add(Acknowledgement(lesion_id=lesion.id, histology_id=histology.id))
        informed = change.add(
            Information(
                lesion_id=lesion.id,
                histology_id=histology.id,
                on=date(2026, 5, 12),
                channel=Channel.PHONE,
            )
        )
        recall = change.add(
            Recall(
                patient_id=patient.id,
                lesion_id=lesion.id,
                due_on=date(2026, 11, 4),
                reason="follow-up",
                status=RecallStatus.OPEN,
            )
        )
        entries += [seen, informed, recall]
    return Filled(patient, lesion, visit, photograph, tuple(entries))


def add_seen(
    change: Change, pseudonym: str, image
) -> tuple[Entry[Patient], Entry[Lesion], Entry[Visit], Entry[Photograph]]:
    """Add a patient with a lesion, a visit and a photograph."""
    patient = change.add(
        Patient(
            pseudonym=pseudonym,
            birth_year=1960,
            sex=Sex.FEMALE,
            skin_type=SkinType.II,
            melanoma_before=False,
            melanoma_in_family=True,
            immunosuppressed=None,
            num_nevi=NevusCount.UP_TO_60,
        )
    )
    lesion = change.add(
        Lesion(
            patient_id=patient.id,
            label="1",
            site="Trunk:Posterior trunk:Upper back",
            laterality=Laterality.LEFT,
            map_point=MapPoint(BodyView.BACK, 0.25, 0.5),
            noticed="2024-05",
            note="=1+1",
        )
    )
    visit = change.add(Visit(patient_id=patient.id, on=DAY, reason="check-up"))
    photograph = change.add(
        Photograph(
            patient_id=patient.id,
            lesion_id=lesion.id,
            visit_id=visit.id,
            sha256=image.sha256,
            media_type=image.media_type,
            width=image.width,
            height=image.height,
            kind=ImageKind.DERMOSCOPIC,
            dermoscopic_type=DermoscopicType.CONTACT_POLARISED,
            device="DermLite",
            taken_on=DAY,
            millimetres_per_pixel=0.02,
        )
    )
    return patient, lesion, visit, photograph
