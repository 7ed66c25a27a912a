"""The flow of participants of a model card."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.flow import measure_flow
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.models.card import ModelCard, OperatingPoint, load_card
from melanoma_core.models.card_text.diagram import Box, Branch, FlowDiagram, Stage
from melanoma_core.models.card_text.flow import build_diagram, build_flow
from melanoma_core.models.card_text.formats import NOT_PROVIDED
from melanoma_core.models.card_text.markdown import write_markdown
from melanoma_core.models.card_text.pdf import write_pdf
from melanoma_core.models.card_text.section import Section, Title
from melanoma_core.models.evidence import Evidence, read_evidence, write_evidence
from melanoma_core.models.registry import BUNDLED
from tests.drawn_models import CLEAN, LEAKING

# The test subset of the data below: 3 melanomas, 1 BCC and 6 nevi. One melanoma and one nevus are
# refused. The melanoma alert finds one of the two melanomas that are read.
SURE = np.full((10, 8), 0.01)
SURE[[0, 2], 0] = SURE[3, 2] = SURE[[1, 4, 5, 6, 7, 8, 9], 1] = 0.93
LABELS = np.array([0, 0, 0, 2, 1, 1, 1, 1, 1, 1])
REFUSALS = [None, None, "unfamiliar", None, None, None, None, None, None, "quality"]
DATA = {
    "images": {"train": 60, "validation": 20, "test": 10},
    "lesions": {"train": 50, "validation": 20, "test": 10},
    "images_by_label": {"test": {"MEL": 3, "NV": 6, "BCC": 1, "SCC": 0}},
    "files": {
        "found": 100,
        "kept": 85,
        "relabelled": 5,
        "left_out": {"copy of an image that is kept": 8, "the file cannot be read": 2},
    },
}


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return replace(
        load_card(BUNDLED),
        data=DATA,
        leakage=CLEAN,
        metrics={
            "test": {
                "sensitivity": Figure(2 / 3, 0.0, 1.0, 2, 3, 3),
                "specificity": Figure(6 / 7, 0.5, 1.0, 6, 7, 7),
            }
        },
        operating_point=OperatingPoint(0.5, 0.95, "validation"),
        skin_cancer_operating_point=OperatingPoint(0.5, 0.95, "validation"),
    )


@pytest.fixture(scope="module")
def evidence(card: ModelCard) -> Evidence:
    predictions = LabelledPredictions(SURE, LABELS, np.arange(10))
    rules = DecisionRules(card.class_names, 0, threshold=0.5, skin_cancer_threshold=0.5)
    return Evidence({}, "", {}, None, None, measure_flow(predictions, rules, REFUSALS))


def boxes(diagram: FlowDiagram) -> dict[str, int | None]:
    stages = [box for stage in diagram.stages for box in (stage.box, stage.leaving) if box]
    return {box.title: box.count for box in stages}


def test_a_card_without_data_provides_no_count(card: ModelCard):
    diagram = build_diagram(replace(card, data={}, novelty=None), None)

    assert set(boxes(diagram).values()) == {None}


def test_a_leaked_card_shows_no_result_of_the_test(card: ModelCard, evidence: Evidence):
    section = build_flow(replace(card, leakage=LEAKING), evidence)

    assert section.diagram is not None
    assert section.diagram.branches == ()
    assert section.tables == ()
    assert [stage.box.title for stage in section.diagram.stages][-1] == "Test subset"
    assert section.diagram.stages[-1].leaving is None
    assert section.paragraphs[0].startswith("Metrics are withheld because of leakage")


def test_the_evidence_of_a_leaked_model_is_read_without_its_flow(
    card: ModelCard, evidence: Evidence, tmp_path: Path
):
    for leakage, is_kept in ((CLEAN, True), (LEAKING, False)):
        written = replace(card, leakage=leakage)
        written.save(tmp_path)
        write_evidence(tmp_path, written, evidence)

        found = read_evidence(tmp_path)

        assert found is not None
        assert (found.flow == evidence.flow) is is_kept
        assert (found.flow is None) is not is_kept


def test_every_file_and_photograph_is_in_one_place(card: ModelCard, evidence: Evidence):
    diagram = build_diagram(card, evidence)

    found = boxes(diagram)
    assert found == {
        "Image files found": 100,
        "Left out": 10,
        "With a diagnosis": 90,
        "Train and validation": 80,
        "Test subset": 10,
        "Refused: indeterminate results": 2,
        "Read": 8,
    }
    for before, after in zip(diagram.stages[:-1], diagram.stages[1:], strict=True):
        assert before.leaving is not None
        assert before.box.count == (before.leaving.count or 0) + (after.box.count or 0)
    for branch in diagram.branches:
        assert sum(box.count or 0 for box in branch.boxes) == diagram.stages[-1].box.count
    assert diagram.stages[2].box.notes == ("lesions: 10", "melanoma: 3", "basal cell carcinoma: 1")
    assert diagram.stages[2].leaving == Box(
        "Refused: indeterminate results",
        2,
        ("no lesion visible: 1", "out of distribution: 1", "of melanoma: 1", "of skin cancer: 1"),
    )
    assert diagram.branches[0] == Branch(
        "Melanoma alert from 50.0%",
        (
            Box("Alert", 1, ("melanoma: 1", "other lesions: 0")),
            Box("No alert", 7, ("melanoma: 1", "other lesions: 6")),
        ),
    )
    assert diagram.branches[1].boxes[0] == Box("Alert", 2, ("skin cancer: 2", "other lesions: 0"))


def test_files_that_are_in_no_subset_are_named(card: ModelCard, evidence: Evidence):
    files = DATA["files"] | {"found": 103, "kept": 88}

    stage = build_diagram(replace(card, data=DATA | {"files": files}), evidence).stages[1]

    assert stage.box == Box("With a diagnosis", 93)
    assert stage.leaving == Box(
        "Train and validation",
        83,
        ("train: 60 of 50 lesions", "validation: 20 of 20 lesions", "in no subset: 3"),
    )


def test_refused_photographs_are_a_row_of_the_tables_and_change_the_metrics(
    card: ModelCard, evidence: Evidence
):
    melanoma, cancer, treated = build_flow(card, evidence).tables

    assert melanoma.title == "Melanoma alert from 50.0% by ground truth"
    assert melanoma.rows == (
        ("Alert", "1", "0", "1"),
        ("No alert", "1", "6", "7"),
        ("Refused (indeterminate)", "1", "1", "2"),
        ("All", "3", "7", "10"),
    )
    assert cancer.rows[-1] == ("All", "4", "6", "10")
    name, as_read, read_only, against = treated.rows[0]
    assert name == "Melanoma alert from 50.0%: sensitivity"
    assert as_read == "66.7% (0.0–100.0), 2 of 3"  # of the card
    assert read_only.endswith("1 of 2")
    assert against.endswith("1 of 3")


def test_an_older_card_counts_every_photograph_as_read_and_says_so(card: ModelCard):
    data = {name: value for name, value in DATA.items() if name != "files"}
    older = replace(card, data=data | {"file_decisions": {"relabelled": 7}}, novelty=None)

    section = build_flow(older, None)

    assert section.diagram is not None
    found = boxes(section.diagram)
    assert next(iter(found)) == "With a diagnosis"  # no empty box before it
    assert found["With a diagnosis"] == 90
    assert section.paragraphs[0] == (
        f"The number of image files found is {NOT_PROVIDED}, so the flow starts at the photographs "
        "with a diagnosis. Before that, 7 files were left out or relabelled."
    )
    assert found["Refused: indeterminate results"] is None
    (branch,) = section.diagram.branches
    assert branch.title == "Melanoma alert from 50.0%, every photograph counted as read"
    assert [box.count for box in branch.boxes] == [3, 7]
    (table,) = section.tables
    assert table.rows[2] == ("Refused (indeterminate)", *(NOT_PROVIDED,) * 3)
    assert table.rows[3] == ("All", "3", "7", "10")
    assert (
        f"The ground truth of the refused photographs is {NOT_PROVIDED}." in section.paragraphs[1]
    )


def test_markdown_draws_the_diagram_with_mermaid_and_escapes_its_texts():
    stages = (Stage(Box('a "b" #1 <i>', 12), Box("out", 2, ("x: 2",))), Stage(Box("Read", None)))
    diagram = FlowDiagram("Flow", stages, (Branch("Alert", (Box("Yes", 3), Box("No", 7))),))

    written = write_markdown("m", [Section(Title.FLOW, (), (), diagram)])

    assert "```mermaid\nflowchart TD\n" in written
    assert '    s0["a #quot;b#quot; #35;1 #lt;i#gt;: 12"]\n' in written
    assert '    l0["out: 2<br/>x: 2"]\n    s0 --> l0\n' in written
    assert '    s1["Read: not provided"]\n    s0 --> s1\n' in written
    assert "    s1 --> t0\n" in written
    assert '    b01["No: 7"]\n    t0 --> b01\n```\n' in written


def test_the_pdf_draws_the_diagram_the_same_each_time(card: ModelCard, evidence: Evidence):
    with_diagram = build_flow(card, evidence)
    without = replace(with_diagram, diagram=None)

    one, other, plain = (
        write_pdf("m", [section], card.created_at)
        for section in (with_diagram, with_diagram, without)
    )

    assert one == other
    assert len(one) > len(plain) + 500
