"""A lesion at one visit, as it goes out: from the record, or from files that no record keeps."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from melanoma_core.data.decoder import decode_within
from melanoma_core.models.card import ModelCard
from melanoma_core.records.case import LesionCase
from melanoma_core.records.drawn import is_drawn
from melanoma_core.records.entities import Lesion, Patient, Photograph
from melanoma_core.records.loop import AiReading
from melanoma_core.records.stripping import WHOLE, strip
from melanoma_core.records.vocabulary import ImageKind

ReadImage = Callable[[str], bytes]
"""Returns the content of a kept file by its SHA-256 (hex)."""


@dataclass(frozen=True, kw_only=True)
class MadeReading:
    """An AI reading with what others need to judge it.

    Attributes:
        value: What the network said.
        made_at: When, with its zone; None if unknown.
        card: Card of the model that read; None if it is not here.
        decided: Management that a person has signed after this reading; "" if none. A decision
            does not confirm the reading.
    """

    value: AiReading
    made_at: datetime | None = None
    card: ModelCard | None = None
    decided: str = ""


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """A lesion at one visit, as it goes out.

    Attributes:
        patient_key: Never another patient's: an id of the record, or a hash.
        lesion_key: The same for the lesion.
        visit_key: The same for the visit.
        patient: The patient.
        lesion: The lesion.
        visited_on: Day of the visit; None if unknown.
        photographs: Photographs of the lesion at this visit, by their keys.
        reading: The last AI reading; None if there is none, or if it may not be shown.
        read: Reads a photograph or a heatmap.
        is_drawn: Whether a program drew the photographs.
    """

    patient_key: str
    lesion_key: str
    visit_key: str
    patient: Patient
    lesion: Lesion
    visited_on: date | None
    photographs: Mapping[str, Photograph]
    reading: MadeReading | None
    read: ReadImage = field(repr=False)
    is_drawn: bool = False


def list_occasions(
    case: LesionCase, read: ReadImage, card: ModelCard | None, *, hides_ai: bool = False
) -> tuple[Occasion, ...]:
    """Return each visit at which a lesion was photographed, the earliest first.

    Args:
        case: The lesion in the record.
        read: Reads a kept file, as `ImageStore.read`.
        card: Card of the model of the last reading; None if it is not here.
        hides_ai: Whether nothing of an AI reading may leave, since the doctor reads first.
    """
    return tuple(_list_occasions(case, read, card, hides_ai=hides_ai))


def _list_occasions(
    case: LesionCase, read: ReadImage, card: ModelCard | None, *, hides_ai: bool
) -> Iterator[Occasion]:
    for visit in case.visits:
        photographs = {
            each.id: each.value for each in case.photographs if each.value.visit_id == visit.id
        }
        if photographs:
            yield Occasion(
                patient_key=case.patient.id,
                lesion_key=case.lesion.id,
                visit_key=visit.id,
                patient=case.patient.value,
                lesion=case.lesion.value,
                visited_on=visit.value.on,
                photographs=photographs,
                reading=None if hides_ai else _find_reading(case, visit.id, card),
                read=read,
                is_drawn=is_drawn(case.patient.value),
            )


def _find_reading(case: LesionCase, visit_id: str, card: ModelCard | None) -> MadeReading | None:
    """Return the last AI reading of a visit, of photographs that still stand."""
    standing = {each.id for each in case.photographs}
    readings = [each for each in case.ai_readings if each.value.visit_id == visit_id]
    if not readings or any(
        each.photograph_id not in standing for each in readings[-1].value.photographs
    ):
        return None
    last = readings[-1]
    decisions = [each for each in case.decisions if each.value.ai_reading_id == last.id]
    return MadeReading(
        value=last.value,
        made_at=last.at,
        card=card if card is not None and card.model_id == last.value.model_id else None,
        decided=str(decisions[-1].value.management) if decisions else "",
    )


@dataclass(frozen=True)
class StrippedFiles:
    """Photographs without their metadata, in memory.

    Attributes:
        contents: Content of each file, by its SHA-256 (hex); heatmaps are added.
        photographs: What is known of each photograph, by its SHA-256 (hex).
    """

    contents: dict[str, bytes]
    photographs: dict[str, Photograph]

    def keep(self, data: bytes) -> str:
        """Keep a file, and return its SHA-256 (hex)."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.contents[sha256] = data
        return sha256


def strip_files(files: Mapping[str, bytes], kind: ImageKind) -> StrippedFiles:
    """Return photographs without their metadata; what cannot be decoded raises.

    Args:
        files: Content of each file, by its name, which goes no further.
        kind: What they show.

    Raises:
        ImageError: A file is no photograph that can be read.
    """
    kept = StrippedFiles({}, {})
    for data in files.values():
        photograph = decode_within(data, max_side=WHOLE)
        content, media_type = strip(data, photograph)
        sha256 = kept.keep(content)
        kept.photographs[sha256] = Photograph(
            patient_id="",
            lesion_id="",
            visit_id="",
            sha256=sha256,
            media_type=media_type,
            width=photograph.original_width,
            height=photograph.original_height,
            kind=kind,
        )
    return kept


def make_occasion(
    files: StrippedFiles, reading: MadeReading | None, pseudonym: str, label: str
) -> Occasion:
    """Return a lesion that no record keeps.

    Args:
        files: Its photographs and heatmaps.
        reading: What the network said; the ids of its photographs are their SHA-256.
        pseudonym: Of the patient; "" for one that is derived from the photographs.
        label: Of the lesion.
    """
    content = hashlib.sha256("".join(sorted(files.photographs)).encode()).hexdigest()
    name = pseudonym or f"file-{content[:12]}"
    return Occasion(
        patient_key=f"file:{name}",
        lesion_key=f"file:{name}:{label}:{content}",
        visit_key=f"file:{name}:{content}",
        patient=Patient(pseudonym=name),
        lesion=Lesion(patient_id="", label=label),
        visited_on=None,
        photographs=files.photographs,
        reading=reading,
        read=files.contents.__getitem__,
        is_drawn=False,
    )
