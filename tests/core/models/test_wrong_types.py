"""Every value of a card and of an evidence pack, replaced in turn by each of a dozen wrong ones.

Either the file is refused in one sentence, or all that shows it works.
"""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from dashboard.models.markup import render_facts, render_operating_point
from melanoma_core.errors import ModelError
from melanoma_core.jsonable import dump_json
from melanoma_core.models.card import load_card
from melanoma_core.models.card_text.markdown import write_markdown
from melanoma_core.models.card_text.sections import build_sections
from melanoma_core.models.card_text.tables import tabulate_figures, write_figures
from melanoma_core.models.evidence import describe_evidence, read_evidence
from tests.wrong_values import make_card, make_evidence, replace_each


def show(folder: Path) -> None:
    """Do with a model all that the command line and the pages do with its card."""
    card, evidence = load_card(folder), read_evidence(folder)
    sections = build_sections(card, evidence)
    for table in (table for section in sections for table in section.tables):
        for row in table.rows:
            assert [type(cell) for cell in row] == [str] * len(table.head)
    parts = (
        write_markdown(card.model_id, sections),
        write_figures(card),
        render_facts(card),
        render_operating_point(card),
        dump_json(describe_evidence(card, evidence)),
        *(str(tabulate_figures(card, subset)) for subset in card.metrics),
        str((card.rules, card.frequencies)),
    )
    for part in parts:
        part.encode("utf-8")


def write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document), "utf-8")


def test_the_card_and_the_evidence_themselves_are_shown(tmp_path: Path):
    card = make_card()
    write(tmp_path / "card.json", card)
    write(tmp_path / "evidence.json", make_evidence(card))

    show(tmp_path)


@pytest.mark.parametrize("name", ["card.json", "evidence.json"])
@pytest.mark.slow
def test_a_wrong_value_anywhere_is_one_sentence_or_harmless(tmp_path: Path, name: str):
    card = make_card()
    document = card if name == "card.json" else make_evidence(card)
    write(tmp_path / "card.json", card)
    num_refused = 0
    for what, changed in replace_each(document):
        write(tmp_path / name, changed)
        try:
            with suppress(ModelError):
                num_refused += 1
                show(tmp_path)
                num_refused -= 1
        except Exception as error:
            pytest.fail(f"{what}: {type(error).__name__}: {error}")
    assert num_refused > 1000
