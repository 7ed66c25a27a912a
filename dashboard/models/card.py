"""The Card tab: the model card with its downloads."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard.models.cached_models import get_evidence, get_pdf, get_sections
from dashboard.models.markup import (
    render_answers,
    render_diagram,
    render_facts,
    render_operating_point,
)
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown, render_limits, render_paragraphs
from melanoma_core.jsonable import dump_json
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import UNDEFINED
from melanoma_core.models.card_text.section import Title
from melanoma_core.models.card_text.tables import Row, tabulate_figures
from melanoma_core.models.card_text.wording import describe_model, name_subset

if TYPE_CHECKING:
    from melanoma_core.models.card_text.section import Section

_FIGURE_COLUMNS = dict.fromkeys(
    ("Value", "95% CI from", "95% CI to"), st.column_config.NumberColumn(format="%.1f%%")
) | {"Count": st.column_config.TextColumn(alignment="right")}
# Shown at the top, in another layout.
_SHOWN_ABOVE = {Title.USE, Title.ALERT}


def show_card(folder: Path, card: ModelCard) -> None:
    """Show a model card, with the most important facts at the top."""
    purpose, alert = st.columns(2, gap="medium")
    with purpose:
        st.subheader("Intended use", anchor=False)
        st.html(render_facts(card))
        st.subheader("Limitations", anchor=False)
        st.html(render_limits(card))
    with alert:
        st.subheader(Title.ALERT, anchor=False)
        st.html(render_operating_point(card))
        downloads = st.container()
    _show_metrics(card)
    with show_errors():
        for section in get_sections(folder, card):
            if section.title not in _SHOWN_ABOVE:
                _show_section(section)
        with downloads:  # last, since the PDF takes a second
            _offer_downloads(folder, card)


def _show_metrics(card: ModelCard) -> None:
    st.subheader("Metrics", anchor=False)
    if not card.metrics:
        st.html(render_paragraphs([describe_model(card)]))
        return
    subset = st.selectbox(
        "Evaluated on",
        list(card.metrics),
        format_func=name_subset,
        help="Held-out images of lesions not seen in training: all of them, or one collection.",
        width=400,
    )
    if subset is not None:
        show_table(tabulate_figures(card, subset), _FIGURE_COLUMNS)
    st.caption(
        "In percent, with 95% CI resampled by lesion. Undefined: the subset has no image for the "
        "metric, or the metric counts lesions and not photographs."
    )


def show_table(rows: list[Row], columns: Mapping[str, ColumnConfig] | None = None) -> None:
    """Show rows, if there are any, as a sortable table at its full height."""
    if rows:
        st.dataframe(
            rows,
            hide_index=True,
            height="content",
            placeholder=UNDEFINED,
            column_config=columns,
        )


def _offer_downloads(folder: Path, card: ModelCard) -> None:
    from melanoma_core.models.card_text.markdown import write_markdown
    from melanoma_core.models.evidence import describe_evidence

    evidence, sections = get_evidence(folder, card), get_sections(folder, card)
    document = dump_json(describe_evidence(card, evidence))
    files = (
        (
            "Evidence (JSON)",
            document,
            "json",
            "application/json",
            "All metrics, curves and facts of this page.",
        ),
        (
            "Card (Markdown)",
            write_markdown(card.model_id, sections),
            "md",
            "text/markdown",
            "This page for a repository.",
        ),
        ("Card (PDF)", get_pdf(folder, card), "pdf", "application/pdf", "This page for printing."),
    )
    with st.container(horizontal=True):
        for label, content, suffix, mime, text in files:
            st.download_button(
                label,
                data=content,
                file_name=f"{card.model_id}.{suffix}",
                mime=mime,
                on_click="ignore",
                help=text,
            )


def _show_section(section: "Section") -> None:
    st.subheader(section.title, anchor=False)
    if section.paragraphs:
        st.html(render_paragraphs(section.paragraphs))
    if section.diagram:
        st.html(render_diagram(section.diagram))
    for table in section.tables:
        if section.title == Title.CHECKLISTS:
            with st.expander(table.title):  # a name of a guide, never of a file
                st.html(render_answers(table))
        elif table.rows:
            st.caption(escape_markdown(table.title))
            show_table([dict(zip(table.head, row, strict=True)) for row in table.rows])
