"""What all our DICOM files say alike: patient, study, series, equipment, and what they are for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256

from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from melanoma_core.exchange.dicom import codes
from melanoma_core.exchange.dicom.uids import make_content_uid, make_uid
from melanoma_core.exchange.facts import NOTICE, SOFTWARE, list_notices
from melanoma_core.exchange.occasion import Occasion
from melanoma_core.names import neutralise
from melanoma_core.records.vocabulary import Laterality, Sex
from melanoma_core.software import VERSION

LONGEST = 64  # characters of the value representation LO
_MAX_LABEL = 12
_MAX_COMMENT = 10_240  # characters of the value representation LT
_UNKNOWN = "Unknown"
_SEXES = {Sex.FEMALE: "F", Sex.MALE: "M"}
_SIDES = {Laterality.LEFT: "L", Laterality.RIGHT: "R", Laterality.MIDLINE: "U"}


@dataclass(frozen=True)
class Series:
    """A series of a lesion at a visit: one for each kind of file.

    Attributes:
        name: What it holds, for the description.
        modality: "DMS", "XC", "OT" or "SR".
        number: Its number within the study.
    """

    name: str
    modality: str
    number: int


DERMOSCOPY = Series("dermoscopy", "DMS", 1)
CLOSE_UPS = Series("close-ups", "XC", 2)
HEATMAPS = Series("AI heatmaps", "OT", 3)
READINGS = Series("AI reading", "SR", 4)


def describe(dataset: Dataset, occasion: Occasion, series: Series, place: int) -> None:
    """Write into a dataset whom it is about, and what it is for.

    Args:
        dataset: An image, or a report.
        occasion: The lesion at a visit.
        series: Its series.
        place: Its place in the series, from 1.
    """
    dataset.SpecificCharacterSet = "ISO_IR 192"
    _describe_patient(dataset, occasion)
    _describe_study(dataset, occasion)
    dataset.Modality = series.modality
    dataset.SeriesInstanceUID = find_series_uid(occasion, series)
    dataset.SeriesNumber = series.number
    dataset.SeriesDescription = describe_series(occasion, series)
    dataset.InstanceNumber = place
    dataset.ContentQualification = "RESEARCH"
    if occasion.is_drawn:
        dataset.SyntheticData = "YES"
    own = _list_own_scheme()
    dataset.CodingSchemeIdentificationSequence = [own]


def find_series_uid(occasion: Occasion, series: Series) -> str:
    """Return the UID of a series of a lesion at a visit."""
    return make_uid("series", occasion.visit_key, occasion.lesion_key, series.modality, series.name)


def describe_series(occasion: Occasion, series: Series) -> str:
    """Return the description of a series, of at most 64 characters."""
    label = clean(occasion.lesion.label)
    short = label if len(label) <= _MAX_LABEL else f"{label[: _MAX_LABEL - 1]}…"
    return f"Lesion {short}: {series.name}. {NOTICE}"[:LONGEST]


def describe_image(dataset: Dataset, occasion: Occasion) -> None:
    """Write into an image what all images say: the place on the body, and what they are for."""
    site = make_item(codes.code_site(occasion.lesion))
    dataset.AnatomicRegionSequence = [site]
    laterality = occasion.lesion.laterality
    if laterality is not None:
        dataset.ImageLaterality = _SIDES[laterality]
    else:
        dataset.Laterality = None  # of the series; it may be unknown
    dataset.PatientOrientation = None
    dataset.ImageComments = " ".join(list_notices(occasion))[:_MAX_COMMENT]


def describe_equipment(dataset: Dataset, model: str, manufacturer: str = _UNKNOWN) -> None:
    """Write into a dataset which device made it; a device that is not known is called so."""
    dataset.Manufacturer = manufacturer
    dataset.ManufacturerModelName = clean(model)[:LONGEST] or _UNKNOWN
    dataset.DeviceSerialNumber = _UNKNOWN
    dataset.SoftwareVersions = VERSION if manufacturer == SOFTWARE else _UNKNOWN


def make_contributor() -> Dataset:
    """Return that this software wrapped a photograph that another device took."""
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [make_item(codes.MODIFYING_EQUIPMENT)]
    item.Manufacturer = SOFTWARE
    item.ManufacturerModelName = SOFTWARE
    item.SoftwareVersions = VERSION
    item.ContributionDescription = "Wrote the photograph as DICOM; its pixels are unchanged."
    return item


def make_item(code: CodedConcept) -> Dataset:
    """Return the item of a sequence of codes."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning[:LONGEST]
    return item


def make_reference(dataset: Dataset) -> Dataset:
    """Return the item by which another instance refers to one."""
    item = Dataset()
    item.ReferencedSOPClassUID = dataset.SOPClassUID
    item.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
    return item


def set_made_at(dataset: Dataset, made_at: datetime | date | None) -> None:
    """Write when the content was made; a day alone has no time."""
    if isinstance(made_at, datetime):
        utc = made_at.astimezone(UTC)
        dataset.TimezoneOffsetFromUTC = "+0000"
        dataset.ContentDate = utc.strftime("%Y%m%d")
        dataset.ContentTime = utc.strftime("%H%M%S")
    elif made_at is not None:
        dataset.ContentDate = made_at.strftime("%Y%m%d")


def seal(dataset: Dataset) -> None:
    """Give an instance the UID of its content; nothing may change after that."""
    uid = make_content_uid(dataset)
    dataset.SOPInstanceUID = uid
    meta = dataset.file_meta
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = uid
    if "TransferSyntaxUID" not in meta:
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = make_uid("implementation", SOFTWARE, VERSION)
    meta.ImplementationVersionName = f"MELDASH {VERSION}"[:16]


def clean(text: str) -> str:
    r"""Return a text as one line for a short value, in which a backslash would begin another one.

    >>> clean("a\\b\nc")
    'a/b c'
    """
    return neutralise(text).replace("\\", "/").strip()


def name_patient(pseudonym: str) -> str:
    """Return a pseudonym as the id of a patient, which has at most 64 characters.

    >>> name_patient("4711"), len(name_patient("x" * 100))
    ('4711', 64)
    """
    cleaned = clean(pseudonym)
    if cleaned == pseudonym and len(pseudonym) <= LONGEST:
        return pseudonym
    digest = sha256(pseudonym.encode()).hexdigest()[:12]  # so that no two become one
    return f"{cleaned[: LONGEST - 13]}-{digest}"


def _describe_patient(dataset: Dataset, occasion: Occasion) -> None:
    patient_id = name_patient(occasion.patient.pseudonym)
    dataset.PatientID = patient_id
    # The caret says that a name has one part alone.
    dataset.PatientName = patient_id.replace("^", " ").replace("=", " ") + "^"
    dataset.PatientBirthDate = None  # the record knows the year alone
    dataset.PatientSex = _SEXES.get(occasion.patient.sex) if occasion.patient.sex else None


def _describe_study(dataset: Dataset, occasion: Occasion) -> None:
    dataset.StudyInstanceUID = make_uid("study", occasion.visit_key)
    on = occasion.visited_on
    dataset.StudyDate = on.strftime("%Y%m%d") if on else None
    dataset.StudyTime = None
    dataset.StudyID = None
    dataset.AccessionNumber = None
    dataset.ReferringPhysicianName = None
    dataset.StudyDescription = f"Skin lesions. {NOTICE}"


def _list_own_scheme() -> Dataset:
    item = Dataset()
    item.CodingSchemeDesignator = codes.OWN_SCHEME
    item.CodingSchemeName = codes.OWN_SCHEME_NAME
    item.CodingSchemeResponsibleOrganization = SOFTWARE
    return item
