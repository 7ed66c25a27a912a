"""The codes of what is written as FHIR, each with its source.

A public code is used where a public source gives it that very meaning: SNOMED CT as DICOM PS3.16
lists it, HL7's own vocabularies, LOINC, and ICD-O-3 (`histology_codes`). For all else there is a
local code system, which each file holds in full.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from melanoma_core.records.vocabulary import ImageKind, Management
from melanoma_core.taxonomy import Diagnosis, RiskTier

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
ICD_O = "http://terminology.hl7.org/CodeSystem/icd-o-3"
LOCAL = "urn:uuid:0b7f4c7e-5a0e-4d0a-9d57-3f1c6f9d2e11"
"""The local code system; each file holds it as a CodeSystem."""

_HL7 = "http://terminology.hl7.org/CodeSystem"
_PS3_16 = "DICOM PS3.16"


@dataclass(frozen=True)
class Code:
    """A code.

    Attributes:
        system: Its code system.
        code: The code itself.
        display: What it means, as its system writes it.
        source: Where its meaning was looked up.
    """

    system: str
    code: str
    display: str
    source: str

    @property
    def is_local(self) -> bool:
        """Whether it is of the local code system."""
        return self.system == LOCAL

    def to_coding(self) -> dict[str, str]:
        """Return it as a Coding."""
        return {"system": self.system, "code": self.code, "display": self.display}


def make_concept(*codes: Code, text: str = "") -> dict[str, Any]:
    """Return codes of one meaning as a CodeableConcept.

    Args:
        codes: The codes, the most general one first.
        text: Its words; the display of the first code if empty.
    """
    coding = [code.to_coding() for code in codes]
    words = text or codes[0].display
    return {"coding": coding, "text": words} if coding else {"text": words}


def _local(code: str, display: str) -> Code:
    return Code(LOCAL, code, display, "this software")


# What is observed.
AI_READING = _local("ai-reading", "Reading of photographs of a skin lesion by a network")
MELANOMA = _local("melanoma-probability", "Calibrated probability of melanoma")
SKIN_CANCER = _local("skin-cancer-probability", "Calibrated probability of any skin cancer")
LEADING = _local("leading-diagnosis", "Leading diagnosis of the network")
TIER = _local("risk-tier", "Risk tier of the leading diagnosis")
PHOTOGRAPH_READING = _local("photograph-reading", "Reading of one photograph by a network")
DECISION = _local("management-decision", "What is done with a skin lesion, as a person signed it")
# What belongs to a probability.
ALERT = _local("alert", "Whether the probability reaches the threshold of the alert")
THRESHOLD = _local("alert-threshold", "Threshold of the alert")
TARGET = _local("target-sensitivity", "Sensitivity that the threshold was chosen for")
CHOSEN_ON = _local("threshold-origin", "Data that the threshold was chosen on")
ADAPTED = _local("adapted-probability", "Probability at the prevalence of the clinic")
PREVALENCE = _local("prevalence", "Prevalence that was set for the clinic")
# What belongs to a histology.
BRESLOW = _local("breslow-thickness", "Breslow thickness")
ULCERATION = _local("ulceration", "Ulceration")
MITOSES = _local("mitoses", "Mitoses per square millimetre")
MARGINS = _local("margins", "Margins of the specimen")
PT = _local("pt-ajcc-8", "Primary tumour category (pT) of AJCC 8")
IN_SITU = _local("in-situ", "Whether the tumour is in situ")

HISTOLOGY = Code(LOINC, "59847-4", "Histology and Behavior ICD-O-3 Cancer", "LOINC")
PATHOLOGY_REPORT = Code(LOINC, "11529-5", "Surgical pathology study", "LOINC")
TISSUE = Code(SNOMED, "119376003", "Tissue specimen", f"{_PS3_16} CID 8103")
BIOPSY = Code(SNOMED, "240977001", "Biopsy of skin", f"{_PS3_16} CID 4409")
EXCISION = Code(SNOMED, "440258006", "Excision of skin", f"{_PS3_16} CID 4409")
DERMOSCOPY = Code(DICOM, "DMS", "Dermoscopy", f"{_PS3_16} CID 29")
PHOTOGRAPHY = Code(DICOM, "XC", "External-camera Photography", f"{_PS3_16} CID 29")

IMAGING = Code(f"{_HL7}/v2-0074", "IMG", "Diagnostic Imaging", "FHIR R4, HL7 v2 table 0074")
PATHOLOGY = Code(f"{_HL7}/v2-0074", "SP", "Surgical Pathology", "FHIR R4, HL7 v2 table 0074")
EXAM = Code(f"{_HL7}/observation-category", "exam", "Exam", "FHIR R4")
IMAGING_OBSERVATION = Code(f"{_HL7}/observation-category", "imaging", "Imaging", "FHIR R4")
LABORATORY = Code(f"{_HL7}/observation-category", "laboratory", "Laboratory", "FHIR R4")
IMAGE = Code(f"{_HL7}/media-type", "image", "Image", "FHIR R4")
NOT_PERFORMED = Code(f"{_HL7}/data-absent-reason", "not-performed", "Not Performed", "FHIR R4")
RAISED = Code(f"{_HL7}/v3-ObservationInterpretation", "POS", "Positive", "FHIR R4, HL7 v3")
NOT_RAISED = Code(f"{_HL7}/v3-ObservationInterpretation", "NEG", "Negative", "FHIR R4, HL7 v3")
AUTHOR = Code(f"{_HL7}/provenance-participant-type", "author", "Author", "FHIR R4")
ASSEMBLER = Code(f"{_HL7}/provenance-participant-type", "assembler", "Assembler", "FHIR R4")
TEST_DATA = Code(f"{_HL7}/v3-ActReason", "HTEST", "test health data", "FHIR R4, HL7 v3")

_PICKED = "SNOMED CT"
DIAGNOSES: dict[Diagnosis, tuple[Code, ...]] = {
    Diagnosis.MEL: (Code(SNOMED, "93655004", "Malignant melanoma of skin", _PICKED),),
    Diagnosis.NV: (Code(SNOMED, "400096001", "Melanocytic nevus", _PICKED),),
    Diagnosis.BCC: (Code(SNOMED, "254701007", "Basal cell carcinoma of skin", _PICKED),),
    Diagnosis.AK: (Code(SNOMED, "201101007", "Actinic keratosis", f"{_PS3_16} CID 4405"),),
    Diagnosis.BKL: (),  # a group of the ISIC Archive, of which SNOMED CT has no concept
    Diagnosis.DF: (),  # no public list that we know has its code
    Diagnosis.VASC: (),  # a group as well
    Diagnosis.SCC: (
        Code(SNOMED, "254651007", "Squamous cell carcinoma of skin", f"{_PS3_16} CID 638"),
    ),
}
_LOCAL_DIAGNOSES = {
    each: _local(f"diagnosis-{each.value.lower()}", each.title.capitalize()) for each in Diagnosis
}
TIERS = {each: _local(f"tier-{each.value}", each.value.capitalize()) for each in RiskTier}
MANAGEMENTS = {
    each: _local(f"management-{each.value.replace(' ', '-')}", each.value.capitalize())
    for each in Management
}
MODALITIES = {
    ImageKind.DERMOSCOPIC: DERMOSCOPY,
    ImageKind.CLOSE_UP: PHOTOGRAPHY,
    ImageKind.OVERVIEW: PHOTOGRAPHY,
}


def code_diagnosis(diagnosis: Diagnosis) -> tuple[Code, ...]:
    """Return the codes of one of the eight diagnoses: the public one, if there is one; the local.

    >>> [code.code for code in code_diagnosis(Diagnosis.BCC)]
    ['254701007', 'diagnosis-bcc']
    """
    return (*DIAGNOSES[diagnosis], _LOCAL_DIAGNOSES[diagnosis])


def code_removal(method: Management) -> tuple[Code, ...]:
    """Return the codes of how tissue was taken.

    >>> [code.code for code in code_removal(Management.PUNCH)]
    ['240977001', 'management-punch-biopsy']
    """
    public = EXCISION if method is Management.EXCISION else BIOPSY
    return (public, MANAGEMENTS[method])


def list_codes() -> tuple[Code, ...]:
    """Return all codes of this module, public ones first; sites and histology have their own.

    >>> len({(code.system, code.code) for code in list_codes()}) == len(list_codes())
    True
    """
    return tuple(sorted(set(_walk()), key=lambda code: (code.is_local, code.system, code.code)))


def _walk() -> Iterator[Code]:
    yield from (each for each in globals().values() if isinstance(each, Code))
    for diagnosis in Diagnosis:
        yield from code_diagnosis(diagnosis)
    yield from (*TIERS.values(), *MANAGEMENTS.values(), *MODALITIES.values())


def make_code_system() -> dict[str, Any]:
    """Return the local code system as a CodeSystem, for the file of a lesion."""
    concepts = [
        {"code": code.code, "display": code.display} for code in list_codes() if code.is_local
    ]
    return {
        "resourceType": "CodeSystem",
        "id": LOCAL.removeprefix("urn:uuid:"),
        "url": LOCAL,
        "name": "MelanomaDashboard",
        "title": "Local codes of the melanoma dashboard",
        "status": "active",
        "description": "Codes for which no public code system was found. They are local: no other "
        "software knows them unless it reads this list.",
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "concept": concepts,
    }
