"""The patient, the photographs, and the software that read them, as resources."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from melanoma_core.exchange.facts import NOTICE, SOFTWARE
from melanoma_core.exchange.fhir.codes import IMAGE, MODALITIES, TEST_DATA, make_concept
from melanoma_core.exchange.fhir.naming import (
    Resource,
    identify,
    make_day,
    make_note,
    make_resource,
    make_uuid,
    narrate,
    refer,
)
from melanoma_core.exchange.fhir.sites import make_site
from melanoma_core.models.card import ModelCard
from melanoma_core.models.origins import find_origins
from melanoma_core.records.case import LesionCase
from melanoma_core.records.drawn import is_drawn
from melanoma_core.records.entities import Photograph
from melanoma_core.records.entry import Entry
from melanoma_core.records.texts import tidy
from melanoma_core.records.wording import summarise
from melanoma_core.software import DISCLAIMER


@dataclass(frozen=True, kw_only=True)
class FhirRequest:
    """How a lesion is written as FHIR.

    Attributes:
        at: When.
        record_id: Id of the record.
        app_version: Version of this software, which writes.
        patient_system: System of the pseudonyms, a URI; "" for one of the record's own.
        cards: Cards of the models that are here, by their ids.
        hides_ai: Whether nothing of an AI reading may leave: the doctor reads first.
        contents: Content of each photograph's file, by the id of the photograph; those that are
            missing leave without their pixels.
    """

    at: datetime
    record_id: str
    app_version: str
    patient_system: str = ""
    cards: Mapping[str, ModelCard] = field(default_factory=dict)
    hides_ai: bool = False
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def find_patient_system(self) -> str:
        """Return the system of the pseudonyms."""
        return self.patient_system or f"urn:uuid:{make_uuid(self.record_id, 'pseudonyms')}"


def make_meta(case: LesionCase) -> dict[str, Any]:
    """Return what marks the resources of an invented patient; empty for all others."""
    return {"security": [TEST_DATA.to_coding()]} if is_drawn(case.patient.value) else {}


def make_patient(case: LesionCase, request: FhirRequest) -> Resource:
    """Return the patient: the pseudonym, and nothing else."""
    uuid, pseudonym = make_uuid(case.patient.id), tidy(case.patient.value.pseudonym)
    identifier = {
        "use": "secondary",
        "system": request.find_patient_system(),
        "value": pseudonym,
    }
    return make_resource(
        "Patient",
        uuid,
        meta=make_meta(case),
        text=narrate(f"Patient {pseudonym}, by the pseudonym of the clinic alone."),
        identifier=[*identify(uuid), identifier],
    )


def refer_patient(case: LesionCase) -> dict[str, str]:
    """Return a reference to the patient."""
    return refer("Patient", make_uuid(case.patient.id))


def make_photograph(case: LesionCase, entry: Entry[Photograph], content: bytes | None) -> Resource:
    """Return a photograph, with its pixels if they are given.

    Args:
        case: The lesion.
        entry: The photograph.
        content: Its file, without metadata; None to leave the pixels out.
    """
    value, uuid = entry.value, make_uuid(entry.id)
    return make_resource(
        "Media",
        uuid,
        meta=make_meta(case),
        text=narrate(f"Photograph: {summarise(value)}."),
        identifier=identify(uuid),
        status="completed",
        type=make_concept(IMAGE),
        modality=make_concept(MODALITIES[value.kind]),
        view={"text": str(value.dermoscopic_type)} if value.dermoscopic_type else None,
        subject=refer_patient(case),
        createdDateTime=make_day(value.taken_on),
        bodySite=make_site(case.lesion.value),
        deviceName=tidy(value.device),
        height=value.height,
        width=value.width,
        content=_attach(value, content),
        note=make_note("" if content is not None else "The pixels were left out of this file."),
    )


def _attach(value: Photograph, content: bytes | None) -> dict[str, Any]:
    """Return the file as base64 text: the library takes bytes for such text, and damages them."""
    if content is None:
        return {"contentType": value.media_type}
    return {
        "contentType": value.media_type,
        "data": base64.b64encode(content).decode("ascii"),
        "size": len(content),
        # FHIR R4 wants SHA-1.
        "hash": base64.b64encode(hashlib.sha1(content).digest()).decode("ascii"),
    }


def identify_device(model_id: str, app_version: str) -> str:
    """Return the UUID of a model as it is run by a version of this software."""
    return make_uuid(f"device {model_id} {app_version}")


def make_device(model_id: str, app_version: str, card: ModelCard | None) -> Resource:
    """Return the algorithm: the model, the software that ran it, and its operating points.

    Args:
        model_id: Id of the model.
        app_version: Version of the software.
        card: Card of the model; None if it is not here.
    """
    uuid, name = identify_device(model_id, app_version), tidy(model_id)
    points = [
        f"Operating point of the {alert.replace('_', ' ')} alert: {origin.threshold:g}, "
        f"{origin.describe()}."
        for alert, origin in (find_origins(card) if card else {}).items()
    ]
    made = {"text": "model"}, {"text": "software"}
    versions = [
        {"type": made[0], "value": name},
        {"type": made[1], "value": f"{SOFTWARE} {tidy(app_version)}"},
    ]
    return make_resource(
        "Device",
        uuid,
        text=narrate(f"Model {name}, run by {SOFTWARE} {app_version}.", DISCLAIMER, *points),
        identifier=identify(uuid),
        status="active",
        deviceName=[
            {"name": name, "type": "model-name"},
            {"name": SOFTWARE, "type": "other"},
        ],
        modelNumber=name,
        type={"text": "Network that reads photographs of skin lesions (software)"},
        version=versions,
        note=make_note("\n".join((f"{NOTICE}. {DISCLAIMER}", *points))),
    )


def list_photographs(case: LesionCase, request: FhirRequest) -> list[Resource]:
    """Return all photographs of a lesion."""
    return [
        make_photograph(case, entry, request.contents.get(entry.id)) for entry in case.photographs
    ]
