"""The section of a card about artefacts."""

from dataclasses import replace
from math import nan

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import load_card
from melanoma_core.models.card_text.robustness import build_robustness
from melanoma_core.models.card_text.sections import build_sections

UNALTERED = Figure(0.2, 0.1, 0.3, 20, 100, 90)
FIGURES = {
    "false_alerts": Figure(0.5, 0.4, 0.6, 50, 100, 90),
    "false_alerts_before": UNALTERED,
    "false_alerts_change": Figure(0.3, 0.2, 0.4, None, 100, 90),
    "sensitivity": Figure(0.9, 0.8, 1.0, 9, 10, 8),
    "sensitivity_before": Figure(0.9, 0.8, 1.0, 9, 10, 8),
    "sensitivity_change": Figure(0.0, nan, nan, None, 10, 8),
    "refused": Figure(0.1, 0.05, 0.2, 11, 110, 98),
    "refused_before": Figure(0.0, 0.0, 0.04, 0, 110, 98),
    "refused_change": Figure(0.1, 0.05, 0.2, None, 110, 98),
    "melanoma_probability_change": Figure(0.12, 0.1, 0.14, None, 110, 98),
}
WARNED = {
    "warned": Figure(0.95, 0.9, 0.98, 57, 60, 50),
    "warned_before": Figure(0.05, 0.02, 0.1, 3, 60, 50),
}


def test_a_card_without_the_measurement_says_so(bundled):
    section = build_robustness(None)

    assert section.paragraphs == ("Not provided: no artefacts were drawn onto the photographs.",)
    assert section.tables == ()
    card = replace(load_card(bundled), robustness=None)
    titles = [each.title for each in build_sections(card, None)]
    assert "Robustness to ink, hair and other artefacts" in titles


def test_artefacts_that_change_alerts_or_refusals_are_named_with_their_interval():
    missed = {"sensitivity_change": Figure(-0.2, -0.3, -0.1, None, 10, 8)}
    uncertain = {"refused_change": Figure(0.1, 0.0, 0.2, None, 110, 98)}
    small = {"false_alerts_change": Figure(0.04, 0.01, 0.07, None, 100, 90)}
    section = build_robustness({"ink": FIGURES, "hair": FIGURES | missed | uncertain | small})

    assert section.paragraphs == (
        "Artefacts were drawn onto 110 photographs of 98 lesions, by a generator that no network "
        "is trained with. Each photograph is compared with itself without the artefact. False "
        "melanoma alerts rise by 5 points or more with: ink (+30.0 points (+20.0 to +40.0)). The "
        "sensitivity for melanoma falls by 5 points or more with: hair (-20.0 points (-30.0 to "
        "-10.0)). Refusals rise by 2 points or more with: ink (+10.0 points (+5.0 to +20.0)).",
    )


def test_if_nothing_changes_for_the_worse_the_card_says_so():
    same = Figure(0.0, nan, nan, None, 100, 90)
    changes = dict.fromkeys(("false_alerts_change", "sensitivity_change", "refused_change"), same)
    (sentence,) = build_robustness({"blur": FIGURES | changes}).paragraphs

    assert sentence.endswith(
        "None changes alerts by 5 points or refusals by 2 for the worse, with certainty."
    )


def test_shares_stand_beside_their_differences():
    (table,) = build_robustness({"ink": FIGURES}).tables

    assert table.head == (
        "Artefact",
        "False melanoma alerts",
        "Sensitivity for melanoma",
        "Refused",
        "Mean absolute change of the probability of melanoma",
    )
    assert table.rows == (
        (
            "none",
            "20.0% (10.0–30.0), 20 of 100",
            "90.0% (80.0–100.0), 9 of 10",
            "0.0% (0.0–4.0), 0 of 110",
            "–",
        ),
        (
            "ink",
            "50.0% (40.0–60.0), 50 of 100; +30.0 points (+20.0 to +40.0)",
            "90.0% (80.0–100.0), 9 of 10; 0.0 points",
            "10.0% (5.0–20.0), 11 of 110; +10.0 points (+5.0 to +20.0)",
            "12.0% (10.0–14.0)",
        ),
    )


def test_warnings_have_a_table_of_their_own():
    section = build_robustness({"ink": FIGURES | WARNED, "blur": FIGURES})

    assert "upper bound of the false ones" in section.paragraphs[1]
    assert section.tables[1].rows == (
        ("ink", "95.0% (90.0–98.0), 57 of 60", "5.0% (2.0–10.0), 3 of 60"),
    )
