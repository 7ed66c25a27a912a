import re
from dataclasses import replace

import numpy as np
import pytest

from dashboard.reading.markup import render_sentence, render_warnings
from dashboard.reading.verdict import (
    name_level,
    render_banner,
    render_disagreement,
    render_glance,
    render_mark,
    render_own,
    render_probabilities,
    render_row,
    render_set_aside,
)
from melanoma_core.data.quality import QualityFinding, QualityKind
from melanoma_core.evaluation.prediction_set import make_prediction_set
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.adaptation import AdaptedReading, adapt_reading
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.entry import Entry
from melanoma_core.reading.grouping import Lesion
from melanoma_core.reading.lesion import combine_readings
from tests.made_readings import make_reading

HOSTILE = "<script>alert('1')</script>"
NEVUS = {"MEL": 0.01, "NV": 0.96, "BCC": 0.03}
CARCINOMA = {"MEL": 0.01, "NV": 0.24, "BCC": 0.75}
MELANOMA = {"MEL": 0.6, "NV": 0.3, "BCC": 0.1}
HIDDEN_MELANOMA = {"MEL": 0.2, "NV": 0.7, "BCC": 0.1}


def read(probabilities, **options):
    return make_reading(probabilities, 0.05, 0.2, **options)


@pytest.fixture(scope="module")
def card() -> ModelCard:
    bundled = load_card(BUNDLED)
    return replace(
        bundled,
        model_id="test",
        class_names=("MEL", "NV", "BCC"),
        conformal=None,
        operating_point=replace(bundled.operating_point, threshold=0.05),
        skin_cancer_operating_point=replace(bundled.operating_point, threshold=0.2),
    )


def make_lesion(card, name, *readings) -> Lesion:
    entries = tuple(
        Entry(key, f"{key}.jpg", b"", b"", reading, card, seen=reading.evidence)
        for key, reading in enumerate(readings)
    )
    return Lesion(name, entries, combine_readings(card, readings))


@pytest.mark.parametrize(
    ("probabilities", "level"),
    [
        (HIDDEN_MELANOMA, "▲ Melanoma alert"),
        (CARCINOMA, "▲ Other skin cancer suspected"),
        (NEVUS, "○ No alert"),
    ],
)
def test_each_level_has_a_symbol_and_words_of_its_own(probabilities, level):
    assert name_level(read(probabilities)) == level


@pytest.mark.parametrize(
    ("probabilities", "kind"),
    [(HIDDEN_MELANOMA, "alert"), (CARCINOMA, "suspected"), (NEVUS, "no-alert")],
)
def test_each_level_has_a_colour_of_its_own(probabilities, kind):
    assert f'class="banner {kind}" style="--tier:#D55E00"' in render_banner(read(probabilities))


def test_a_melanoma_alert_on_a_probable_nevus_is_stated_without_a_contradiction():
    banner = render_banner(read(HIDDEN_MELANOMA))
    assert '<p class="verdict">Melanoma alert</p><p>Melanoma cannot be excluded.</p>' in banner
    assert (
        "Melanoma cannot be excluded (20.0%, alert threshold 5.0%), although nevus is the leading "
        "diagnosis (70.0%)." in render_sentence(read(HIDDEN_MELANOMA))
    )


def test_a_carcinoma_is_named_above_all_else():
    banner = render_banner(read(CARCINOMA))
    assert '<p class="verdict">Other skin cancer suspected</p>' in banner
    assert "<p>Basal cell carcinoma is the leading diagnosis.</p>" in banner


def test_the_glance_shows_both_alerts_with_their_thresholds(card):
    glance = render_glance(read(CARCINOMA), card)
    assert "Melanoma <strong>1.0%</strong> " in glance
    assert '<span class="threshold">no alert, threshold 5.0%</span>' in glance
    assert "<p>Skin cancer <strong>76.0%</strong> " in glance
    assert '<span class="threshold">alert, threshold 20.0%</span>' in glance
    assert 'class="mark" style="left:20.00%"' in glance


def test_the_differential_is_chips_with_tiers_and_probabilities(card):
    glance = render_glance(read(CARCINOMA), card)
    chips = re.findall("<li.*?</li>", glance)
    assert len(chips) == 2
    assert 'class="leading"' in chips[0]
    assert 'aria-label="malignant">▲</span> basal cell carcinoma <strong>75.0%' in chips[0]
    assert 'aria-label="benign">●</span> nevus <strong>24.0%' in chips[1]
    assert "Below 1%" not in glance


def test_a_chip_below_one_percent_says_why_it_is_there(card):
    shares = {"MEL": 0.004, "NV": 0.99, "BCC": 0.006}
    glance = render_glance(read(shares, members=("NV", "MEL")), card)
    assert "melanoma <strong>0.4%" in glance
    assert "Below 1%: malignant, not excluded." in glance


def test_in_a_clinic_the_glance_names_its_prevalence_and_keeps_the_alerts(card):
    adapted = AdaptedReading(Prevalence(0.02, 0.08), card.class_names, (0.2, 0.7, 0.1), 0.2, 0.3)
    glance = render_glance(read(MELANOMA), card, adapted)
    assert "Melanoma <strong>20.0%</strong> " in glance
    assert "alert (unadapted 60.0%, threshold 5.0%)" in glance
    assert "Prevalence: melanoma 2.0%, skin cancer 8.0%." in glance


def count_words(*parts: str) -> int:
    """Count the words that are visible before anything is opened."""
    visible = re.sub("</summary>.*?</details>", "", "".join(parts), flags=re.DOTALL)
    return sum(any(map(str.isalnum, word)) for word in re.sub("<[^>]+>", " ", visible).split())


@pytest.mark.parametrize("clinic", [None, Prevalence(0.0125, 0.0825)])
def test_at_most_sixty_words_are_visible_whatever_the_bundled_model_reads(clinic):
    card = load_card(BUNDLED)
    rng = np.random.default_rng(0)
    blurred = QualityFinding(QualityKind.BLURRED, 1.0, 2.0, False, "The photograph is blurred.")
    most = 0
    for concentration in (0.1, 0.3, 1, 3) * 100:
        shares = rng.dirichlet(np.full(8, concentration)).tolist()
        found = make_prediction_set(card.rules, shares)
        assert found is not None
        probabilities = dict(zip(card.class_names, shares, strict=True))
        point = card.operating_point.threshold
        reading = replace(
            make_reading(probabilities, point, point, members=found.members),
            quality=(blurred,),
            read_anyway=clinic is None,
        )
        adapted = adapt_reading(card, reading.probabilities, clinic) if clinic else None
        parts = (
            render_mark(reading),
            render_banner(reading, adapted),
            render_warnings(reading),
            render_glance(reading, card, adapted),
            "<p>All diagnoses</p><p>Report</p>",
        )
        most = max(most, count_words(*parts))
    assert 40 <= most <= 60


def test_both_probabilities_are_shown_with_their_thresholds_as_numbers_and_as_bars():
    bars = render_probabilities(read(CARCINOMA))
    assert "<strong>1.0%</strong> probability of melanoma" in bars
    assert "no alert, threshold 5.0%" in bars
    assert "<strong>76.0%</strong> probability of any skin cancer" in bars
    assert '<span class="threshold">alert, threshold 20.0%</span>' in bars
    assert 'class="fill" style="width:1.00%"' in bars
    assert 'class="mark" style="left:5.00%"' in bars
    assert 'class="fill" style="width:76.00%"' in bars
    assert 'class="mark" style="left:20.00%"' in bars


def test_a_model_without_an_operating_point_for_skin_cancer_says_so():
    bars = render_probabilities(make_reading(CARCINOMA, 0.05))
    assert "<strong>76.0%</strong> probability of any skin cancer" in bars
    assert 'any skin cancer, <span class="threshold">no operating point in this model' in bars
    assert bars.count('class="mark"') == 1


def test_a_probability_below_a_tenth_of_a_percent_is_not_markup():
    tiny = {"MEL": 1e-6, "NV": 1 - 1e-6, "BCC": 0.0}
    assert "<strong>&lt;0.1%</strong>" in render_probabilities(read(tiny))


def test_a_row_names_the_leading_diagnosis_with_its_tier_and_both_probabilities(card):
    row = render_row(make_lesion(card, "a.jpg", read(CARCINOMA)))
    assert '<p class="name">a.jpg</p>' in row
    assert "▲ basal cell carcinoma 75.0%" in row
    assert '<p class="fact">Melanoma: no alert (1.0%)</p>' in row
    assert '<p class="fact">Any skin cancer: alert (76.0%)</p>' in row
    assert "photographs" not in row
    assert "read anyway" not in row


def test_a_row_of_a_model_without_a_skin_cancer_alert_claims_none(card):
    old = replace(card, skin_cancer_operating_point=None)
    row = render_row(make_lesion(old, "a.jpg", make_reading(CARCINOMA, 0.05)))
    assert '<p class="fact">Any skin cancer: 76.0%</p>' in row


def test_a_row_counts_the_photographs_of_a_lesion_and_keeps_the_mark(card):
    marked = replace(read(NEVUS), read_anyway=True)
    row = render_row(make_lesion(card, "left arm", read(CARCINOMA), read(NEVUS)))
    assert '<p class="fact">2 photographs</p>' in row
    row = render_row(make_lesion(card, "left arm", read(CARCINOMA), marked))
    assert "2 photographs, of which 1 counted" in row
    assert "read anyway" not in row
    assert "⚠ out of distribution, read anyway" in render_row(make_lesion(card, "arm", marked))


def test_with_a_prevalence_a_row_and_the_banner_name_the_same_leading_diagnosis(card):
    lesion = make_lesion(card, "a.jpg", read(MELANOMA))
    adapted = AdaptedReading(Prevalence(0.02, 0.08), card.class_names, (0.2, 0.7, 0.1), 0.2, 0.3)
    row = render_row(lesion, adapted)
    assert "● nevus 70.0%" in row
    assert '<p class="fact">Melanoma: alert (60.0% unadapted)</p>' in row
    assert "Any skin cancer: alert (70.0% unadapted)" in row
    assert "nevus is the leading diagnosis (70.0% at your prevalence)" in render_sentence(
        lesion.reading, adapted
    )
    assert "● nevus 70.0%" in render_own(read(MELANOMA), "a.jpg", adapted)
    assert "melanoma 60" not in row


def test_an_alert_of_skin_cancer_below_its_threshold_is_that_of_melanoma():
    older = make_reading({"MEL": 0.06, "NV": 0.93, "BCC": 0.01}, 0.05, 0.2)
    assert "alert because of melanoma, threshold 20.0%" in render_probabilities(older)


def test_photographs_that_do_not_count_are_named_and_agree_with_nothing(card):
    marked = replace(read(HIDDEN_MELANOMA), read_anyway=True)
    reading = make_lesion(card, "arm", read(NEVUS), marked).reading
    assert "1 of 2 photographs is out of distribution" in render_set_aside(reading)
    assert render_disagreement(reading) == ""
    assert render_set_aside(make_lesion(card, "arm", read(NEVUS)).reading) == ""


def test_what_was_read_against_a_refusal_is_marked_for_ever_and_nothing_else_is():
    assert render_mark(read(NEVUS)) == ""
    assert "Out of distribution, read anyway" in render_mark(replace(read(NEVUS), read_anyway=True))


def test_the_photographs_of_a_lesion_agree_or_disagree_in_words(card):
    agree = make_lesion(card, "arm", read(NEVUS), read(NEVUS)).reading
    differ = make_lesion(card, "arm", read(NEVUS), read(HIDDEN_MELANOMA)).reading
    assert render_disagreement(agree) == '<p class="agreement">The photographs agree.</p>'
    assert "1 of 2 raises the melanoma alert" in render_disagreement(differ)


def test_a_photograph_of_a_lesion_keeps_its_own_reading_and_warnings():
    warned = replace(
        read(CARCINOMA),
        quality=(
            QualityFinding(QualityKind.BLURRED, 1.0, 2.0, False, "The photograph is blurred."),
        ),
    )
    own = render_own(warned, HOSTILE)
    assert "▲ Other skin cancer suspected" in own
    assert "▲ basal cell carcinoma 75.0%" in own
    assert "The photograph is blurred." in own
    assert "<script" not in own


def test_the_name_of_a_lesion_is_escaped(card):
    assert "<script" not in render_row(make_lesion(card, HOSTILE, read(NEVUS)))
