"""ICD-O-3 morphology of what a laboratory found (WHO, third edition with its updates).

A histology keeps a diagnosis of the ISIC Archive's hierarchy. The longest entry that it lies under
gives its code. What is not listed has no code, and is written in words.
"""

from functools import cache

from melanoma_core.exchange.fhir.codes import ICD_O, Code

_EPIDERMAL = "Malignant:Malignant epidermal proliferations"
_FOLLICULAR = "Malignant:Malignant adnexal epithelial proliferations - Follicular"
_BCC = f"{_FOLLICULAR}:Basal cell carcinoma"
_BCC_KIND = f"{_BCC}:Basal cell carcinoma"
_SCC = f"{_EPIDERMAL}:Squamous cell carcinoma"
_MELANOMA = "Malignant:Malignant melanocytic proliferations (Melanoma)"
_INVASIVE = f"{_MELANOMA}:Melanoma Invasive"
_KIND = f"{_INVASIVE}:Melanoma Invasive"
_IN_SITU = f"{_MELANOMA}:Melanoma in situ"
_NEVUS = "Benign:Benign melanocytic proliferations:Nevus"

MORPHOLOGIES: dict[str, tuple[str, str]] = {
    _INVASIVE: ("8720/3", "Malignant melanoma, NOS"),
    f"{_MELANOMA}:Melanoma, NOS": ("8720/3", "Malignant melanoma, NOS"),
    f"{_MELANOMA}:Melanoma metastasis": ("8720/6", "Malignant melanoma, metastatic"),
    _IN_SITU: ("8720/2", "Melanoma in situ"),
    f"{_IN_SITU}:Melanoma in situ, Lentigo maligna type": ("8742/2", "Lentigo maligna"),
    f"{_KIND}, Acral or Acral-lentiginous": ("8744/3", "Acral lentiginous melanoma, malignant"),
    f"{_KIND}, Arising in a congenital nevus": (
        "8761/3",
        "Malignant melanoma in giant pigmented nevus",
    ),
    f"{_KIND}, Blue nevus-like": ("8780/3", "Blue nevus, malignant"),
    f"{_KIND}, Desmoplastic": ("8745/3", "Desmoplastic melanoma, malignant"),
    f"{_KIND}, Nodular": ("8721/3", "Nodular melanoma"),
    f"{_KIND}, On chronically sun-exposed skin or lentigo maligna melanoma": (
        "8742/3",
        "Lentigo maligna melanoma",
    ),
    f"{_KIND}, Superficial spreading": ("8743/3", "Superficial spreading melanoma"),
    _NEVUS: ("8720/0", "Pigmented nevus, NOS"),
    f"{_NEVUS}:Blue nevus": ("8780/0", "Blue nevus, NOS"),
    f"{_NEVUS}:Nevus, Atypical, Dysplastic, or Clark:Nevus, Dysplastic": (
        "8727/0",
        "Dysplastic nevus",
    ),
    f"{_NEVUS}:Nevus, Balloon cell": ("8722/0", "Balloon cell nevus"),
    f"{_NEVUS}:Nevus, Halo": ("8723/0", "Halo nevus"),
    f"{_NEVUS}:Nevus, NOS, Compound": ("8760/0", "Compound nevus"),
    f"{_NEVUS}:Nevus, NOS, Dermal": ("8750/0", "Intradermal nevus"),
    f"{_NEVUS}:Nevus, NOS, Junctional": ("8740/0", "Junctional nevus, NOS"),
    f"{_NEVUS}:Nevus, Spitz": ("8770/0", "Epithelioid and spindle cell nevus"),
    _BCC: ("8090/3", "Basal cell carcinoma, NOS"),
    f"{_BCC_KIND}, Infiltrating": ("8092/3", "Infiltrating basal cell carcinoma, NOS"),
    f"{_BCC_KIND}, Nodular": ("8097/3", "Basal cell carcinoma, nodular"),
    f"{_FOLLICULAR}:Baso-squamous carcinoma": ("8094/3", "Basosquamous carcinoma"),
    f"{_SCC} in situ": ("8070/2", "Squamous cell carcinoma in situ, NOS"),
    f"{_SCC} in situ:Squamous cell carcinoma in situ, Bowens disease": ("8081/2", "Bowen disease"),
    f"{_SCC}, Invasive": ("8070/3", "Squamous cell carcinoma, NOS"),
    f"{_SCC}, NOS": ("8070/3", "Squamous cell carcinoma, NOS"),
    f"{_EPIDERMAL}:Verrucous carcinoma": ("8051/3", "Verrucous carcinoma, NOS"),
    "Malignant:Merkel cell proliferation:Merkel cell carcinoma": (
        "8247/3",
        "Merkel cell carcinoma",
    ),
    "Benign:Benign soft tissue proliferations - Fibro-histiocytic:Dermatofibroma": (
        "8832/0",
        "Dermatofibroma, NOS",
    ),
}


@cache
def code_morphology(diagnosis: str) -> tuple[Code, ...]:
    """Return the ICD-O-3 morphology of a histology's diagnosis; empty if none is listed.

    Args:
        diagnosis: A value of isic-metadata's `DiagnosisEnum`.

    >>> [each.code for each in code_morphology(f"{_KIND}, Spitzoid")]
    ['8720/3']
    >>> code_morphology("Benign")
    ()
    """
    under = [name for name in MORPHOLOGIES if f"{diagnosis}:".startswith(f"{name}:")]
    if not under:
        return ()
    code, display = MORPHOLOGIES[max(under, key=len)]
    return (Code(ICD_O, code, display, "WHO ICD-O-3"),)
