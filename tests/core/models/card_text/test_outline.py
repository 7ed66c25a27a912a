"""The section of a card about the outline."""

from dataclasses import replace
from pathlib import Path

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import ModelCard, OutlineFacts, load_card
from melanoma_core.models.card_text.outline import build_outline

DICE = Figure(0.931, 0.927, 0.935, None, 1462, 1080)


def make_card(bundled: Path, **changes: object) -> ModelCard:
    dice = {"test": DICE, "test/ham10000": DICE}
    facts = OutlineFacts(40, 0.45, "validation", dice, "Drawn on 40 × 40 cells.")
    return replace(load_card(bundled), outline=replace(facts, **changes))


def test_a_model_without_an_outline_says_so(bundled: Path):
    section = build_outline(replace(load_card(bundled), outline=None), None)

    assert section.paragraphs == ("This model draws no outline.",)
    assert section.tables == ()


def test_the_dice_coefficient_has_interval_and_counts(bundled: Path):
    section = build_outline(make_card(bundled), None)

    assert section.paragraphs == (
        "Drawn on 40 × 40 cells.",
        "On 1,462 test photographs of 1,080 lesions, none of them in training, the Dice "
        "coefficient with manually drawn outlines is 0.931 (0.927–0.935) on average (1 is "
        "perfect). A place is inside from a probability of 45.0%, chosen on the validation subset.",
    )
    (table,) = section.tables
    assert table.rows[1] == (
        "test, ham10000 only",
        "0.931 (0.927–0.935)",
        "not provided",
        "not provided",
        "1,462 of 1,080 lesions",
    )


def test_an_outline_that_was_not_compared_says_so(bundled: Path):
    section = build_outline(make_card(bundled, dice={}), None)

    assert section.paragraphs[1].startswith("How well it agrees")
    assert section.tables == ()


def test_a_card_with_leakage_is_read_without_its_dice(bundled: Path, tmp_path: Path):
    card = make_card(bundled)
    assert card.leakage is not None
    replace(card, leakage=replace(card.leakage, found=2)).save(tmp_path)

    read = load_card(tmp_path)

    assert read.outline is not None
    assert read.outline.dice == {}
    assert read.outline.threshold == 0.45


def test_a_card_keeps_its_outline(bundled: Path, tmp_path: Path):
    card = make_card(bundled)
    card.save(tmp_path)

    assert load_card(tmp_path).outline == card.outline
