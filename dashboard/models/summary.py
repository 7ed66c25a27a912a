"""The first part of a model card: tiles, charts, intended use, limitations and alerts."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.models.markup import render_facts, render_operating_point
from dashboard.shared.downloads import show_chart
from dashboard.shared.html import show_html
from dashboard.shared.markup import render_limits, render_paragraphs
from dashboard.shared.tiles import render_tiles
from melanoma_core.evaluation.rules import SKIN_CANCER
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.section import Title
from melanoma_core.models.card_text.wording import describe_model

if TYPE_CHECKING:
    from melanoma_core.evaluation.evaluation import Evaluation


def show_headline(card: ModelCard, subset: str | None) -> None:
    """Show the headline metrics of a subset as tiles, or why there are none."""
    if subset is None:
        st.html(render_paragraphs([describe_model(card)]))
    else:
        show_html(render_tiles(card.metrics[subset]))


def show_charts(evaluation: "Evaluation") -> None:
    """Show ROC, calibration and confusion of a subset, as far as they are known."""
    from dashboard.shared.curves import (
        draw_calibration,
        draw_measured_confusion,
        draw_roc,
        has_curve,
    )

    melanoma = evaluation.class_names[evaluation.melanoma_index]
    figures = {
        f"roc-{name}": draw_roc(evaluation, name)
        for name in (melanoma, SKIN_CANCER)
        if has_curve(evaluation, name)
    }
    if evaluation.calibration:
        figures["calibration"] = draw_calibration(evaluation)
    figures["confusion"] = draw_measured_confusion(evaluation)
    columns = [*st.columns(2, gap="medium"), *st.columns(2, gap="medium")]
    for column, (name, figure) in zip(columns, figures.items(), strict=False):
        with column:
            show_chart(figure, name)


def show_purpose(card: ModelCard) -> None:
    """Show intended use, limitations and alerts, side by side."""
    purpose, alert = st.columns(2, gap="medium")
    with purpose:
        st.header("Intended use", anchor=False)
        st.html(render_facts(card))
        st.header("Limitations", anchor=False)
        st.html(render_limits(card))
    with alert:
        st.header(Title.ALERT, anchor=False)
        st.html(render_operating_point(card))
