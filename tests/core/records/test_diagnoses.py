from collections import Counter

import pytest

from melanoma_core.records.diagnoses import (
    find_diagnoses,
    interpret,
    list_diagnoses,
    title_diagnosis,
)
from melanoma_core.taxonomy import Diagnosis, RiskTier, parse_diagnosis
from tests.core.records.made_cases import MELANOMA

# Of isic-metadata 4.12: all values were read beside their meaning once; the counts hold it.
NUM_VALUES = {
    "MEL": 29, "NV": 32, "BCC": 11, "AK": 7, "BKL": 6, "DF": 6, "VASC": 34, "SCC": 40, None: 253,
}  # fmt: skip


@pytest.mark.parametrize("value", ["", "Melanoma", "benign", "Benign:"])
def test_a_text_that_is_no_value_of_the_hierarchy_is_refused(value: str):
    with pytest.raises(ValueError, match="is not a valid DiagnosisEnum"):
        interpret(value)


def test_each_of_the_418_values_has_its_meaning():
    meanings = [interpret(value) for value in list_diagnoses()]
    assert len(meanings) == 418
    assert Counter(meaning.diagnosis for meaning in meanings) == NUM_VALUES
    assert Counter(meaning.tier for meaning in meanings) == {
        "benign": 233, "malignant": 165, "premalignant": 7, None: 13,
    }  # fmt: skip


@pytest.mark.parametrize("value", list_diagnoses())
def test_a_value_agrees_with_the_hierarchy_and_with_the_names_of_datasets(value: str):
    meaning = interpret(value)
    first = value.split(":", 1)[0]
    if meaning.diagnosis is not None:
        assert meaning.tier is meaning.diagnosis.tier
    if first == "Benign":
        assert (meaning.tier, meaning.is_melanoma) == (RiskTier.BENIGN, False)
    if first == "Malignant":
        assert meaning.is_skin_cancer
    if first == "Indeterminate":
        assert meaning.tier in {None, RiskTier.PREMALIGNANT}
    assert parse_diagnosis(title_diagnosis(value)) in {None, meaning.diagnosis}
    assert (meaning.why == "") == (meaning.diagnosis is not None)
    assert (meaning.is_melanoma is True) == value.startswith(MELANOMA)


@pytest.mark.parametrize(
    "name",
    ["Melanoma in situ", "Melanoma in situ:Melanoma in situ, Lentigo maligna type",
     "Melanoma metastasis", "Melanoma, NOS", "Melanoma Invasive:Melanoma Invasive, Desmoplastic"],
)  # fmt: skip
def test_a_melanoma_of_every_kind_is_a_melanoma(name: str):
    meaning = interpret(f"{MELANOMA}:{name}")
    assert (meaning.diagnosis, meaning.tier, meaning.is_melanoma) == ("MEL", "malignant", True)


@pytest.mark.parametrize(
    "name",
    ["Melanocytic tumor of uncertain malignant potential", "Atypical Spitz tumor",
     "Superficial atypical melanocytic proliferation of uncertain significance"],
)  # fmt: skip
def test_an_intermediate_tumour_is_left_open_and_says_so(name: str):
    meaning = interpret(f"Indeterminate:Indeterminate melanocytic proliferations:{name}")
    assert (meaning.diagnosis, meaning.tier) == (None, None)
    assert (meaning.is_melanoma, meaning.is_skin_cancer) == (None, None)
    assert meaning.why == f"{name}: histology does not say whether it is malignant."


@pytest.mark.parametrize(
    "value",
    ["Malignant", "Malignant:Collision - At least one malignant proliferation", "Indeterminate"],
)
def test_what_may_be_a_melanoma_is_not_counted_as_none(value: str):
    assert interpret(value).is_melanoma is None


def test_a_merkel_cell_carcinoma_is_malignant_and_none_of_the_eight():
    meaning = interpret("Malignant:Merkel cell proliferation:Merkel cell carcinoma")
    assert (meaning.diagnosis, meaning.is_skin_cancer, meaning.is_melanoma) == (None, True, False)
    assert meaning.why == (
        "Merkel cell carcinoma: none of the eight diagnoses that the network knows."
    )


@pytest.mark.parametrize(
    ("name", "diagnosis"),
    [
        ("Nevus sebaceus", None),
        ("Epidermal nevus", None),
        ("Nevus of Ota", None),
        ("Lentigo simplex", None),
        ("Nevus, Dysplastic", "NV"),
        ("Blue nevus, Cellular", "NV"),
        ("Solar lentigo", "BKL"),
        ("Lichen planus like keratosis", "BKL"),
        ("Melanoacanthoma", "BKL"),
        ("Actinic keratosis, Bowenoid", "AK"),
        ("Squamous cell carcinoma in situ, Bowens disease", "SCC"),
        ("Keratoacanthoma", "SCC"),
        ("Bowenoid papulosis", None),
        ("Baso-squamous carcinoma", "BCC"),
        ("Trichoblastoma", None),
        ("Dermatofibroma, Cellular", "DF"),
        ("Dermatofibrosarcoma protuberans", None),
        ("Angiofibroma", None),
        ("Pyogenic granuloma", "VASC"),
        ("Subungual hemorrhage", "VASC"),
        ("Kaposi sarcoma", None),
    ],
)
def test_a_name_means_its_diagnosis_wherever_it_stands(name: str, diagnosis: str | None):
    (value,) = [each for each in list_diagnoses() if title_diagnosis(each) == name]
    assert interpret(value).diagnosis == (diagnosis and Diagnosis(diagnosis))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("melanoma in situ", "Melanoma in situ"),
        ("ssm", "Melanoma in situ, Superficial spreading"),
        ("LMM", "Melanoma Invasive, On chronically sun-exposed skin or lentigo maligna melanoma"),
        ("bcc nod", "Basal cell carcinoma, Nodular"),
        ("naevus", "Nevus"),
        ("SK", "Seborrheic keratosis"),
        ("bowen", "Squamous cell carcinoma in situ, Bowens disease"),
        ("wart", "Verruca"),
    ],
)
def test_a_diagnosis_is_found_as_doctors_write_it(text: str, first: str):
    assert title_diagnosis(find_diagnoses(text)[0]) == first


def test_no_more_than_the_limit_are_found():
    assert len(find_diagnoses("nevus", 3)) == 3
    assert len(find_diagnoses("", 1000)) == 418
