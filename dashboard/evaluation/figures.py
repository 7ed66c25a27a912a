"""What was measured of a model: in words first, then curves, classes and slices."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.downloads import offer_table, show_chart
from dashboard.shared.markup import name_diagnosis, render_paragraphs
from melanoma_core.jsonable import dump_json
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import format_figure
from melanoma_core.models.card_text.wording import (
    describe_frequencies,
    describe_model,
    describe_sensitivity,
    describe_specificity,
    name_figure,
    name_subset,
)
from melanoma_core.taxonomy import parse_diagnosis

if TYPE_CHECKING:
    from melanoma_core.assessment.assessment import Assessment
    from melanoma_core.evaluation.evaluation import Evaluation
    from melanoma_core.evaluation.figure import Figure

_ALL, _NEWS = "All photographs that were read", "Those without a relative in the folder's train"


def show_card_figures(card: ModelCard) -> None:
    """Show what a model's card says of the lesions that were held out when it was made."""
    st.subheader("On the lesions held out when it was made", anchor=False)
    st.html(
        render_paragraphs(
            [
                f"{card.model_id}: {describe_model(card)}",
                describe_frequencies(card),
                describe_sensitivity(card),
                describe_specificity(card),
            ]
        )
    )
    figures = card.metrics.get("test", {})
    if figures:
        show_prevalence(figures, "card")
        with st.expander("All figures of its card"):
            _show_card_table(card)
    st.page_link("models/page.py", label="Its whole card", width="content")


def show_prevalence(figures: "dict[str, Figure]", key: str) -> None:
    """Show what the alerts mean at a prevalence that a person sets.

    Args:
        figures: With "sensitivity" and "specificity".
        key: Unique on the page.
    """
    import pandas as pd

    from melanoma_core.assessment.tables import describe_prevalence
    from melanoma_core.evaluation.alerts import predict_values
    from melanoma_core.models.card_text.formats import format_figure

    percent = st.slider(
        "Melanomas among the lesions of your own clinic, %",
        0.5,
        50.0,
        5.0,
        0.5,
        format="%.1f%%",
        key=f"prevalence-{key}",
        persist_state="session",
        help="What an alert means depends on how frequent melanoma is where it is raised. "
        "Sensitivity and specificity are carried over by Bayes' rule, which holds where your "
        "lesions look like the ones it was measured on.",
    )
    st.html(render_paragraphs([describe_prevalence(figures, percent / 100)]))
    values = predict_values(figures["sensitivity"], figures["specificity"], percent / 100)
    rows = {
        "Melanomas among the alerts (PPV)": values.ppv,
        "Other lesions among those without one (NPV)": values.npv,
        "Lesions alerted on": values.alert_rate,
        "Sensitivity": figures["sensitivity"],
        "Specificity": figures["specificity"],
    }
    table = pd.DataFrame(
        {"At the alert's threshold": name, "Figure, 95% interval": format_figure("", figure)}
        for name, figure in rows.items()
    )
    st.dataframe(table, hide_index=True, height="content")


def show_assessment(assessment: "Assessment") -> None:
    """Show all that was measured on a folder."""
    from melanoma_core.assessment.tables import describe_assessment

    st.subheader(f"On {assessment.folder}", anchor=False)
    st.html(render_paragraphs(describe_assessment(assessment)))
    _offer_downloads(assessment)
    if assessment.unreadable:
        with st.expander(f"{len(assessment.unreadable):,} files that cannot be read"):
            rows = [{"File": name, "Why": why} for name, why in assessment.unreadable.items()]
            st.dataframe(rows, hide_index=True)
    evaluation = _choose_part(assessment)
    show_prevalence(evaluation.figures, "measured")
    _show_main(assessment)
    _show_curves(evaluation)
    _show_classes(evaluation)
    _show_slices(evaluation)


def _choose_part(assessment: "Assessment") -> "Evaluation":
    news = assessment.without_relatives
    if news is None:
        return assessment.evaluation
    part = st.radio(
        "Curves and tables below are of",
        [f"{_ALL} ({assessment.evaluation.num_images:,})", f"{_NEWS} ({news.num_images:,})"],
        key="measured-part",
        help="A network that was trained on this folder has met the relatives.",
    )
    return news if part.startswith(_NEWS) else assessment.evaluation


def _show_main(assessment: "Assessment") -> None:
    import pandas as pd

    from melanoma_core.assessment.tables import tabulate_main

    st.subheader("Figures", anchor=False)
    table = pd.DataFrame(tabulate_main(assessment))
    st.dataframe(table, hide_index=True, height="content")
    offer_table(table, "figures", "Figures as CSV")
    st.caption(
        "95% intervals in brackets, resampled by lesion. Undefined: no photograph of that kind was "
        "there."
    )


def _show_curves(evaluation: "Evaluation") -> None:
    from dashboard.evaluation.charts import (
        draw_calibration,
        draw_net_benefit,
        draw_precision_recall,
        draw_roc,
    )

    st.subheader("Curves", anchor=False)
    class_name = st.selectbox(
        "Diagnosis against the rest",
        [name for name in evaluation.class_names if evaluation.roc[name].x],
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
    left, right = st.columns(2, gap="medium")
    with left:
        show_chart(draw_calibration(evaluation), "calibration")
    with right:
        show_chart(draw_net_benefit(evaluation), "net-benefit")
        st.caption(
            "A lesion cut out from a probability of 10% on means: one melanoma found is worth nine "
            "needless excisions. A line above both others is worth following there."
        )


def _show_classes(evaluation: "Evaluation") -> None:
    import pandas as pd

    from dashboard.shared.charts import draw_confusion
    from melanoma_core.assessment.tables import tabulate_classes

    st.subheader("Each diagnosis", anchor=False)
    table = pd.DataFrame(tabulate_classes(evaluation))
    st.dataframe(table, hide_index=True, height="content")
    offer_table(table, "diagnoses", "Diagnoses as CSV")
    names = list(evaluation.class_names)
    counts = pd.DataFrame(evaluation.confusion, pd.Index(names, name="label"), names)
    show_chart(draw_confusion(counts, "What each diagnosis was read as"), "measured-confusion")


def _show_slices(evaluation: "Evaluation") -> None:
    import pandas as pd

    from melanoma_core.assessment.tables import SLICES_NOTE, tabulate_slices

    st.subheader("On whom", anchor=False)
    if not evaluation.slices:
        st.html("<p>The folder's tables tell neither age, sex, site nor source.</p>")
        return
    table = pd.DataFrame(tabulate_slices(evaluation))
    st.dataframe(table, hide_index=True, height="content")
    offer_table(table, "slices", "Slices as CSV")
    st.caption(SLICES_NOTE)


def _show_card_table(card: ModelCard) -> None:
    import pandas as pd

    columns = {
        name_subset(subset): {name: format_figure(name, figure) for name, figure in figures.items()}
        for subset, figures in card.metrics.items()
    }
    table = pd.DataFrame(columns).rename(index=name_figure).rename_axis("Figure").reset_index()
    st.dataframe(table, hide_index=True, height="content")


def _offer_downloads(assessment: "Assessment") -> None:
    st.download_button(
        "Download everything as JSON",
        data=dump_json(assessment, indent=2, ensure_ascii=True),
        file_name=f"evaluation-{assessment.model_id}.json",
        mime="application/json",
        on_click="ignore",
        help="All figures, curves and slices, as `evaluate --json` prints them.",
    )


def _name_class(name: str) -> str:
    diagnosis = parse_diagnosis(name)
    return name_diagnosis(diagnosis) if diagnosis else name
