"""The card of a model: what it is for, what it achieved, what it was made from.

It is that of the model that reads, unless the address names another (`?model=`).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard.errors import shown_errors
from dashboard.frame import open_page
from dashboard.markup import render_facts, render_limits, render_operating_point
from dashboard.resources import get_card
from melanoma_core.models.card import ModelCard
from melanoma_core.models.tables import (
    Row,
    tabulate_decisions,
    tabulate_figures,
    tabulate_labels,
    tabulate_recipe,
    tabulate_sizes,
    tabulate_sources,
    tabulate_versions,
)
from melanoma_core.models.wording import UNDEFINED, name_subset

_FIGURE_COLUMNS = dict.fromkeys(
    ("Value", "95% from", "95% to"), st.column_config.NumberColumn(format="%.1f%%")
) | {"Count": st.column_config.TextColumn(alignment="right")}


def show_card(card: ModelCard) -> None:
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
        st.download_button(
            "Download the card",
            data=json.dumps(asdict(card), indent=2, ensure_ascii=False),
            file_name=f"{card.model_id}.json",
            mime="application/json",
            on_click="ignore",
            help="Everything on this page, as JSON.",
        )
    show_figures(card)
    show_origin(card)


def show_figures(card: ModelCard) -> None:
    """Show every figure with its interval, on the whole test subset or on one collection of it."""
    st.subheader("What it achieved", anchor=False)
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


def show_origin(card: ModelCard) -> None:
    """Show the data, the recipe and the libraries that it was made from."""
    st.subheader("What it was made from", anchor=False)
    labels, sources = st.columns(2, gap="medium")
    with labels:
        show_table(tabulate_labels(card))
    with sources:
        show_table(tabulate_sizes(card))
        show_table(tabulate_sources(card))
        show_table(tabulate_decisions(card))
    recipe, versions = st.columns(2, gap="medium")
    with recipe:
        show_table(tabulate_recipe(card))
    with versions:
        show_table(tabulate_versions(card))


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


open_page("Model")
with shown_errors():
    show_card(get_card(st.query_params.get("model")))
