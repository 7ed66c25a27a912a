"""SNOMED CT codes of places on the skin, as DICOM PS3.16 (CID 4029, dermatology) lists them."""

from functools import cache
from typing import Any

from melanoma_core.exchange.fhir.codes import SNOMED, Code, make_concept
from melanoma_core.records.entities import Lesion
from melanoma_core.records.texts import tidy
from melanoma_core.records.wording import say_site

_SOURCE = "DICOM PS3.16"
SITES: dict[str, tuple[str, str]] = {
    "": ("39937001", "Skin structure"),
    "Head and neck:Head": ("70762009", "Skin structure of head"),
    "Head and neck:Head:Scalp": ("43067004", "Skin structure of scalp"),
    "Head and neck:Head:Ear": ("1902009", "Skin structure of ear"),
    "Head and neck:Head:Face": ("73897004", "Skin structure of face"),
    "Head and neck:Neck": ("43081002", "Skin structure of neck"),
    "Head and neck:Neck:Nape of neck": ("4658004", "Skin structure of nuchal region"),
    "Trunk:Anterior trunk": ("181491009", "Skin structure of anterior trunk"),
    "Trunk:Anterior trunk:Anterior chest": ("74160004", "Skin structure of chest"),
    "Trunk:Anterior trunk:Anterior abdomen": ("75093004", "Skin structure of abdomen"),
    "Trunk:Lateral trunk:Axilla": ("76261009", "Skin structure of axilla"),
    "Trunk:Posterior trunk": ("66643007", "Skin structure of back"),
    "Trunk:Posterior trunk:Lower back": ("113182001", "Skin structure of lower back"),
    "Upper extremity": ("371311000", "Skin structure of upper limb"),
    "Upper extremity:Elbow:Antecubital fossa": (
        "17957002",
        "Skin structure of antecubital fossa",
    ),
    "Upper extremity:Hand": ("33712006", "Skin structure of hand"),
    "Upper extremity:Hand:Palm of hand": ("70887009", "Skin structure of palmar area of hand"),
    "Lower extremity": ("371304004", "Skin structure of lower limb"),
    "Lower extremity:Buttock": ("22180002", "Skin structure of buttock"),
    "Lower extremity:Knee:Popliteal fossa": ("84507004", "Skin structure of popliteal fossa"),
    "Lower extremity:Foot": ("60496002", "Skin structure of foot"),
    "Lower extremity:Foot:Toes": ("52034004", "Skin structure of toe"),
    "Anogenital region:Genital region": ("60944009", "Skin structure of external genitalia"),
}


@cache
def code_site(site: str) -> Code:
    """Return the code of the smallest listed place that holds a site.

    Args:
        site: A value of isic-metadata's `AnatomSiteEnum`; "" for the skin as a whole.

    >>> code_site("Trunk:Posterior trunk:Upper back").display
    'Skin structure of back'
    >>> code_site("").display
    'Skin structure'
    """
    around = [name for name in SITES if not name or f"{site}:".startswith(f"{name}:")]
    code, display = SITES[max(around, key=len)]
    return Code(SNOMED, code, display, _SOURCE)


def make_site(lesion: Lesion) -> dict[str, Any]:
    """Return where a lesion is as a CodeableConcept; its text names the side and the exact site."""
    return make_concept(code_site(lesion.site), text=tidy(say_site(lesion)))
