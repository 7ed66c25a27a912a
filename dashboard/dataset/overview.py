"""The Overview tab: classes, patients, image properties, and the mean image of each class."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.dataset.markup import render_constants, render_table
from dashboard.shared.downloads import offer_table, show_figure
from dashboard.shared.html import show_html
from dashboard.shared.markup import name_diagnosis
from dashboard.shared.progress import show_progress

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.data.mean_images import Means
    from melanoma_core.data.opening import OpenedFolder

_MEASURED = {
    "brightness": ("Brightness by class", "mean luma, 0 black to 1 white"),
    "contrast": ("Contrast by class", "standard deviation of luma, 0 to 0.5"),
    "sharpness": ("Sharpness by class", "variance of the Laplacian at 128 × 128 px"),
}
_SIZE = "Size (width × height, px)"
_METADATA = {
    "sex": "Sex",
    "site": "Anatomical site",
    "source": "Source",
}


def show_overview(opened: "OpenedFolder") -> None:
    """Show the contents of a folder, before cleaning."""
    from melanoma_core.data.overview import describe_labels

    st.html(f"<p>{describe_labels(opened.records)}</p>")
    _show_classes(opened.records)
    st.header("Ground truth", anchor=False)
    _show_confirmations(opened.records)
    st.header("Patients and sources", anchor=False)
    _show_metadata(opened.records)
    st.header("Image properties", anchor=False)
    _show_measurements(opened.records)
    st.header("Mean image of each class", anchor=False)
    _show_means(opened)


def _show_classes(records: "pd.DataFrame") -> None:
    from dashboard.dataset.charts import draw_classes, draw_tiers
    from melanoma_core.data.overview import count_labels, count_tiers, describe_labelled

    classes, tiers = count_labels(records), count_tiers(records)
    st.html(f"<p>{describe_labelled(classes)}</p>")
    if classes["total"].size < 2:  # the sentence says it
        return
    is_log = st.toggle(
        "Logarithmic axis",
        key="is-log",
        persist_state="session",
        help="Equal distances are equal ratios: small classes stay visible beside large ones.",
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        table = classes.rename_axis("diagnosis")
        show_figure(draw_classes(classes, is_log), table, "images-per-class")
    with right:
        if len(tiers) > 1:
            table = tiers.rename_axis("tier")
            show_figure(draw_tiers(tiers, is_log), table, "images-per-tier")


def _show_confirmations(records: "pd.DataFrame") -> None:
    from melanoma_core.data.overview import cross_confirmations

    counts = cross_confirmations(records)
    if counts.empty:
        st.html("<p>No table states how the diagnoses are known.</p>")
        return
    st.caption(
        "How each diagnosis is known, in images. Nevi that were only watched are easier than those "
        "that were suspicious enough to be excised. Compare metrics by confirmation."
    )
    st.html(render_table(counts))
    offer_table(counts.rename_axis("diagnosis"), "confirmations", "Confirmations as CSV")


def _show_metadata(records: "pd.DataFrame") -> None:
    from dashboard.dataset.charts import draw_values
    from melanoma_core.data.overview import count_ages, count_skin_tones, count_values
    from melanoma_core.data.skin_tone import ESTIMATE_NOTE

    charts = {
        "ages": ("Age (years)", count_ages(records)),
        **{
            f"{column}-counts": (title, count_values(records, column))
            for column, title in _METADATA.items()
        },
        "skin-tones": ("Skin tone", count_skin_tones(records)),
    }
    drawn = {name: chart for name, chart in charts.items() if len(chart[1]) > 1}
    places = st.columns(2, gap="medium")
    for number, (name, (title, counts)) in enumerate(drawn.items()):
        with places[number % 2]:
            show_figure(draw_values(counts, title), counts, name)
    show_html(render_constants(chart for name, chart in charts.items() if name not in drawn))
    st.caption(f"Skin tone: the Fitzpatrick type where a table gives it. {ESTIMATE_NOTE}")


def _show_measurements(records: "pd.DataFrame") -> None:
    from dashboard.dataset.charts import draw_spread, draw_values
    from melanoma_core.data.overview import count_sizes, measure_spread

    st.caption(
        "Boxes span the 25th to the 75th percentile and show the median. Whiskers span the 5th to "
        "the 95th percentile. Where classes differ here, a network can distinguish them without "
        "looking at the lesion."
    )
    sizes = count_sizes(records)
    charts = {"sizes": (draw_values(sizes, _SIZE), sizes)} if len(sizes) > 1 else {}
    for column, (title, axis) in _MEASURED.items():
        spread = measure_spread(records, column)
        table = spread.rename_axis("diagnosis")
        if len(spread) > 1:
            charts[f"{column}-by-class"] = draw_spread(spread, title, axis), table
    places = st.columns(2, gap="medium")
    for number, (name, (figure, table)) in enumerate(charts.items()):
        with places[number % 2]:
            show_figure(figure, table, name)
    if "sizes" not in charts:
        show_html(render_constants([(_SIZE, sizes)]))


def _show_means(opened: "OpenedFolder") -> None:
    from melanoma_core.data.mean_images import MOST_PER_CLASS

    st.caption(
        f"The mean of at most {MOST_PER_CLASS} images per class, sampled evenly. A network learns "
        "first what only one class has: a border, a colour or a vignette."
    )
    means = _get_means(opened)
    with st.container(horizontal=True, key="means"):
        for label, pixels in means.items():
            with st.container(width=150, gap="xxsmall"):
                st.image(pixels, width=150, alt=f"Mean image of {label.title}")
                st.caption(name_diagnosis(label))


def _get_means(opened: "OpenedFolder") -> "Means":
    """Return the mean images; the session keeps those of the folder that is open."""
    from melanoma_core.data.mean_images import compute_mean_images

    key, means = st.session_state.get("means", (None, {}))
    if key != opened.key:
        place = st.empty()
        with place.container():
            means = compute_mean_images(opened.records, show_progress("Averaging images"))
        place.empty()
        st.session_state["means"] = (opened.key, means)
    return means  # type: ignore[no-any-return]
