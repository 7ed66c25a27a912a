"""The codes in our DICOM files: SNOMED CT and DICOM's own where they are public, else our own.

SNOMED CT codes are those that DICOM publishes (PS3.16), and four disorders of the skin from the
public browser. What has no public code has one of our own scheme, which each file declares.
"""

from highdicom.sr import CodedConcept

from melanoma_core.records.entities import Lesion
from melanoma_core.records.vocabulary import Laterality
from melanoma_core.taxonomy import Diagnosis

OWN_SCHEME = "99MELDASH"  # private designators begin with 99 (PS3.16, section 8)
OWN_SCHEME_NAME = "Codes of the melanoma dashboard, an open research project"


def make_own(value: str, meaning: str) -> CodedConcept:
    """Return a code of our own scheme."""
    return CodedConcept(value, OWN_SCHEME, meaning)


def _make_snomed(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, "SCT", meaning)


def _make_dicom(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, "DCM", meaning)


YES, NO = _make_snomed("373066001", "Yes"), _make_snomed("373067005", "No")
SKIN_LESION = _make_snomed("95324001", "Skin lesion")
DERMOSCOPY = _make_snomed("446078004", "Dermoscopic photography")
PHOTOGRAPHY = make_own("close-up", "Close-up photography of the skin")
DIFFERENTIAL = _make_dicom("111023", "Differential Diagnosis/Impression")
CANCER_PROBABILITY = _make_dicom("111047", "Probability of cancer")
COMMENT = _make_dicom("121106", "Comment")
SOURCE_IMAGE = _make_dicom("121322", "Source Image for Image Processing Operation")
MODIFYING_EQUIPMENT = _make_dicom("109103", "Modifying Equipment")
PERCENT = CodedConcept("%", "UCUM", "Percent")

MELANOMA_PROBABILITY = make_own("probability-MEL", "Probability of melanoma")
MELANOMA_THRESHOLD = make_own("threshold-MEL", "Threshold of the melanoma alert")
CANCER_THRESHOLD = make_own("threshold-cancer", "Threshold of the skin cancer alert")
MELANOMA_ALERT = make_own("alert-MEL", "Melanoma alert")
CANCER_ALERT = make_own("alert-cancer", "Skin cancer alert")
LEADING = make_own("leading", "Leading diagnosis")
WAS_READ = make_own("was-read", "Was read by the model")
READ_ANYWAY = make_own("read-anyway", "Out of distribution, read all the same")

_DIAGNOSES = {
    Diagnosis.MEL: _make_snomed("93655004", "Malignant melanoma of skin"),
    Diagnosis.NV: _make_snomed("400096001", "Melanocytic nevus of skin"),
    Diagnosis.BCC: _make_snomed("254701007", "Basal cell carcinoma of skin"),
    Diagnosis.AK: _make_snomed("201101007", "Actinic keratosis"),
    Diagnosis.SCC: _make_snomed("254651007", "Squamous cell carcinoma of skin"),
    # Groups of ISIC 2019, or without a code that DICOM publishes.
    Diagnosis.BKL: make_own("BKL", "Benign keratosis (group of ISIC 2019)"),
    Diagnosis.DF: make_own("DF", "Dermatofibroma"),
    Diagnosis.VASC: make_own("VASC", "Vascular lesion of skin (group of ISIC 2019)"),
}

_SKIN = _make_snomed("39937001", "Skin")
# Dermatology anatomic sites of DICOM (CID 4029), by values of isic-metadata's sites; the longest
# value that begins a site counts.
_SITES = {
    "Head and neck:Head": ("70762009", "Skin of head"),
    "Head and neck:Head:Scalp": ("43067004", "Skin of scalp"),
    "Head and neck:Head:Ear": ("1902009", "Skin of ear"),
    "Head and neck:Head:Face": ("73897004", "Skin of face"),
    "Head and neck:Head:Face:Forehead": ("68698007", "Skin of forehead"),
    "Head and neck:Head:Face:Cheek": ("36141000", "Skin of cheek"),
    "Head and neck:Head:Face:Nose": ("113179006", "Skin of nose"),
    "Head and neck:Head:Face:Chin": ("23747009", "Skin of chin"),
    "Head and neck:Neck": ("43081002", "Skin of neck"),
    "Head and neck:Neck:Nape of neck": ("4658004", "Skin of nuchal region"),
    "Trunk:Anterior trunk": ("181491009", "Skin of anterior trunk"),
    "Trunk:Anterior trunk:Anterior abdomen": ("75093004", "Skin of abdomen"),
    "Trunk:Lateral trunk:Axilla": ("76261009", "Skin of axilla"),
    "Trunk:Posterior trunk": ("66643007", "Skin of back"),
    "Trunk:Posterior trunk:Upper back": ("699893008", "Skin of back of upper thoracic region"),
    "Trunk:Posterior trunk:Lower back": ("113182001", "Skin of lower back"),
    "Upper extremity": ("371311000", "Skin of upper extremity"),
    "Upper extremity:Hand": ("33712006", "Skin of hand"),
    "Upper extremity:Hand:Palm of hand": ("70887009", "Skin of palm of hand"),
    "Lower extremity": ("371304004", "Skin of lower extremity"),
    "Lower extremity:Buttock": ("22180002", "Skin of buttock"),
    "Lower extremity:Foot": ("60496002", "Skin of foot"),
    "Lower extremity:Foot:Sole of foot:Heel": ("84607009", "Skin of heel"),
    "Lower extremity:Foot:Toes": ("52034004", "Skin of toe"),
    "Anogenital region:Genital region": ("60944009", "Skin of external genitalia"),
}
_SIDES = {
    Laterality.LEFT: _make_snomed("7771000", "Left"),
    Laterality.RIGHT: _make_snomed("24028007", "Right"),
}


def code_diagnosis(diagnosis: Diagnosis) -> CodedConcept:
    """Return the code of a diagnosis.

    >>> code_diagnosis(Diagnosis.BCC).meaning
    'Basal cell carcinoma of skin'
    """
    return _DIAGNOSES[diagnosis]


def code_probability(diagnosis: Diagnosis) -> CodedConcept:
    """Return the code of the probability of a diagnosis, of our own scheme."""
    return make_own(f"probability-{diagnosis}", f"Probability of {diagnosis.title}")


def code_site(lesion: Lesion) -> CodedConcept:
    """Return the code of a lesion's site, the nearest that DICOM lists; else that of the skin.

    >>> code_site(Lesion(patient_id="", label="1", site="Trunk:Posterior trunk:Mid back")).meaning
    'Skin of back'
    """
    parts = lesion.site.split(":")
    for length in range(len(parts), 0, -1):
        found = _SITES.get(":".join(parts[:length]))
        if found:
            return _make_snomed(*found)
    return _SKIN


def code_side(lesion: Lesion) -> CodedConcept | None:
    """Return the code of the side of the body; None on the midline, or if not stated."""
    return _SIDES.get(lesion.laterality) if lesion.laterality else None
