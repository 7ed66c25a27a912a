"""The card of a model: what it is for, what it achieved, what it was made from."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard.models.cached import get_evidence, get_pdf, get_sections
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import (
    escape_markdown,
    render_facts,
    render_limits,
    render_operating_point,
    render_paragraphs,
)
from melanoma_core.jsonable import dump_json
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import UNDEFINED
from melanoma_core.models.card_text.tables import Row, tabulate_figures
from melanoma_core.models.card_text.wording import describe_model, name_subset

if TYPE_CHECKING:
    from melanoma_core.models.card_text.section import Section

_FIGURE_COLUMNS = dict.fromkeys(
    ("Value", "95% from", "95% to"), st.column_config.NumberColumn(format="%.1f%%")
) | {"Count": st.column_config.TextColumn(alignment="right")}
# Shown at the top in a layout of their own.
_SHOWN_ABOVE = {"Intended use and limits", "When it alerts"}


def show_card(folder: Path, card: ModelCard) -> None:
    """Show a model card, what a reader asks first at the top."""
    purpose, alert = st.columns(2, gap="medium")
    with purpose:
        st.subheader("What it is for", anchor=False)
        st.html(render_facts(card))
        st.subheader("What it cannot do", anchor=False)
        st.html(render_limits(card))
    with alert:
        st.subheader("When it alerts", anchor=False)
        st.html(render_operating_point(card))
        downloads = st.container()
    show_figures(card)
    with show_errors():
        for section in get_sections(folder, card):
            if section.title not in _SHOWN_ABOVE:
                _show_section(section)
        with downloads:  # last: the PDF takes a second, for which nobody should wait to read
            _offer_downloads(folder, card)


def show_figures(card: ModelCard) -> None:
    """Show every figure with its interval, on the whole test subset or on one collection of it."""
    st.subheader("Its figures, to sort", anchor=False)
    if not card.metrics:
        st.html(render_paragraphs([describe_model(card)]))
        return
    subset = st.selectbox(
        "Measured on",
        list(card.metrics),
        format_func=name_subset,
        help="Photographs of lesions that it was not trained on: all, or one collection's.",
        width=400,
    )
    if subset is not None:
        show_table(tabulate_figures(card, subset), _FIGURE_COLUMNS)
    st.caption(
        "All figures in percent. Intervals are resampled by lesion. Undefined: no photograph of "
        "that kind was there to measure it on."
    )


def show_table(rows: list[Row], columns: Mapping[str, ColumnConfig] | None = None) -> None:
    """Show rows as a table that sorts and downloads, at its full height; nothing where empty."""
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
        ("Evidence (JSON)", document, "json", "application/json", "All that is known of it."),
        (
            "Card (Markdown)",
            write_markdown(card.model_id, sections),
            "md",
            "text/markdown",
            "This page for a repository.",
        ),
        ("Card (PDF)", get_pdf(folder, card), "pdf", "application/pdf", "This page on paper."),
    )
    with st.container(horizontal=True):
        for label, content, suffix, mime, told in files:
            st.download_button(
                label,
                data=content,
                file_name=f"{card.model_id}.{suffix}",
                mime=mime,
                on_click="ignore",
                help=told,
            )


def _show_section(section: "Section") -> None:
    st.subheader(section.title, anchor=False)
    if section.paragraphs:
        st.html(render_paragraphs(section.paragraphs))
    for table in section.tables:
        if table.rows:
            st.caption(escape_markdown(table.title))
            show_table([dict(zip(table.head, row, strict=True)) for row in table.rows])
