"""The sentence of a reading: the most severe thing that cannot be excluded, then why."""

import pytest

from melanoma_core.evaluation.prediction_set import Abstention
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.lesion import LesionReading
from melanoma_core.reading.statement import (
    Level,
    describe_disagreement,
    describe_finding,
    describe_possible,
)
from melanoma_core.reading.verdict import Verdict
from tests.made_readings import make_reading

NEVUS = {"MEL": 0.05, "NV": 0.947, "BCC": 0.003}


@pytest.mark.parametrize(
    ("reading", "level", "headline", "sentence"),
    [
        (
            make_reading(NEVUS, 0.044),
            Level.MELANOMA,
            "Melanoma alert",
            "Melanoma cannot be excluded (5.0%, alert threshold 4.4%), although nevus is the "
            "leading diagnosis (94.7%).",
        ),
        (
            make_reading({"MEL": 0.62, "NV": 0.38}),
            Level.MELANOMA,
            "Melanoma alert",
            "Melanoma is the leading diagnosis (62.0%, alert threshold 5.0%).",
        ),
        (
            make_reading({"MEL": 0.1, "BCC": 0.9}),
            Level.MELANOMA,
            "Melanoma alert",
            "Melanoma cannot be excluded (10.0%, alert threshold 5.0%), and basal cell carcinoma "
            "is the leading diagnosis (90.0%, malignant).",
        ),
        (  # a card of an older version, without a skin cancer alert
            make_reading({"MEL": 0.01, "NV": 0.29, "BCC": 0.7}),
            Level.SKIN_CANCER,
            "Other skin cancer suspected",
            "Basal cell carcinoma is the leading diagnosis (70.0%, malignant); the probability of "
            "melanoma (1.0%) is below its alert threshold (5.0%).",
        ),
        (
            make_reading({"MEL": 0.01, "NV": 0.84, "BCC": 0.05, "SCC": 0.1}, 0.05, 0.1),
            Level.SKIN_CANCER,
            "Other skin cancer suspected",
            "Squamous cell carcinoma cannot be excluded (any skin cancer 16.0%, alert threshold "
            "10.0%), although nevus is the leading diagnosis (84.0%).",
        ),
        (  # the skin cancer alert is raised by melanoma, which has no alert
            make_reading({"MEL": 0.04, "NV": 0.93, "BCC": 0.03}, 0.05, 0.06),
            Level.SKIN_CANCER,
            "Skin cancer suspected",
            "Skin cancer cannot be excluded (any skin cancer 7.0%, alert threshold 6.0%), although "
            "nevus is the leading diagnosis (93.0%).",
        ),
        (  # a threshold above the probability of the leading diagnosis
            make_reading({"MEL": 0.6, "NV": 0.4}, 0.7),
            Level.SKIN_CANCER,
            "Skin cancer suspected",
            "Melanoma is the leading diagnosis (60.0%, malignant); the probability of melanoma "
            "(60.0%) is below its alert threshold (70.0%).",
        ),
        (
            make_reading({"MEL": 0.01, "NV": 0.97, "BCC": 0.02}, 0.05, 0.1),
            Level.NONE,
            "No alert",
            "The probabilities of melanoma (1.0%) and of any skin cancer (3.0%) are below their "
            "thresholds (5.0% and 10.0%); nevus is the leading diagnosis (97.0%).",
        ),
        (
            make_reading({"MEL": 0.01, "AK": 0.97, "BCC": 0.02}, 0.05, 0.1),
            Level.NONE,
            "No alert",
            "The probabilities of melanoma (1.0%) and of any skin cancer (3.0%) are below their "
            "thresholds (5.0% and 10.0%); actinic keratosis is the leading diagnosis (97.0%, "
            "premalignant).",
        ),
        (  # a card of an older version says nothing about an alert that it does not have
            make_reading({"MEL": 0.01, "NV": 0.97, "BCC": 0.02}),
            Level.NONE,
            "No melanoma alert",
            "The probability of melanoma (1.0%) is below its threshold (5.0%); nevus is the "
            "leading diagnosis (97.0%).",
        ),
        (  # the set keeps what no alert names
            make_reading(
                {"MEL": 0.01, "NV": 0.95, "BCC": 0.04, "DF": 0.0},
                skin_cancer_threshold=0.1,
                members=("NV", "BCC"),
            ),
            Level.NONE,
            "No alert",
            "The probabilities of melanoma (1.0%) and of any skin cancer (5.0%) are below their "
            "thresholds (5.0% and 10.0%), but basal cell carcinoma cannot be excluded; nevus is "
            "the leading diagnosis (95.0%).",
        ),
    ],
)
def test_the_most_severe_thing_comes_first_then_why(
    reading: Verdict, level: Level, headline: str, sentence: str
):
    statement = describe_finding(reading)
    assert (statement.level, statement.headline) == (level, headline)
    assert statement.sentence == sentence


def test_a_set_that_abstains_excludes_nothing_and_adds_nothing():
    reading = make_reading({"MEL": 0.01, "NV": 0.95, "BCC": 0.04}, 0.05, 0.1, members=())
    assert reading.prediction_set is not None
    assert reading.prediction_set.abstention is Abstention.EMPTY
    assert "cannot be excluded" not in describe_finding(reading).sentence


def test_without_a_set_nothing_is_said_about_it():
    assert describe_possible(make_reading(NEVUS), load_card(BUNDLED)) == ""


def test_the_set_never_drops_what_the_alert_keeps():
    card = load_card(BUNDLED)
    said = describe_possible(make_reading(NEVUS, 0.044, members=("NV",)), card)
    assert said.startswith("Possible diagnoses: melanoma or nevus. The alert adds melanoma. The")
    carcinoma = {"MEL": 0.01, "NV": 0.89, "BCC": 0.1}
    said = describe_possible(make_reading(carcinoma, 0.05, 0.08, members=("NV",)), card)
    assert said.startswith("Possible diagnoses: basal cell carcinoma or nevus. The alert adds")


def test_every_probability_gets_a_statement_that_agrees_with_its_alerts_and_its_set():
    card = load_card(BUNDLED)
    names = card.class_names
    for place, _ in enumerate(names):
        for share in (0.2, 0.5, 0.95):
            rest = (1 - share) / (len(names) - 1)
            each = [share if other == place else rest for other in range(len(names))]
            reading = make_reading(
                dict(zip(names, each, strict=True)), 0.3, 0.6, members=(names[place],)
            )
            statement = describe_finding(reading)
            possible = describe_possible(reading, card)
            assert (statement.level is Level.MELANOMA) == reading.alert
            if statement.level is Level.MELANOMA:
                assert "melanoma" in possible
            if statement.level is Level.NONE:
                assert not reading.skin_cancer_alert
            assert len(statement.sentence.split()) <= 30


def make_lesion(*readings) -> LesionReading:
    first = readings[0]
    return LesionReading(
        model_id=first.model_id,
        class_names=first.class_names,
        probabilities=first.probabilities,
        melanoma_probability=first.melanoma_probability,
        threshold=first.threshold,
        alert=first.alert,
        readings=readings,
    )


def test_photographs_that_agree_say_nothing():
    assert describe_disagreement(make_lesion(make_reading(NEVUS))) == ""
    assert describe_disagreement(make_lesion(make_reading(NEVUS), make_reading(NEVUS))) == ""


def test_photographs_that_disagree_are_counted_by_alert_and_by_leading_diagnosis():
    alert = make_reading({"MEL": 0.6, "NV": 0.3, "BCC": 0.1}, 0.05, 0.2)
    none = make_reading({"MEL": 0.01, "NV": 0.98, "BCC": 0.01}, 0.05, 0.2)
    assert describe_disagreement(make_lesion(none, alert, none)) == (
        "The photographs disagree: 1 of 3 raises the melanoma alert; 1 of 3 raises the skin cancer "
        "alert; the leading diagnosis is nevus (2) or melanoma (1)."
    )
