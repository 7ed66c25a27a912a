import pytest

from melanoma_core.taxonomy import TIER_STYLES, Diagnosis, RiskTier, parse_diagnosis

ISIC9_FOLDERS = {
    "actinic keratosis": "AK",
    "basal cell carcinoma": "BCC",
    "dermatofibroma": "DF",
    "melanoma": "MEL",
    "nevus": "NV",
    "pigmented benign keratosis": "BKL",
    "seborrheic keratosis": "BKL",
    "squamous cell carcinoma": "SCC",
    "vascular lesion": "VASC",
}
HAM10000_CODES = {"bcc": "BCC", "bkl": "BKL", "df": "DF", "mel": "MEL", "nv": "NV", "vasc": "VASC"}


@pytest.mark.parametrize("name", ["", "  ", "wart", "unknown", "UNK", "melanoma?", "mel nv"])
def test_an_unknown_name_gives_none(name: str):
    assert parse_diagnosis(name) is None


def test_akiec_gives_none_because_it_combines_two_diagnoses():
    assert parse_diagnosis("akiec") is None


def test_the_diagnoses_are_those_of_isic_2019_in_its_order():
    assert list(Diagnosis) == ["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC"]


@pytest.mark.parametrize(("name", "code"), (ISIC9_FOLDERS | HAM10000_CODES).items())
def test_every_folder_of_isic9_and_code_of_ham10000_is_recognised(name: str, code: str):
    assert parse_diagnosis(name) == code


@pytest.mark.parametrize(
    "name", ["Basal_Cell_Carcinoma", "basal-cell-carcinoma", "  BASAL  cell carcinoma "]
)
def test_case_underscores_hyphens_and_spaces_are_ignored(name: str):
    assert parse_diagnosis(name) is Diagnosis.BCC


@pytest.mark.parametrize(
    ("code", "names"),
    {
        "MEL": (
            "malignant melanoma",
            "Melanomas",
            "melanoma in situ",
            "melanoma-in-situ",
            "Melanoma in situ, Lentigo maligna type",
            "lentigo maligna",
            "lentigo maligna melanoma",
            "acral-lentiginous-melanoma",
            "melanoma-acral-lentiginous",
            "nodular-melanoma-(nm)",
            "superficial spreading melanoma ssm",
            "melanoma (in situ)",
            "melanoma (less than 0.76 mm)",
            "melanoma (0.76 to 1.5 mm)",
            "melanoma (more than 1.5 mm)",
            "Melanoma, 0,5-1 mm",
            "melanoma metastasis",
            "Melanoma, NOS",
            "Malignant melanocytic proliferations (Melanoma)",
        ),
        "NV": (
            "NEV",
            "nevi",
            "naevi",
            "melanocytic nevus",
            "Melanocytic nevi",
            "dysplastic nevus",
            "common nevus",
            "atypical nevus",
            "clark nevus",
            "reed or spitz nevus",
            "pigmented-spindle-cell-nevus-of-reed",
            "Nevus, Atypical, Dysplastic, or Clark",
            "Nevus, NOS, Compound",
            "Blue nevus",
        ),
        "BCC": ("basal-cell-carcinoma-nodular", "Basal cell carcinomas", "BCC superficial"),
        "AK": ("ACK", "Actinic keratoses", "Solar or actinic keratosis"),
        "BKL": (
            "SEK",
            "seborrhoeic keratoses",
            "seborrheic-keratosis-irritated",
            "Benign keratosis-like lesions ",
            "solar lentigines",
            "Lichen planus like keratosis",
        ),
        "DF": ("Dermatofibromas",),
        "VASC": (
            "cherry haemangioma",
            "angiokeratomas",
            "pyogenic granuloma",
            "Benign soft tissue proliferations - Vascular",
        ),
        "SCC": (
            "squamous-cell-carcinoma-in-situ",
            "Squamous cell carcinoma, Invasive, Keratoacanthoma-type",
            "Bowen’s disease",
        ),
    }.items(),
)
def test_kinds_plurals_and_abbreviations_of_a_diagnosis_are_the_diagnosis(
    code: str, names: tuple[str, ...]
):
    assert {name: parse_diagnosis(name) for name in names} == dict.fromkeys(names, code)


@pytest.mark.parametrize(
    "name",
    [
        "no melanoma",
        "non-melanoma",
        "nonmelanoma skin cancer",
        "melanoma or nevus",
        "melanoma/nevus",
        "melanoma arising in nevus",
        "suspected melanoma",
        "melanoma 2",
        "mm",
        "benign",
        "malignant",
        "lentigo",
        "lentigo NOS",
        "lentigo simplex",
        "epidermal nevus",
        "nevus lipomatosus superficialis",
        "naevus flammeus",
        "becker nevus",
        "dermatofibrosarcoma",
        "lymphangioma",
        "kaposi sarcoma",
        "basosquamous carcinoma",
        "Atypical melanocytic neoplasm",
        "Actinic keratoses and intraepithelial carcinoma / Bowen's disease",
        "carcinoma",
        "keratosis",
    ],
)
def test_what_may_be_something_else_is_not_guessed(name: str):
    assert parse_diagnosis(name) is None


@pytest.mark.parametrize("diagnosis", Diagnosis)
def test_every_diagnosis_is_recognised_by_its_code_and_its_title(diagnosis: Diagnosis):
    assert parse_diagnosis(diagnosis.value) is diagnosis
    assert parse_diagnosis(diagnosis.title) is diagnosis


def test_carcinomas_and_melanoma_are_malignant_and_actinic_keratosis_is_premalignant():
    by_tier = {tier: {d.value for d in Diagnosis if d.tier is tier} for tier in RiskTier}

    assert by_tier == {
        "malignant": {"MEL", "BCC", "SCC"},
        "premalignant": {"AK"},
        "benign": {"NV", "BKL", "DF", "VASC"},
    }


def test_tiers_are_ordered_by_risk():
    assert list(RiskTier) == ["malignant", "premalignant", "benign"]


def test_every_tier_has_a_unique_symbol_and_colour():
    assert set(TIER_STYLES) == set(RiskTier)
    assert [style.symbol for style in TIER_STYLES.values()] == ["▲", "◆", "●"]
    assert [style.colour for style in TIER_STYLES.values()] == ["#D55E00", "#E69F00", "#009E73"]
