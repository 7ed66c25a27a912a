"""The Overview tab: classes, patients, image properties, and the mean image of each class."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.downloads import offer_table, show_figure
from dashboard.shared.markup import name_diagnosis
from dashboard.shared.progress import show_progress
from melanoma_core.taxonomy import read_label

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.data.mean_images import Means
    from melanoma_core.data.opening import OpenedFolder

_MEASURED = {
    "brightness": ("Brightness by class", "mean luma, 0 black to 1 white"),
    "contrast": ("Contrast by class", "standard deviation of luma, 0 to 0.5"),
    "sharpness": ("Sharpness by class", "variance of the Laplacian at 128 × 128 px"),
}
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
    st.subheader("Ground truth", anchor=False)
    _show_confirmations(opened.records)
    st.subheader("Patients and sources", anchor=False)
    _show_metadata(opened.records)
    st.subheader("Image properties", anchor=False)
    _show_measurements(opened.records)
    st.subheader("Mean image of each class", anchor=False)
    _show_means(opened)


def _show_classes(records: "pd.DataFrame") -> None:
    from dashboard.dataset.charts import draw_classes, draw_tiers
    from melanoma_core.data.overview import (
        count_classes,
        count_tiers,
        describe_imbalance,
        total_counts,
    )

    classes, tiers = count_classes(records), count_tiers(records)
    st.html(f"<p>{describe_imbalance(total_counts(classes))}</p>")
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
    named = counts.assign(diagnosis=[name_diagnosis(read_label(each)) for each in counts.index])
    st.dataframe(
        named, hide_index=True, column_order=["diagnosis", *counts.columns], height="content"
    )
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
    places = st.columns(2, gap="medium")
    for number, (name, (title, counts)) in enumerate(charts.items()):
        with places[number % 2]:
            show_figure(draw_values(counts, title), counts, name)
    st.caption(f"Skin tone: the Fitzpatrick type where a table gives it. {ESTIMATE_NOTE}")


def _show_measurements(records: "pd.DataFrame") -> None:
    from dashboard.dataset.charts import draw_spread, draw_values
    from melanoma_core.data.overview import count_sizes, measure_spread

    st.caption(
        "Boxes span the 25th to the 75th percentile and show the median. Whiskers span the 5th to "
        "the 95th percentile. Where classes differ here, a network can distinguish them without "
        "looking at the lesion."
    )
    places = st.columns(2, gap="medium")
    sizes = count_sizes(records)
    with places[0]:
        show_figure(draw_values(sizes, "Size (width × height, px)"), sizes, "sizes")
    for place, (column, (title, axis)) in zip(
        (places[1], places[0], places[1]), _MEASURED.items(), strict=True
    ):
        spread = measure_spread(records, column)
        with place:
            table = spread.rename_axis("diagnosis")
            show_figure(draw_spread(spread, title, axis), table, f"{column}-by-class")


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
