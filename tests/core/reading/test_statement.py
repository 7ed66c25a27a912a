"""The sentence of a reading: the most severe thing that cannot be excluded, then why."""

from dataclasses import replace

import pytest

from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.adaptation import AdaptedReading
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.lesion import LesionReading
from melanoma_core.reading.statement import (
    Level,
    describe_disagreement,
    describe_finding,
    describe_possible,
    describe_set_aside,
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
        (  # a set with a carcinoma changes nothing: the alerts alone decide on the finding
            make_reading(
                {"MEL": 0.01, "NV": 0.95, "BCC": 0.04, "DF": 0.0},
                skin_cancer_threshold=0.1,
                members=("NV", "BCC"),
            ),
            Level.NONE,
            "No alert",
            "The probabilities of melanoma (1.0%) and of any skin cancer (5.0%) are below their "
            "thresholds (5.0% and 10.0%); nevus is the leading diagnosis (95.0%).",
        ),
        (  # an older card whose threshold of skin cancer is above that of melanoma
            make_reading({"MEL": 0.045, "NV": 0.952, "BCC": 0.003}, 0.044, 0.05),
            Level.MELANOMA,
            "Melanoma alert",
            "Melanoma cannot be excluded (4.5%, alert threshold 4.4%), although nevus is the "
            "leading diagnosis (95.2%).",
        ),
    ],
)
def test_the_most_severe_thing_comes_first_then_why(
    reading: Verdict, level: Level, headline: str, sentence: str
):
    statement = describe_finding(reading)
    assert (statement.level, statement.headline) == (level, headline)
    assert statement.sentence == sentence


def test_without_a_set_nothing_is_said_about_it():
    assert describe_possible(make_reading(NEVUS), load_card(BUNDLED)) == ""


def test_the_set_never_drops_what_the_alert_keeps():
    card = load_card(BUNDLED)
    said = describe_possible(make_reading(NEVUS, 0.044, members=("NV",)), card)
    assert said.startswith("Possible diagnoses: melanoma or nevus. The alert adds melanoma. The")
    carcinoma = {"MEL": 0.01, "NV": 0.89, "BCC": 0.1}
    said = describe_possible(make_reading(carcinoma, 0.05, 0.08, members=("NV",)), card)
    assert said.startswith("Possible diagnoses: basal cell carcinoma or nevus. The alert adds")


def test_without_an_alert_the_skin_cancers_of_the_set_are_below_the_threshold():
    card = load_card(BUNDLED)
    carcinoma = {"MEL": 0.01, "NV": 0.95, "BCC": 0.04, "DF": 0.0, "BKL": 0.0}
    said = describe_possible(make_reading(carcinoma, 0.05, 0.1, members=("NV", "BCC")), card)
    assert said.startswith("Possible diagnoses: nevus or basal cell carcinoma. Such a set")
    assert said.endswith("Of these, basal cell carcinoma is below the alert threshold.")
    older = make_reading(carcinoma, 0.05, members=("NV", "BCC"))
    assert "Of these" not in describe_possible(older, card)


def adapt(reading: Verdict, *shares: float) -> AdaptedReading:
    names = reading.class_names
    return AdaptedReading(Prevalence(0.02, 0.08), names, shares, shares[0], 1 - shares[1])


@pytest.mark.parametrize(
    ("reading", "shares", "headline", "sentence"),
    [
        (
            make_reading({"MEL": 0.581, "NV": 0.4, "BCC": 0.019}, 0.044, 0.05),
            (0.485, 0.505, 0.01),
            "Melanoma alert",
            "Melanoma cannot be excluded (unadapted 58.1%, alert threshold 4.4%), although nevus "
            "is the leading diagnosis (50.5% at your prevalence).",
        ),
        (
            make_reading({"MEL": 0.9, "NV": 0.1, "BCC": 0.0}, 0.044, 0.05),
            (0.6, 0.4, 0.0),
            "Melanoma alert",
            "Melanoma is the leading diagnosis (60.0% at your prevalence, malignant; unadapted "
            "90.0%, alert threshold 4.4%).",
        ),
        (
            make_reading({"MEL": 0.01, "NV": 0.49, "BCC": 0.5}, 0.044, 0.04),
            (0.001, 0.899, 0.1),
            "Other skin cancer suspected",
            "Basal cell carcinoma cannot be excluded (any skin cancer unadapted 51.0%, alert "
            "threshold 4.0%), although nevus is the leading diagnosis (89.9% at your prevalence).",
        ),
        (
            make_reading({"MEL": 0.01, "NV": 0.49, "BCC": 0.5}, 0.044),
            (0.001, 0.899, 0.1),
            "Other skin cancer suspected",
            "Basal cell carcinoma cannot be excluded (unadapted 50.0%), although nevus is the "
            "leading diagnosis (89.9% at your prevalence).",
        ),
        (
            make_reading({"MEL": 0.01, "NV": 0.19, "BCC": 0.8}, 0.044, 0.04),
            (0.001, 0.399, 0.6),
            "Other skin cancer suspected",
            "Basal cell carcinoma is the leading diagnosis (60.0% at your prevalence, malignant); "
            "the unadapted probability of melanoma (1.0%) is below its alert threshold (4.4%).",
        ),
        (
            make_reading({"MEL": 0.01, "NV": 0.97, "BCC": 0.02}, 0.044, 0.04),
            (0.001, 0.997, 0.002),
            "No alert",
            "The unadapted probabilities of melanoma (1.0%) and of any skin cancer (3.0%) are "
            "below their thresholds (4.4% and 4.0%); nevus is the leading diagnosis (99.7% at "
            "your prevalence).",
        ),
    ],
)
def test_with_a_prevalence_the_leading_diagnosis_is_the_adapted_one(
    reading: Verdict, shares: tuple[float, ...], headline: str, sentence: str
):
    statement = describe_finding(reading, adapt(reading, *shares))
    assert statement.headline == headline
    assert statement.sentence == f"{sentence} Alerts use unadapted probabilities."
    assert statement.level is describe_finding(reading).level


def test_with_a_prevalence_the_set_also_contains_the_adapted_leading_diagnosis():
    card = load_card(BUNDLED)
    names = {"MEL": 0.581, "NV": 0.4, "BCC": 0.019}
    reading = make_reading(names, 0.044, 0.05, members=("MEL",))
    assert "nevus or melanoma" in describe_possible(reading, card)  # since it is likely, too
    said = describe_possible(reading, card, adapt(reading, 0.485, 0.505, 0.01))
    assert "nevus or melanoma" in said or "(nevus or melanoma)" in said


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
            assert 4 <= len(statement.summary.split()) <= 7


def test_what_a_set_contains_below_one_percent_is_said_not_to_be_in_the_differential():
    card = load_card(BUNDLED)
    shares = {"MEL": 0.003, "NV": 0.987, "AK": 0.005, "DF": 0.005, "VASC": 0, "BKL": 0, "BCC": 0}
    said = describe_possible(make_reading(shares, 0.05, members=("NV", "AK", "MEL")), card)
    assert said.endswith("Below 1%, actinic keratosis is not listed in the differential diagnosis.")


def make_lesion(*readings) -> LesionReading:
    first = readings[0]
    return LesionReading(
        model_id=first.model_id,
        class_names=first.class_names,
        probabilities=first.probabilities,
        threshold=first.threshold,
        skin_cancer_threshold=first.skin_cancer_threshold,
        readings=readings,
        counted=readings,
    )


def test_photographs_that_agree_say_nothing():
    assert describe_disagreement(make_lesion(make_reading(NEVUS))) == ""
    assert describe_disagreement(make_lesion(make_reading(NEVUS), make_reading(NEVUS))) == ""


def test_photographs_that_disagree_are_counted_by_alert_and_by_leading_diagnosis():
    alert = make_reading({"MEL": 0.6, "NV": 0.3, "BCC": 0.1}, 0.05, 0.2)
    none = make_reading({"MEL": 0.01, "NV": 0.98, "BCC": 0.01}, 0.05, 0.2)
    assert describe_disagreement(make_lesion(none, alert, none)) == (
        "The photographs disagree: 1 of 3 raises the melanoma alert, but together they do not; 1 "
        "of 3 raises the skin cancer alert, but together they do not; the leading diagnosis is "
        "nevus (2) or melanoma (1)."
    )
    assert describe_disagreement(make_lesion(alert, none, none)) == (
        "The photographs disagree: 1 of 3 raises the melanoma alert; 1 of 3 raises the skin cancer "
        "alert; the leading diagnosis is nevus (2) or melanoma (1)."
    )


def test_with_a_prevalence_the_photographs_disagree_on_the_adapted_leading_diagnosis():
    lesion = make_lesion(*(make_reading({"MEL": 0.6, "NV": 0.4}) for _ in range(2)))
    adapted = [
        AdaptedReading(Prevalence(0.02, 0.08), ("MEL", "NV"), shares, shares[0], shares[0])
        for shares in ((0.45, 0.55), (0.55, 0.45))
    ]
    assert describe_disagreement(lesion) == ""
    assert describe_disagreement(lesion, adapted) == (
        "The photographs disagree: the leading diagnosis is nevus (1) or melanoma (1)."
    )


def test_a_lesion_says_where_its_photographs_alert_only_together_or_only_alone():
    first = make_reading({"MEL": 0.04, "NV": 0.9, "BCC": 0.06}, 0.05, 0.2)
    second = make_reading({"MEL": 0.04, "NV": 0.06, "BKL": 0.9}, 0.05, 0.2)
    raised = replace(make_lesion(first, second), threshold=0.0)
    assert describe_disagreement(raised) == (
        "The photographs together raise the melanoma alert; none does alone. The photographs "
        "together raise the skin cancer alert; none does alone. The photographs disagree: the "
        "leading diagnosis is nevus (1) or benign keratosis (1)."
    )
    alert = make_reading({"MEL": 0.06, "NV": 0.94}, 0.05)
    dropped = replace(make_lesion(alert, alert), threshold=1.0)
    assert describe_disagreement(dropped) == (
        "Each photograph raises the melanoma alert; together they do not."
    )


def test_photographs_that_do_not_count_are_named():
    first, second = make_reading(NEVUS), make_reading(NEVUS)
    assert describe_set_aside(make_lesion(first, second)) == ""
    copy = replace(first, fingerprint="a")
    copies = replace(make_lesion(copy, copy, copy), counted=(copy,))
    assert describe_set_aside(copies) == (
        "2 of 3 photographs are copies of another and counted once."
    )
    unlike = replace(second, read_anyway=True)
    assert describe_set_aside(replace(make_lesion(first, unlike), counted=(first,))) == (
        "1 of 2 photographs is out of distribution, read anyway, and left out of the reading of "
        "the lesion."
    )
