"""What the files of new photographs say of themselves, offered to a person who adds them.

Nothing of it is kept before the person accepts it by saving. Where a file names another patient,
its photograph is left out unless the person says otherwise.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from melanoma_core.data.formats.dicom_facts import DicomFacts, read_facts
from melanoma_core.data.formats.dicom_frames import list_photographs
from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.vocabulary import DermoscopicType, ImageKind, Laterality

_TYPES = {
    (True, True): DermoscopicType.CONTACT_POLARISED,
    (False, True): DermoscopicType.CONTACT_NON_POLARISED,
    (True, False): DermoscopicType.NON_CONTACT_POLARISED,
}


@dataclass(frozen=True)
class Place:
    """A place on the body, as a file says it.

    Attributes:
        site: A value of isic-metadata's `AnatomSiteEnum`; "" if it says none.
        laterality: Side of the body; None if it says none.
    """

    site: str = ""
    laterality: Laterality | None = None

    @property
    def text(self) -> str:
        """The place in words.

        Example:
            >>> Place("Upper extremity:Forearm", Laterality.LEFT).text
            'Upper extremity, Forearm, left'
        """
        return ", ".join([*filter(None, self.site.split(":")), *filter(None, [self.laterality])])


@dataclass(frozen=True, eq=False)
class OfferedPhotograph:
    """A photograph that may be added, and what its file says.

    Attributes:
        name: Name of the file, with the number of the frame if it has several.
        content: Content of the file, of this photograph alone.
        kind: What it shows; None if the file does not say it.
        dermoscopic_type: Light and contact of the dermoscope; None if the file does not say both.
        taken_on: Day on which it was taken; None if the file does not say it.
        place: Place of the lesion where the record has none; None otherwise.
        said: What the file says, in words; "" if nothing.
        warnings: What to look at before it is kept.
        is_of_another: Whether the file names another patient.
    """

    name: str
    content: bytes
    kind: ImageKind | None = None
    dermoscopic_type: DermoscopicType | None = None
    taken_on: date | None = None
    place: Place | None = None
    said: str = ""
    warnings: tuple[str, ...] = ()
    is_of_another: bool = False


def offer_photographs(
    files: Iterable[tuple[str, bytes]], patient: Patient, lesion: Lesion | None = None
) -> tuple[OfferedPhotograph, ...]:
    """Return the photographs of files with what the files say, each frame as one of them.

    Args:
        files: Names and contents.
        patient: To whom they are to be added.
        lesion: Of which they are; None for an overview of several.
    """
    return tuple(
        _offer(name, content, patient, lesion)
        for file in files
        for name, content in list_photographs(*file)
    )


def _offer(name: str, content: bytes, patient: Patient, lesion: Lesion | None) -> OfferedPhotograph:
    facts = read_facts(content)
    if facts is None:
        return OfferedPhotograph(name, content)
    place = _read_place(facts)
    is_open = lesion is not None and not lesion.site and bool(place.site)
    return OfferedPhotograph(
        name,
        content,
        kind=ImageKind.DERMOSCOPIC if facts.is_dermoscopic else None,
        dermoscopic_type=_find_type(facts),
        taken_on=facts.taken_on,
        place=place if is_open else None,
        said=_describe(facts, place),
        warnings=tuple(_list_warnings(facts, place, patient, lesion)),
        is_of_another=_is_of_another(facts, patient),
    )


def _read_place(facts: DicomFacts) -> Place:
    return Place(facts.site or "", Laterality(facts.laterality) if facts.laterality else None)


def _find_type(facts: DicomFacts) -> DermoscopicType | None:
    if facts.is_polarised is None or facts.is_in_contact is None:
        return None
    return _TYPES.get((facts.is_polarised, facts.is_in_contact))


def _is_of_another(facts: DicomFacts, patient: Patient) -> bool:
    return facts.patient_id is not None and facts.patient_id != patient.pseudonym


def _describe(facts: DicomFacts, place: Place) -> str:
    words = {
        "patient": facts.patient_id,
        "lesion": facts.lesion_id,
        "site": place.text or facts.site_text,
        "taken on": facts.taken_on,
    }
    light = {True: "polarised light", False: "non-polarised light"}
    contact = {True: "with contact", False: "without contact"}
    said = [f"{name} {value}" for name, value in words.items() if value]
    if facts.is_polarised is not None:
        said.append(light[facts.is_polarised])
    if facts.is_in_contact is not None:
        said.append(contact[facts.is_in_contact])
    return ", ".join(said)


def _list_warnings(
    facts: DicomFacts, place: Place, patient: Patient, lesion: Lesion | None
) -> Iterable[str]:
    if _is_of_another(facts, patient):
        yield (
            f"The file names the patient {facts.patient_id}, and this is {patient.pseudonym}. Keep "
            "it only if both are the same person."
        )
    if lesion is not None and lesion.site and place.site and not _fits(lesion, place):
        yield (
            f"The file places the lesion elsewhere: {place.text}. Check whether it is this lesion."
        )
    if facts.has_burned_in:
        yield (
            "The file says that text is part of its pixels (Burned In Annotation). Check that it "
            "names no person, or crop the photograph, before you keep it."
        )
    if facts.shows_identity:
        yield "The file says that the patient can be recognised by what it shows."


def _fits(lesion: Lesion, place: Place) -> bool:
    """Return whether a place is that of a lesion, or a part of it, or the other way round."""
    one, other = lesion.site.split(":"), place.site.split(":")
    is_same_side = (
        lesion.laterality is None
        or place.laterality is None
        or lesion.laterality == place.laterality
    )
    return is_same_side and all(a == b for a, b in zip(one, other, strict=False))
