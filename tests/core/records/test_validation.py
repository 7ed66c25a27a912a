from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from melanoma_core.records.entities import Lesion, Outline, Visit
from melanoma_core.records.loop import (
    AbcdRule,
    Acknowledgement,
    Decision,
    Information,
    Recall,
    Specimen,
)
from melanoma_core.records.validation import (
    InvalidEntryError,
    Surroundings,
    check,
    find_errors,
    find_sites,
    find_warnings,
    list_sites,
)
from melanoma_core.records.vocabulary import (
    BodyView,
    Change,
    Channel,
    DermoscopicType,
    ImageKind,
    Management,
    MapPoint,
    OutlineSource,
    Sex,
    SkinType,
)
from tests.core.records.made_cases import (
    DAY,
    INVASIVE,
    MELANOMA,
    NEVUS,
    PATIENT,
    make_histology,
    make_photograph,
    make_read,
    make_reading,
)

TODAY = date(2026, 6, 1)
AROUND = Surroundings(today=TODAY)
IN_SITU = f"{MELANOMA}:Melanoma in situ"
SPECIMEN = Specimen(
    lesion_id="l", number="S-1", taken_on=DAY, method=Management.PUNCH, decision_id="d"
)
OUTLINE = Outline(
    photograph_id="f",
    lesion_id="l",
    points=((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)),
    source=OutlineSource.PERSON,
)
LESION = Lesion(patient_id="p", label="1")


def list_fields(value: Any, around: Surroundings = AROUND) -> list[str]:
    return [error.field for error in find_errors(value, around)]


@pytest.mark.parametrize(
    "value",
    [
        PATIENT,
        replace(PATIENT, birth_year=None, sex=Sex.FEMALE, skin_type=SkinType.II),
        replace(PATIENT, melanoma_before=True, melanoma_in_family=False),
        LESION,
        replace(LESION, site="Trunk:Posterior trunk:Upper back", noticed="2024-05"),
        replace(LESION, map_point=MapPoint(BodyView.BACK, 0.44, 1.0), changes=(Change.SIZE,)),
        Visit(patient_id="p", on=TODAY),
        make_photograph("v", dermoscopic_type=DermoscopicType.CONTACT_POLARISED),
        OUTLINE,
        make_read("v"),
        make_reading("v", "f"),
        Decision(lesion_id="l", visit_id="v", management=Management.REASSURE),
        SPECIMEN,
        make_histology(NEVUS),
        make_histology(INVASIVE, breslow_mm=1.25, ulcerated=True, mitoses_per_mm2=3, pt="pT2b"),
        make_histology(IN_SITU, in_situ=True, pt="pTis"),
        Acknowledgement(lesion_id="l", histology_id="h"),
        Information(lesion_id="l", histology_id="h", on=TODAY, channel=Channel.PHONE),
        Recall(patient_id="p", lesion_id=None, due_on=date(2027, 1, 1)),
    ],
)
def test_an_entry_without_errors_is_kept_as_it_is(value: Any):
    assert check(value, AROUND) == value


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (replace(PATIENT, birth_year="1960"), "birth_year"),
        (replace(PATIENT, birth_year=True), "birth_year"),
        (replace(PATIENT, birth_year=1960.0), "birth_year"),
        (replace(PATIENT, sex="female"), "sex"),
        (replace(PATIENT, skin_type=Sex.MALE), "skin_type"),
        (replace(PATIENT, melanoma_before=1), "melanoma_before"),
        (Visit(patient_id="p", on=datetime(2026, 1, 1)), "on"),
        (Visit(patient_id=None, on=DAY), "patient_id"),  # type: ignore[arg-type]
        (replace(make_read("v"), seconds=float("nan")), "seconds"),
        (replace(make_read("v"), melanoma_probability=float("inf")), "melanoma_probability"),
        (replace(make_reading("v", "f"), probabilities=[1.0]), "probabilities"),
        (replace(make_reading("v", "f"), photographs=("f",)), "photographs"),
        (replace(make_reading("v", "f"), prevalence=(0.1,)), "prevalence"),
        (replace(OUTLINE, points=((0.0, 0.0), (1.0,), (0.5, 1.0))), "points"),
        (replace(LESION, map_point=MapPoint(BodyView.BACK, float("nan"), 0.0)), "map_point"),
        (replace(LESION, map_point=MapPoint(BodyView.BACK, 0.0, 0.2)), "map_point"),
    ],
)
def test_a_field_of_another_type_is_refused(value: Any, name: str):
    assert list_fields(value) == [name]


def test_a_wrong_word_is_answered_with_the_words_that_are_known():
    (error,) = find_errors(replace(PATIENT, sex="female"), AROUND)  # type: ignore[arg-type]
    assert error.text == "Found 'female'; needed is one of female, male or nothing."


@pytest.mark.parametrize("year", [-1, 0, 1900, 2027])
def test_a_year_of_birth_that_no_living_person_has_is_refused(year: int):
    assert list_fields(replace(PATIENT, birth_year=year)) == ["birth_year"]


@pytest.mark.parametrize("year", [1901, 2026])
def test_the_oldest_and_the_youngest_year_of_birth_are_kept(year: int):
    assert list_fields(replace(PATIENT, birth_year=year)) == []


@pytest.mark.parametrize(
    "site", ["Back", "Scalp", "trunk", "Trunk:", "Trunk:Nowhere", "=1+1", "<script>"]
)
def test_a_site_that_is_not_in_the_list_is_refused(site: str):
    assert list_fields(replace(LESION, site=site)) == ["site"]


@pytest.mark.parametrize("noticed", ["24", "May 2024", "2024-13", "2024-02-30", "2024-5", "2027"])
def test_a_time_that_is_no_day_of_the_past_is_refused(noticed: str):
    assert list_fields(replace(LESION, noticed=noticed)) == ["noticed"]


def test_a_lesion_is_not_noticed_before_the_patient_is_born():
    around = replace(AROUND, patient=PATIENT)
    assert list_fields(replace(LESION, noticed="1959-12-31"), around) == ["noticed"]
    assert list_fields(replace(LESION, noticed="1960"), around) == []


def test_a_point_outside_the_body_map_and_a_change_listed_twice_are_refused():
    value = replace(
        LESION, map_point=MapPoint(BodyView.FRONT, 1.1, 0.5), changes=(Change.SIZE, Change.SIZE)
    )
    assert list_fields(value) == ["map_point", "changes"]


def test_two_lesions_of_a_patient_have_two_names():
    around = replace(AROUND, labels=frozenset({"1"}))
    assert list_fields(LESION, around) == ["label"]
    assert list_fields(replace(LESION, label="2"), around) == []


def test_a_visit_in_the_future_or_before_birth_is_refused():
    assert list_fields(Visit(patient_id="p", on=date(2026, 6, 2))) == ["on"]
    around = replace(AROUND, patient=PATIENT)
    assert list_fields(Visit(patient_id="p", on=date(1959, 1, 1)), around) == ["on"]


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"kind": ImageKind.OVERVIEW}, "dermoscopic_type"),
        ({"kind": ImageKind.CLOSE_UP}, "dermoscopic_type"),
        ({"millimetres_per_pixel": 0.0}, "millimetres_per_pixel"),
        ({"millimetres_per_pixel": -0.1}, "millimetres_per_pixel"),
        ({"taken_on": date(2026, 6, 2)}, "taken_on"),
    ],
)
def test_a_photograph_that_contradicts_itself_is_refused(facts: dict[str, Any], name: str):
    light = {"dermoscopic_type": DermoscopicType.CONTACT_POLARISED}
    assert list_fields(make_photograph("v", **light | facts)) == [name]


def test_a_photograph_is_a_kept_file_with_pixels():
    value = replace(make_photograph("v"), sha256="A" * 64, media_type="image/svg+xml", width=0)
    assert list_fields(value) == ["sha256", "media_type", "width"]


def test_a_photograph_taken_after_its_visit_is_refused():
    around = replace(AROUND, visit=Visit(patient_id="p", on=DAY))
    assert list_fields(make_photograph("v", taken_on=DAY), around) == []
    assert list_fields(make_photograph("v", taken_on=date(2026, 3, 3)), around) == ["taken_on"]


@pytest.mark.parametrize(
    "points",
    [(), ((0.0, 0.0), (1.0, 1.0)), ((0.0, 0.0),) * 5, ((0.0, 0.0), (1.0, 0.0), (0.5, 1.01))],
)
def test_an_outline_without_an_area_inside_the_photograph_is_refused(points: Any):
    assert list_fields(replace(OUTLINE, points=points)) == ["points"]


def test_an_outline_by_the_network_names_its_model():
    assert list_fields(replace(OUTLINE, source=OutlineSource.NETWORK)) == ["model_id"]


def test_a_first_read_has_a_probability_and_a_time():
    value = replace(make_read("v"), melanoma_probability=1.01, seconds=-1.0)
    assert list_fields(value) == ["melanoma_probability", "seconds"]
    assert list_fields(replace(make_read("v"), melanoma_probability=None)) == []


@pytest.mark.parametrize("rule", [(3, 0, 1, 1), (0, 9, 1, 1), (0, 0, 0, 1), (0, 0, 1, 6)])
def test_an_abcd_rule_counts_what_there_can_be(rule: tuple[int, int, int, int]):
    names = ("asymmetry", "border", "colours", "structures")
    value = AbcdRule(**dict(zip(names, rule, strict=True)))
    assert list_fields(replace(make_read("v"), abcd=value)) == ["abcd"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"class_names": ()}, "class_names"),
        ({"probabilities": (1.0,)}, "probabilities"),
        ({"probabilities": (0.5,) * 8}, "probabilities"),
        ({"probabilities": (1.5, -0.5, *(0.0,) * 6)}, "probabilities"),
        ({"adapted": (0.1,) * 8}, "adapted"),
        ({"melanoma_threshold": 1.1}, "melanoma_threshold"),
        ({"skin_cancer_threshold": -0.1}, "skin_cancer_threshold"),
        ({"prevalence": (0.0, 0.1)}, "prevalence"),
        ({"model_id": " "}, "model_id"),
    ],
)
def test_an_ai_reading_that_cannot_have_been_read_is_refused(change: dict[str, Any], name: str):
    with pytest.raises(InvalidEntryError) as raised:
        check(replace(make_reading("v", "f"), **change), AROUND)
    assert name in {error.field for error in raised.value.errors}


def test_a_photograph_that_was_neither_read_nor_refused_is_refused():
    reading = make_reading("v", "f")
    unread = replace(reading.photographs[0], probabilities=())
    assert list_fields(replace(reading, photographs=(unread,))) == ["photographs"]
    refused = replace(unread, refusal="Nothing can be seen.")
    assert list_fields(replace(reading, probabilities=(), photographs=(refused,))) == []


def test_a_decision_against_the_alert_needs_a_reason():
    around = replace(AROUND, ai_reading=make_reading("v", "f", melanoma=0.9))
    value = Decision(lesion_id="l", visit_id="v", management=Management.REASSURE)
    assert list_fields(value, around) == ["reason"]
    assert list_fields(value) == []
    assert list_fields(replace(value, reason="Unchanged for years."), around) == []
    with pytest.raises(InvalidEntryError, match="say why"):
        check(replace(value, reason=" \x00"), around)


@pytest.mark.parametrize("method", [each for each in Management if not each.removes_tissue])
def test_a_specimen_is_taken_by_what_removes_tissue(method: Management):
    assert list_fields(replace(SPECIMEN, method=method)) == ["method"]


def test_a_specimen_is_not_taken_in_the_future_or_before_the_lesion():
    around = replace(AROUND, lesion=replace(LESION, noticed="2026-03-03"))
    assert list_fields(replace(SPECIMEN, taken_on=date(2026, 6, 2))) == ["taken_on"]
    assert list_fields(SPECIMEN, around) == ["taken_on"]
    assert list_fields(SPECIMEN, replace(around, lesion=replace(LESION, noticed="2026-03"))) == []


def test_a_specimen_is_not_older_than_the_visit_at_which_it_was_decided():
    before = replace(SPECIMEN, taken_on=DAY - timedelta(days=1))
    decided = replace(AROUND, decided_at=Visit(patient_id="p", on=DAY))
    assert list_fields(before, decided) == ["taken_on"]
    assert list_fields(SPECIMEN, decided) == []
    assert list_fields(before) == []  # it was taken elsewhere, by no decision of this record


def test_a_report_is_not_older_than_its_specimen():
    around = replace(AROUND, specimen=SPECIMEN)
    assert list_fields(make_histology(on=DAY), around) == []
    assert list_fields(make_histology(on=date(2026, 3, 1)), around) == ["reported_on"]
    assert list_fields(make_histology(on=date(2026, 6, 2)), around) == ["reported_on"]


@pytest.mark.parametrize("diagnosis", ["Melanoma", "melanoma in situ", "Nevus", "MEL"])
def test_a_diagnosis_that_is_not_in_the_list_is_refused(diagnosis: str):
    assert list_fields(make_histology(diagnosis)) == ["diagnosis"]


@pytest.mark.parametrize(
    ("fact", "content"), [("breslow_mm", 0.5), ("ulcerated", True), ("mitoses_per_mm2", 2.0)]
)
def test_the_facts_of_a_melanoma_are_kept_of_a_melanoma_alone(fact: str, content: Any):
    assert list_fields(make_histology(NEVUS, **{fact: content})) == [fact]
    assert list_fields(make_histology(f"{MELANOMA}:Melanoma, NOS", **{fact: content})) == []


def test_the_sentence_of_isic_metadata_is_one_that_a_doctor_reads():
    (error,) = find_errors(make_histology(NEVUS, breslow_mm=0.5), AROUND)
    assert error.text == (
        "A Breslow thickness is kept of a melanoma alone; the diagnosis is another."
    )


@pytest.mark.parametrize("breslow", [0.0, -0.1, 100.1, 1.234])
def test_a_thickness_is_more_than_0_mm_and_has_at_most_two_decimals(breslow: float):
    assert set(list_fields(make_histology(INVASIVE, breslow_mm=breslow))) == {"breslow_mm"}


def test_what_is_in_situ_has_no_thickness():
    assert list_fields(make_histology(IN_SITU, breslow_mm=0.3)) == ["breslow_mm"]
    report = make_histology(f"{MELANOMA}:Melanoma, NOS", in_situ=True, breslow_mm=0.3)
    assert list_fields(report) == ["breslow_mm"]


@pytest.mark.parametrize(
    ("diagnosis", "in_situ"),
    [(INVASIVE, True), (NEVUS, True), (IN_SITU, False), (f"{MELANOMA}:Melanoma metastasis", True)],
)
def test_a_diagnosis_that_contradicts_in_situ_is_refused(diagnosis: str, in_situ: bool):
    assert list_fields(make_histology(diagnosis, in_situ=in_situ)) == ["in_situ"]


def test_the_category_is_one_of_ajcc_8_and_of_a_melanoma():
    assert list_fields(make_histology(INVASIVE, pt="T1a")) == ["pt"]
    assert list_fields(make_histology(NEVUS, pt="pT1a")) == ["pt"]


def test_a_category_that_does_not_fit_is_kept_with_a_warning():
    report = make_histology(INVASIVE, breslow_mm=3.0, ulcerated=False, pt="pT1a")
    assert list_fields(report) == []
    (warning,) = find_warnings(report)
    assert warning.text == ("The report says pT1a. With 3 mm and no ulceration, AJCC 8 gives pT3a.")
    assert find_warnings(PATIENT) == ()


def test_a_patient_is_not_informed_before_the_report():
    around = replace(AROUND, histology=make_histology(on=date(2026, 3, 9)))
    value = Information(lesion_id="l", histology_id="h", on=DAY, channel=Channel.LETTER)
    assert list_fields(value, around) == ["on"]
    assert list_fields(replace(value, on=date(2026, 3, 9)), around) == []


def test_a_recall_is_after_its_visit_and_not_in_another_age():
    around = replace(AROUND, visit=Visit(patient_id="p", on=DAY))
    value = Recall(patient_id="p", lesion_id="l", due_on=date(2026, 3, 1))
    assert list_fields(value, around) == ["due_on"]
    assert list_fields(replace(value, due_on=date(2206, 3, 1))) == ["due_on"]


def test_all_errors_of_an_entry_are_reported_at_once():
    with pytest.raises(InvalidEntryError) as raised:
        check(replace(PATIENT, pseudonym="\x00", birth_year=1800), AROUND)
    assert [error.field for error in raised.value.errors] == ["pseudonym", "birth_year"]
    assert str(raised.value) == (
        "pseudonym: This is empty: it is required. "
        "birth_year: Found 1800; needed is a year from 1901 to 2026."
    )


def test_sites_are_found_by_words_and_a_side_is_no_part_of_them():
    assert len(list_sites()) == 206
    assert find_sites("upper BACK")[0] == "Trunk:Posterior trunk:Upper back"
    assert find_sites("left cheek")[0] == "Head and neck:Head:Face:Cheek"
    assert find_sites("xyz") == ()
    assert find_sites("left", 2) == ("Anogenital region", "Anogenital region:Genital region")
