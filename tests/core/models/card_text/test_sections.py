"""The sections of a model card, as Markdown and as PDF."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core import __version__
from melanoma_core.errors import ModelError
from melanoma_core.evaluation.metrics import evaluate_fully
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.card_text.formats import NOT_PROVIDED
from melanoma_core.models.card_text.markdown import write_markdown
from melanoma_core.models.card_text.pdf import write_pdf
from melanoma_core.models.card_text.section import Section, Table, Title
from melanoma_core.models.card_text.sections import build_sections
from melanoma_core.models.card_text.wording import describe_coverage
from melanoma_core.models.evidence import (
    Evidence,
    Machine,
    TrainingLog,
    describe_evidence,
    read_evidence,
    write_evidence,
)
from melanoma_core.models.registry import BUNDLED
from tests.drawn_models import CLEAN, LEAKING


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return replace(load_card(BUNDLED), leakage=CLEAN)


@pytest.fixture(scope="module")
def evidence(card: ModelCard) -> Evidence:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 8, 120)
    said = rng.dirichlet(np.ones(8), 120)
    attributes = pd.DataFrame({"sex": ["female", "male"] * 60, "age": [30.0, 80.0] * 60})
    predictions = LabelledPredictions(said, labels, np.arange(120), attributes)
    rules = DecisionRules(card.class_names, 0, threshold=0.2)
    evaluation = evaluate_fully(predictions, rules, num_resamples=50)
    rows = tuple(
        {"epoch": epoch, "subset": subset, "metric": "loss", "value": 1 / epoch}
        for epoch in range(1, 41)
        for subset in ("train", "validation")
    )
    return Evidence(
        {"test": evaluation},
        "ab" * 32,
        {"train": 700, "test": 120},
        TrainingLog("1234abcd", "transfer 1", "données", "2026-11-21T12:00:00.000+00:00", rows),
        Machine("Linux 6", "x86_64", 2, 8 * 2**30, "3.11.7"),
    )


def find(sections: list[Section], title: str) -> Section:
    (found,) = [section for section in sections if section.title == title]
    return found


def texts(section: Section) -> str:
    rows = (" | ".join(row) for table in section.tables for row in table.rows)
    return "\n".join((*section.paragraphs, *rows))


def test_the_evidence_comes_back_as_it_was_written(
    card: ModelCard, evidence: Evidence, tmp_path: Path
):
    card.save(tmp_path)
    write_evidence(tmp_path, card, evidence)

    found = read_evidence(tmp_path)

    assert found is not None
    assert describe_evidence(card, found) == describe_evidence(card, evidence)
    assert found.training == evidence.training
    assert found.machine == evidence.machine


def test_a_model_without_evidence_has_none_and_damaged_evidence_is_named(
    card: ModelCard, evidence: Evidence, tmp_path: Path
):
    card.save(tmp_path)
    assert read_evidence(tmp_path) is None

    (tmp_path / "evidence.json").write_text("{")
    with pytest.raises(ModelError, match=r"Cannot read the evidence .*evidence\.json"):
        read_evidence(tmp_path)

    write_evidence(tmp_path, replace(card, model_id="another"), evidence)
    with pytest.raises(ModelError, match="it belongs to another model than the card beside it"):
        read_evidence(tmp_path)


def test_the_evidence_of_a_model_with_leakage_has_no_metrics_whatever_the_file_says(
    card: ModelCard, evidence: Evidence, tmp_path: Path
):
    leaking = replace(card, leakage=LEAKING)
    leaking.save(tmp_path)
    write_evidence(tmp_path, leaking, evidence)

    found = read_evidence(tmp_path)

    assert found is not None
    assert found.evaluations == {}
    for title in (Title.PERFORMANCE, Title.CLASSES, Title.SUBGROUPS):
        said = texts(find(build_sections(load_card(tmp_path), found), title))
        assert said.startswith("Metrics are withheld because of leakage: 7 of 600 test photographs")
        assert "%" not in said


def test_every_section_of_an_older_model_says_what_is_not_provided(card: ModelCard):
    older = replace(card, leakage=None, conformal=None, data={}, recipe={}, versions={})

    sections = build_sections(older, None)

    assert [section.title for section in sections] == list(Title)
    assert "Leakage between training and test was not checked." in texts(
        find(sections, Title.LEAKAGE)
    )
    assert f"Contact | {NOT_PROVIDED}" in texts(find(sections, Title.DETAILS))
    assert f"Run | {NOT_PROVIDED}" in texts(find(sections, Title.TRAINING))
    assert f"Skin tones | {NOT_PROVIDED}" in texts(find(sections, Title.CHECKLISTS))


def test_the_evidence_fills_what_the_card_leaves_open(card: ModelCard, evidence: Evidence):
    sections = build_sections(card, evidence)

    assert "sex female" in texts(find(sections, Title.SUBGROUPS))
    trained = find(sections, Title.TRAINING)
    assert "transfer 1 (1234abcd)" in texts(trained)
    curves = trained.tables[1]
    assert curves.title == "Learning curves: 11 of 40 epochs"
    assert curves.rows[0] == ("1", "1.000", "1.000")
    assert curves.rows[-1] == ("40", "0.025", "0.025")
    assert "Memory | 8 GiB" in texts(find(sections, Title.REPRODUCTION))
    assert len(find(sections, Title.CLASSES).tables[1].rows) == 8


def test_subgroups_of_estimated_skin_tones_say_what_the_estimate_is_worth(
    card: ModelCard, evidence: Evidence
):
    evaluation = evidence.evaluations["test"]
    slices = tuple(
        replace(each, attribute="skin_tone", value=value)
        for each, value in zip(
            evaluation.slices, ("Fitzpatrick II", "tan (estimate)"), strict=False
        )
    )
    known, estimated = (
        replace(evidence, evaluations={"test": replace(evaluation, slices=part)})
        for part in (slices[:1], slices)
    )

    without = find(build_sections(card, known), Title.SUBGROUPS)
    section = find(build_sections(card, estimated), Title.SUBGROUPS)

    assert "PAD-UFES-20" not in texts(without)
    assert "unrelated to the Fitzpatrick type (Spearman correlation 0.01" in section.paragraphs[1]
    assert section.tables[0].head[2] == "Sensitivity, photographs"
    assert "the notes count lesions, the metrics photographs" in section.paragraphs[0]


def test_the_card_says_how_often_its_sets_contain_the_diagnosis(card: ModelCard):
    section = find(build_sections(card, None), Title.SETS)

    assert section.paragraphs[1] == describe_coverage(card)


def test_specificity_on_nevi_is_shown_by_how_they_were_confirmed(card: ModelCard):
    labels = np.array([0, 1, 1, 1, 2])
    said = np.full((5, 8), 0.02)
    said[:, 1] = 0.86
    said[:2, 0], said[:2, 1] = 0.8, 0.08  # alerts on the melanoma and on the biopsied nevus
    stated = ["histopathology", "histopathology", "follow-up", "follow-up", None]
    predictions = LabelledPredictions(
        said, labels, np.arange(5), pd.DataFrame({"confirmation": stated})
    )
    rules = DecisionRules(card.class_names, 0, threshold=0.2, skin_cancer_threshold=0.3)
    evaluation = evaluate_fully(predictions, rules, num_resamples=50)
    evidence = Evidence({"test": evaluation}, "ab", {"test": 5}, None, None)

    section = find(build_sections(card, evidence), Title.SUBGROUPS)

    assert [table.title for table in section.tables] == [
        "Melanoma: subgroups of test",
        "Any skin cancer: subgroups of test",
        "How often the alerts are right",
    ]
    rows = [(*row[:2], row[2].split("), ")[-1], row[3][-6:]) for row in section.tables[2].rows]
    assert rows == [
        ("melanoma", "histopathology", "1 of 1", "1 of 1"),
        ("nevus", "histopathology", "0 of 1", "0 of 1"),
        ("nevus", "follow-up", "2 of 2", "2 of 2"),
        ("basal cell carcinoma", "not recorded", "1 of 1", "0 of 1"),
    ]


def test_how_labels_were_confirmed_is_counted_or_not_provided(card: ModelCard):
    counts = {"images_by_confirmation": {"test": {"histopathology": 844, "not provided": 371}}}
    known, unknown = (
        find(build_sections(replace(card, data=data), None), Title.DATA) for data in (counts, {})
    )
    assert "How each was confirmed is counted below" in known.paragraphs[0]
    assert "histopathology | 0 | 0 | 844" in texts(known)
    assert "by histopathology or otherwise, is not provided" in unknown.paragraphs[0]


def test_licences_and_attributions_are_those_of_the_data_and_of_the_parent(card: ModelCard):
    facts = {"licences": ["CC-0"], "images_by_attribution": {"Hospital A": 3}}
    recipe = {"weights": {"file": "model.keras", "sha256": None, "model_id": "parent-1"}}
    started = replace(card, data=facts | {"licence_of_the_model": "CC-0"}, recipe=recipe)
    without = replace(card, data={}, recipe={})

    text, nothing = (
        " ".join(
            texts(find(build_sections(each, None), title)) for title in ("Model details", "Data")
        )
        for each in (started, without)
    )

    assert "Licences of the photographs: CC-0." in text
    assert "Attribution: Hospital A." in text
    assert "CC-0; that of parent-1, from which it was trained, applies too" in text
    assert "Licences of the photographs: not provided." in nothing
    assert "Attribution: not provided." in nothing
    assert "ISIC" not in nothing


def test_markdown_shows_every_text_as_it_is():
    table = Table("a | b", ("head",), (("<b>bold</b> *x* `y`",),))
    written = write_markdown("m_1", [Section("Title", ("#1 is\nfirst",), (table,))])

    assert written == (
        "# Model card: m\\_1\n\n## Title\n\n\\#1 is first\n\n**a \\| b**\n\n"
        "| head |\n| --- |\n| \\<b>bold\\</b> \\*x\\* \\`y\\` |\n\n"
        f"Melanoma dashboard {__version__}. For research and education. Not a medical device.\n"
    )


@pytest.mark.slow
def test_the_pdf_has_every_character_and_is_the_same_for_the_same_card(
    card: ModelCard, evidence: Evidence, caplog: pytest.LogCaptureFixture
):
    sections = build_sections(card, evidence)
    named = [*sections, Section("Zoë Łukasz Ελένη Анна", ("≥ 95% – é × ▲ ◆ ● −5 “so”",))]

    one = write_pdf(card.model_id, named, card.created_at)
    other = write_pdf(card.model_id, named, card.created_at)

    assert one == other
    assert one.startswith(b"%PDF-")
    assert len(one) < 400_000  # of the fonts only what is used
    assert "missing" not in caplog.text


def test_a_character_that_the_font_lacks_is_not_an_error(card: ModelCard):
    written = write_pdf("模型", [Section("模型", ("模型 🙂",))], card.created_at)

    assert written.startswith(b"%PDF-")
