"""The Card tab: the model card in parts, one at a time, with its downloads."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard.models.cached_models import get_evidence, get_pdf, get_sections
from dashboard.models.markup import render_answers
from dashboard.models.summary import show_charts, show_headline, show_purpose
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.diagram import render_diagram
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown, render_paragraphs
from melanoma_core.evaluation.subsets import find_headline
from melanoma_core.jsonable import dump_json
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import UNDEFINED
from melanoma_core.models.card_text.section import Title
from melanoma_core.models.card_text.tables import Row, tabulate_figures
from melanoma_core.models.card_text.wording import name_subset

if TYPE_CHECKING:
    from melanoma_core.models.card_text.section import Section

_SUMMARY, _PERFORMANCE = "Summary", "Performance"
# The sections of each part. The summary shows intended use and alerts in another layout.
PARTS = {
    _SUMMARY: (Title.USE, Title.ALERT),
    _PERFORMANCE: (Title.FLOW, Title.PERFORMANCE, Title.CLASSES),
    "Subgroups": (Title.SUBGROUPS,),
    "Reliability": (Title.SETS, Title.NOVELTY, Title.ROBUSTNESS, Title.OUTLINE, Title.HEATMAPS),
    "Data and training": (
        *(Title.DETAILS, Title.DATA, Title.LEAKAGE),
        *(Title.TRAINING, Title.REPRODUCTION),
    ),
    "Reporting checklists": (Title.CHECKLISTS,),
}
_PART, _PART_KEY = "part", "card-part"  # in the address, and of the widget
_SUBSET, _SUBSET_KEY = "subset", "card-subset"
_MOST_ROWS, _TABLE_HEIGHT = 20, 480  # shown at once; px, of a longer table
_FIGURE_COLUMNS = dict.fromkeys(
    ("Value", "95% CI from", "95% CI to"), st.column_config.NumberColumn(format="%.1f%%")
) | {"Count": st.column_config.TextColumn(alignment="right")}


def show_card(folder: Path, card: ModelCard) -> None:
    """Show the chosen part of a model card; the first has the most important facts."""
    part = _choose_part()
    if part == _SUMMARY:
        _show_summary(folder, card)
        return
    if part == _PERFORMANCE:
        _show_metrics(card)
    with show_errors():
        for section in get_sections(folder, card):
            if section.title in PARTS[part]:
                _show_section(section)


def _choose_part() -> str:
    follow_address(_PART, _PART_KEY, _SUMMARY, PARTS)
    part = st.segmented_control(
        "Part of the model card",
        list(PARTS),
        key=_PART_KEY,
        required=True,
        label_visibility="collapsed",
    )
    write_address(_PART, _PART_KEY, _SUMMARY)
    return part or _SUMMARY


def _show_summary(folder: Path, card: ModelCard) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        subset = _choose_subset(card)
        downloads = st.container(width="content")
    show_headline(card, subset)
    charts = st.container()
    show_purpose(card)
    with show_errors():
        evidence = get_evidence(folder, card)
        if evidence and subset in evidence.evaluations:
            with charts:
                show_charts(evidence.evaluations[subset])
        with downloads:  # last, since the PDF takes a second
            _offer_downloads(folder, card)


def _choose_subset(card: ModelCard) -> str | None:
    """Let a person choose on which test images metrics are shown; None if there are none."""
    if not card.metrics:
        return None
    default = find_headline(card.metrics)
    follow_address(_SUBSET, _SUBSET_KEY, default, card.metrics)
    subset = st.selectbox(
        "Evaluated on",
        list(card.metrics),
        format_func=name_subset,
        key=_SUBSET_KEY,
        help="Held-out images of lesions not seen in training: all of them, those confirmed by "
        "histopathology, or one collection.",
        width=400,
    )
    write_address(_SUBSET, _SUBSET_KEY, default)
    return subset


def _show_metrics(card: ModelCard) -> None:
    st.header("Metrics", anchor=False)
    subset = _choose_subset(card)
    show_headline(card, subset)
    if subset is None:
        return
    show_table(tabulate_figures(card, subset), _FIGURE_COLUMNS)
    st.caption(
        "In percent, with 95% CI resampled by lesion. Undefined: the subset has no image for the "
        "metric, or the metric counts lesions and not photographs."
    )


def show_table(rows: list[Row], columns: Mapping[str, ColumnConfig] | None = None) -> None:
    """Show rows, if there are any, as a sortable table; a long one scrolls."""
    if rows:
        st.dataframe(
            rows,
            hide_index=True,
            height="content" if len(rows) <= _MOST_ROWS else _TABLE_HEIGHT,
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
            "All parts for a repository.",
        ),
        ("Card (PDF)", get_pdf(folder, card), "pdf", "application/pdf", "All parts for printing."),
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
    st.header(section.title, anchor=False)
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
