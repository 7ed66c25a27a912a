"""The results of an evaluation: a summary, then metrics, curves, diagnoses and subgroups."""

from enum import StrEnum
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.address import follow_address, write_address
from dashboard.shared.downloads import offer_table, show_chart
from dashboard.shared.html import show_html
from dashboard.shared.markup import escape_markdown, name_diagnosis, render_paragraphs
from dashboard.shared.prevalence import get_prevalence
from dashboard.shared.tiles import render_tiles
from melanoma_core.evaluation.rules import SKIN_CANCER
from melanoma_core.jsonable import dump_json
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.alerts import describe_alerts, describe_lesions
from melanoma_core.models.card_text.formats import format_figure
from melanoma_core.models.card_text.prevalence import find_alert_figures
from melanoma_core.models.card_text.wording import describe_model, name_figure, name_subset
from melanoma_core.taxonomy import parse_diagnosis

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from melanoma_core.assessment.assessment import Assessment
    from melanoma_core.evaluation.evaluation import Evaluation
    from melanoma_core.evaluation.figure import Figure

_TAB, _PART_KEY = "part", "results-part"


class _Part(StrEnum):
    """The parts of the results; the values are labels and stand in the address."""

    ALERTS = "Alerts and metrics"
    CURVES = "Curves"
    DIAGNOSES = "Diagnoses"
    SUBGROUPS = "Subgroups"


_CLINIC_NOTE = (
    "At the prevalence in your clinic. PPV and NPV follow from sensitivity and specificity by "
    "Bayes' rule, if the lesions of each kind look like those of the evaluation."
)
_IMAGES_NOTE = (
    "At the prevalence among these images. Set that of your clinic in the sidebar to see what the "
    "alerts mean there."
)


def show_card_metrics(card: ModelCard) -> None:
    """Show the metrics of a model card, on the held-out test set of the model."""
    st.header("Held-out test set of the model", anchor=False)
    st.html(render_paragraphs([f"{card.model_id}: {describe_model(card)}"]))
    figures = find_alert_figures(card)
    show_html(render_tiles(figures))
    if figures.keys() >= {"sensitivity", "specificity"}:
        _show_prevalence(figures)
    with st.expander("How the alerts were chosen, and how often each is right"):
        st.html(render_paragraphs([*describe_alerts(card), describe_lesions(card)]))
    if figures:
        with st.expander("All metrics of the model card"):
            _show_card_table(card)
    st.page_link(
        "models/page.py",
        label="Model card",
        width="content",
        query_params={"model": card.model_id},
    )


def _show_prevalence(figures: "Mapping[str, Figure]") -> None:
    """Show the predictive values of both alerts at the clinic's prevalence, else at the images'."""
    import pandas as pd

    from melanoma_core.models.card_text.prevalence import (
        MELANOMA,
        SKIN_CANCER,
        describe_alert,
        measure_share,
        predict_alert,
    )

    clinic = get_prevalence()
    rows: dict[str, Figure] = {}
    for kind in (MELANOMA, SKIN_CANCER):
        share = kind.find_share(clinic) if clinic else measure_share(figures, kind)
        show_html(render_paragraphs([describe_alert(figures, kind, share)]))
        values = predict_alert(figures, kind, share)
        if values is not None:
            name = kind.name.capitalize()
            rows |= {
                f"{name}: PPV": values.ppv,
                f"{name}: NPV": values.npv,
                f"{name}: alert rate": values.alert_rate,
                f"{name}: sensitivity": figures[f"{kind.prefix}sensitivity"],
                f"{name}: specificity": figures[f"{kind.prefix}specificity"],
            }
    if rows:
        table = pd.DataFrame(
            {"At the alert threshold": name, "Value (95% CI)": format_figure("", figure)}
            for name, figure in rows.items()
        )
        st.dataframe(table, hide_index=True, height="content")
    st.caption(_CLINIC_NOTE if clinic else _IMAGES_NOTE)


def show_assessment(assessment: "Assessment") -> None:
    """Show the evaluation of a model on a folder."""
    import pandas as pd

    from melanoma_core.assessment.tables import describe_assessment

    st.header(f"Evaluation on {escape_markdown(assessment.folder)}", anchor=False)
    st.html(render_paragraphs(describe_assessment(assessment)))
    _offer_downloads(assessment)
    if assessment.unreadable:
        with st.expander(f"{len(assessment.unreadable):,} unreadable files"):
            table = pd.DataFrame(assessment.unreadable.items(), columns=["File", "Reason"])
            st.dataframe(table, hide_index=True)
            offer_table(table, "unreadable", "Unreadable files as CSV")
    evaluation = _choose_part(assessment)
    show_html(render_tiles(evaluation.figures))
    _show_parts(assessment, evaluation)


def _show_parts(assessment: "Assessment", evaluation: "Evaluation") -> None:
    """Show the part of the results that is chosen; its name is in the address."""
    parts = [part.value for part in _Part]
    follow_address(_TAB, _PART_KEY, parts[0], parts)
    part = st.segmented_control(
        "Part of the results",
        parts,
        key=_PART_KEY,
        required=True,
        label_visibility="collapsed",
    )
    write_address(_TAB, _PART_KEY, parts[0])
    if part == _Part.ALERTS:
        _show_prevalence(evaluation.figures)
        _show_main(assessment)
    elif part == _Part.CURVES:
        _show_curves(evaluation)
    elif part == _Part.DIAGNOSES:
        _show_classes(assessment, evaluation)
    else:
        _show_slices(assessment, evaluation)
        _show_confirmed(assessment, evaluation)


def _choose_part(assessment: "Assessment") -> "Evaluation":
    parts = assessment.parts
    if len(parts) == 1:
        return assessment.evaluation
    chosen = st.radio(
        "Images",
        list(parts),
        format_func=lambda part: f"{part} ({parts[part].num_images:,})",
        key="measured-part",
        horizontal=True,
        help="Applies to the alerts, curves and tables below. What was never biopsied looks "
        "harmless. A network trained on this folder has seen relatives of the related images.",
    )
    return parts[chosen or next(iter(parts))]


def _show_main(assessment: "Assessment") -> None:
    import pandas as pd

    from melanoma_core.assessment.tables import tabulate_main

    st.subheader("Metrics", anchor=False)
    table = pd.DataFrame(tabulate_main(assessment))
    st.dataframe(table, hide_index=True, height="content")
    _offer_table(assessment, table, "figures", "Metrics as CSV")
    st.caption(
        "In parentheses: 95% CI, resampled by lesion. Undefined: there is no image for the metric."
    )


def _show_curves(evaluation: "Evaluation") -> None:
    from dashboard.shared.curves import (
        draw_calibration,
        draw_net_benefit,
        draw_precision_recall,
        draw_roc,
        has_curve,
    )

    st.subheader("Curves", anchor=False)
    class_name = st.selectbox(
        "Diagnosis (one against the rest)",
        [name for name in (*evaluation.class_names, SKIN_CANCER) if has_curve(evaluation, name)],
        format_func=_name_class,
        key="measured-class",
        width=400,
    )
    if class_name is not None:
        left, right = st.columns(2, gap="medium")
        with left:
            show_chart(draw_roc(evaluation, class_name), "roc")
        with right:
            show_chart(draw_precision_recall(evaluation, class_name), "precision-recall")
    if not evaluation.calibration:
        return  # it is not known which images show a melanoma
    left, right = st.columns(2, gap="medium")
    with left:
        show_chart(draw_calibration(evaluation), "calibration")
    with right:
        show_chart(draw_net_benefit(evaluation), "net-benefit")
        st.caption(
            "Excising lesions at a probability of 10% or more values one melanoma found as much as "
            "nine unnecessary excisions avoided. The model is useful where its curve lies above "
            "both reference lines."
        )


def _show_classes(assessment: "Assessment", evaluation: "Evaluation") -> None:
    import pandas as pd

    from dashboard.shared.curves import draw_measured_confusion
    from melanoma_core.assessment.tables import tabulate_classes

    rows = tabulate_classes(evaluation)
    if not rows:
        return
    st.subheader("Diagnoses", anchor=False)
    table = pd.DataFrame(rows)
    st.dataframe(table, hide_index=True, height="content")
    _offer_table(assessment, table, "diagnoses", "Diagnoses as CSV")
    show_chart(draw_measured_confusion(evaluation), "measured-confusion")


def _show_slices(assessment: "Assessment", evaluation: "Evaluation") -> None:
    import pandas as pd

    from melanoma_core.assessment.tables import describe_slices, tabulate_slices

    st.subheader("Subgroups", anchor=False)
    if not evaluation.slices:
        st.html("<p>The folder's tables give no age, sex, site, source or confirmation.</p>")
        return
    table = pd.DataFrame(tabulate_slices(evaluation))
    st.dataframe(table, hide_index=True, height="content")
    _offer_table(assessment, table, "slices", "Subgroups as CSV")
    for note in describe_slices(evaluation):
        st.caption(note)


def _show_confirmed(assessment: "Assessment", evaluation: "Evaluation") -> None:
    import pandas as pd

    from melanoma_core.assessment.tables import CONFIRMED_NOTE
    from melanoma_core.models.card_text.tables import tabulate_confirmed

    if not evaluation.confirmed:
        return
    st.subheader("Alerts by diagnosis and confirmation", anchor=False)
    table = pd.DataFrame(tabulate_confirmed(evaluation))
    st.dataframe(table, hide_index=True, height="content")
    _offer_table(assessment, table, "confirmations", "Alerts by confirmation as CSV")
    st.caption(CONFIRMED_NOTE)


def _show_card_table(card: ModelCard) -> None:
    import pandas as pd

    columns = {
        name_subset(subset): {name: format_figure(name, figure) for name, figure in figures.items()}
        for subset, figures in card.metrics.items()
    }
    table = pd.DataFrame(columns).rename(index=name_figure).rename_axis("Metric").reset_index()
    st.dataframe(table, hide_index=True, height="content")


def _offer_downloads(assessment: "Assessment") -> None:
    st.download_button(
        "Evaluation (JSON)",
        data=dump_json(assessment, indent=2, ensure_ascii=True),
        file_name=f"evaluation-{assessment.model_id}.json",
        mime="application/json",
        on_click="ignore",
        help="All metrics, curves and subgroups, as `evaluate --json` prints them.",
    )


def _offer_table(assessment: "Assessment", table: "pd.DataFrame", name: str, label: str) -> None:
    """Offer a table of an evaluation; each of its rows says with what it was made."""
    from melanoma_core.assessment.tables import describe_origin

    offer_table(table.assign(**describe_origin(assessment)), name, label)


def _name_class(name: str) -> str:
    if name == SKIN_CANCER:
        return "any skin cancer"
    diagnosis = parse_diagnosis(name)
    return name_diagnosis(diagnosis) if diagnosis else name
