"""The answers to the reporting guides."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.flow import measure_flow
from melanoma_core.evaluation.metrics import evaluate_fully
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.models.card import ModelCard, OperatingPoint, load_card
from melanoma_core.models.card_text.checklists.guides import GUIDES, build_checklists
from melanoma_core.models.card_text.checklists.item import Guide, Known
from melanoma_core.models.card_text.formats import NOT_PROVIDED
from melanoma_core.models.card_text.robustness import describe_robustness
from melanoma_core.models.card_text.section import Section, Title
from melanoma_core.models.evidence import Evidence
from melanoma_core.models.registry import BUNDLED
from tests.drawn_models import CLEAN, LEAKING

STARD_AI, TRIPOD_AI, CLAIM, CLEAR_DERM = GUIDES
DATA = {
    "images": {"train": 60, "validation": 20, "test": 40},
    "images_by_label": {
        "train": {"MEL": 20, "NV": 40},
        "validation": {"MEL": 10, "NV": 10},
        "test": {"MEL": 10, "NV": 25, "BCC": 5},
    },
    "images_by_source": {"train": {"clinic": 60, "empty": 0}, "test": {"clinic": 40}},
    "images_by_confirmation": {"test": {"histopathology": 30, "follow-up": 8, "not stated": 2}},
    "images_without": {"lesion_id": 3, "patient_id": 120},
    "longer_side_pixels": {"min": 400.0, "median": 600.0, "max": 1024.0},
    "files": {"found": 130, "kept": 118, "relabelled": 2, "left_out": {"a copy": 10}},
    "licences": ["CC-0"],
    "licence_of_the_model": "CC-0, as its training data's",
}
# Never known: nothing in a card or its evidence says it.
UNKNOWABLE = {
    STARD_AI.name: {"6", "8", "9", "10", "12", "26a", "27", "35", "36", "37", "38", "39"},
    TRIPOD_AI.name: {"3c", "5b", "6a", "6c", "8b", "17", "18a", "18b", "18c", "18d", "19"}
    | {"25", "27c"},
    CLAIM.name: {"16", "17", "18", "34", "42", "44"},
}


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return replace(
        load_card(BUNDLED),
        data=DATA,
        leakage=CLEAN,
        robustness=None,
        operating_point=OperatingPoint(0.2, 0.95, "validation"),
        skin_cancer_operating_point=OperatingPoint(0.3, 0.9, "validation"),
        metrics={
            "test": {
                "sensitivity": Figure(0.9, 0.7, 1.0, 9, 10, 10),
                "specificity": Figure(0.5, 0.4, 0.6, 15, 30, 30),
                "skin_cancer_sensitivity": Figure(0.8, 0.6, 0.9, 12, 15, 15),
            },
            "test/clinic": {"sensitivity": Figure(0.9, 0.7, 1.0, 9, 10, 10)},
        },
    )


@pytest.fixture(scope="module")
def evidence(card: ModelCard) -> Evidence:
    labels = np.repeat([0, 1, 2], [10, 25, 5])
    probabilities = np.random.default_rng(0).dirichlet(np.ones(8), 40)
    attributes = pd.DataFrame(
        {"sex": ["female", "male"] * 20, "skin_tone": ["Fitzpatrick II"] * 40}
    )
    predictions = LabelledPredictions(probabilities, labels, np.arange(40), attributes)
    flow = measure_flow(predictions, card.rules, [None] * 38 + ["unfamiliar"] * 2)
    evaluation = evaluate_fully(predictions, card.rules, num_resamples=50)
    return Evidence({"test": evaluation}, "", {}, None, None, flow)


def answer(guide: Guide, number_or_subject: str, card: ModelCard, evidence: Evidence | None) -> str:
    (item,) = [each for each in guide.items if number_or_subject in (each.number, each.subject)]
    return item.resolve(Known(card, evidence))


def texts(section: Section) -> str:
    return "\n".join(" | ".join(row) for table in section.tables for row in table.rows)


def test_each_guide_has_its_numbers_once_and_in_order():
    counted = {guide.name: [item.number for item in guide.items] for guide in GUIDES}

    assert {name: len(numbers) for name, numbers in counted.items()} == {
        "STARD-AI 2025": 48,
        "TRIPOD+AI 2024": 52,
        "CLAIM 2024": 44,
        "CLEAR Derm": 18,
    }
    for name, last in (("STARD-AI 2025", 40), ("TRIPOD+AI 2024", 27), ("CLAIM 2024", 44)):
        numbers = counted[name]
        assert len(set(numbers)) == len(numbers)
        found = [re.fullmatch(r"(\d+)([a-g]?)", number) for number in numbers]
        keys = [(int(match[1]), match[2]) for match in found if match]
        assert keys == sorted(keys)
        assert {number for number, _ in keys} == set(range(1, last + 1))
    assert set(counted["CLEAR Derm"]) == {""}


def test_every_item_has_an_answer_however_little_is_known(card: ModelCard, evidence: Evidence):
    bare = replace(
        card, data={}, recipe={}, versions={}, metrics={}, files={}, leakage=None, novelty=None
    )
    bare = replace(bare, conformal=None, explanation=None, skin_cancer_operating_point=None)

    for known in (Known(bare, None), Known(card, None), Known(card, evidence)):
        for guide in GUIDES:
            for item in guide.items:
                assert item.resolve(known).strip(), (guide.name, item)


def test_what_nothing_can_know_is_plainly_not_provided(card: ModelCard, evidence: Evidence):
    known = Known(card, evidence)

    for guide in (STARD_AI, TRIPOD_AI, CLAIM):
        unknown = {item.number for item in guide.items if item.resolve(known) == NOT_PROVIDED}
        assert unknown - {"15", "16b"} == UNKNOWABLE[guide.name]  # no confirmation in its slices


def test_no_result_of_a_leaked_model_is_an_answer(card: ModelCard, evidence: Evidence):
    leaking = replace(card, leakage=LEAKING)

    section = build_checklists(leaking, evidence)

    assert answer(STARD_AI, "31", leaking, evidence) == NOT_PROVIDED
    assert answer(STARD_AI, "30", leaking, evidence) == NOT_PROVIDED
    assert answer(CLEAR_DERM, "Calibration", leaking, evidence) == NOT_PROVIDED
    shown = texts(section)
    for result in ("9 of 10", "15 of 30", "12 of 15", "2 of 40 test photographs were refused"):
        assert result in texts(build_checklists(card, evidence))
        assert result not in shown


def test_both_operating_points_are_stated_with_what_they_were_chosen_on(card: ModelCard):
    assert answer(STARD_AI, "15c", card, None) == (
        "melanoma alert: from a probability of 20.0%, chosen on the validation subset for a "
        "sensitivity of 95.0%, without the test subset; skin cancer alert: from a probability of "
        "30.0%, chosen on the validation subset for a sensitivity of 90.0%, without the test subset"
    )
    older = replace(card, skin_cancer_operating_point=None)
    assert answer(STARD_AI, "15c", older, None).endswith("skin cancer alert: this model has none")


def test_the_accuracy_is_that_of_the_card(card: ModelCard):
    said = answer(TRIPOD_AI, "23a", card, None)

    assert said == (
        "All test photographs: melanoma sensitivity 90.0% (70.0–100.0), 9 of 10, specificity 50.0% "
        "(40.0–60.0), 15 of 30; skin cancer sensitivity 80.0% (60.0–90.0), 12 of 15. 95% CI in "
        "brackets"
    )
    better = {"sensitivity": Figure(1.0, 0.8, 1.0, 10, 10, 10)}
    confirmed = replace(card, metrics=card.metrics | {"test:histopathology": better})
    assert answer(TRIPOD_AI, "23a", confirmed, None).startswith(
        "Lesions confirmed by histopathology: melanoma sensitivity 100.0% (80.0–100.0), 10 of 10. "
    )


def test_confirmation_prevalence_and_sample_sizes_are_counted(card: ModelCard):
    assert answer(STARD_AI, "16a", card, None) == (
        "labels of the collections; of 40 test photographs, confirmed by histopathology: 30; "
        "follow-up: 8; not stated: 2"
    )
    assert "melanoma 25.0% (10 of 40), skin cancer 37.5% (15 of 40)" in answer(
        STARD_AI, "28", card, None
    )
    assert answer(TRIPOD_AI, "21", card, None) == (
        "train: 60 photographs, 20 of melanoma, 20 of skin cancer; validation: 20 photographs, 10 "
        "of melanoma, 10 of skin cancer; test: 40 photographs, 10 of melanoma, 15 of skin cancer"
    )
    assert answer(STARD_AI, "11", card, None).startswith("existing collections: clinic;")
    assert "files left out: 10 of 130" in answer(STARD_AI, "7", card, None)
    unknown = replace(card, data={name: DATA[name] for name in DATA if "confirmation" not in name})
    assert answer(STARD_AI, "16a", unknown, None).endswith(f"was confirmed is {NOT_PROVIDED}")


def test_refusals_and_subgroups_come_from_the_evidence(card: ModelCard, evidence: Evidence):
    assert answer(STARD_AI, "19", card, evidence).startswith(
        "2 of 40 test photographs were refused"
    )
    assert NOT_PROVIDED in answer(STARD_AI, "19", card, None)
    assert answer(STARD_AI, "21", card, evidence).startswith(
        "by sex, skin tone, the same for every"
    )
    assert answer(CLEAR_DERM, "Skin tones", card, evidence).startswith("Fitzpatrick II 40 test")
    assert answer(CLEAR_DERM, "Age and sex", card, evidence) == f'section "{Title.SUBGROUPS}"'
    assert answer(CLEAR_DERM, "Body sites", card, evidence) == NOT_PROVIDED


def test_the_change_with_artefacts_is_that_of_the_card_and_of_none_that_leaks(card: ModelCard):
    figures = {
        "refused": Figure(0.02, 0.01, 0.03, 8, 400, 400),
        "false_alerts_change": Figure(0.3, 0.2, 0.4, None, 300, 300),
    }
    measured = replace(card, robustness={"ink": figures})

    said = answer(CLEAR_DERM, "Image artefacts (ink, rulers, hair)", measured, None)

    assert said.startswith(describe_robustness({"ink": figures}))
    assert "ink (+30.0 points (+20.0 to +40.0))" in said
    assert said.endswith(f'section "{Title.ROBUSTNESS}"')
    for unknown in (card, replace(measured, leakage=LEAKING)):
        assert answer(CLEAR_DERM, "Image artefacts (ink, rulers, hair)", unknown, None) == (
            NOT_PROVIDED
        )


def test_a_collection_that_was_left_out_is_the_external_test(card: ModelCard):
    assert answer(STARD_AI, "29", card, None).startswith("none; by collection")
    external = replace(card, data=DATA | {"left_out": "isic2017"})
    assert answer(STARD_AI, "29", external, None) == (
        "the test subset is the collection isic2017, of which the training saw nothing"
    )
