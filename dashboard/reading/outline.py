"""The lines over a photograph: outline and contours of the heatmap; measures of the outline."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.markup import escape_markdown

if TYPE_CHECKING:  # the page is painted before NumPy is imported
    from melanoma_core.reading.reading import Reading


def choose_outline(reading: "Reading") -> bool:
    """Return whether a person wants to see the outline; False if the reading has none."""
    if reading.outline is None:
        return False
    return st.checkbox(
        "Show outline",
        key="show-outline",
        persist_state="session",
        help="The border of the lesion as the model draws it: a light line inside, a dark line "
        "outside.",
    )


def choose_levels() -> bool:
    """Return whether a person wants contour lines of the heatmap instead of its tint."""
    return st.checkbox(
        "Contour lines",
        key="show-levels",
        persist_state="session",
        help="Lines where the heatmap reaches 25%, 50% and 75% of full strength, instead of a "
        "tint. The colours of the photograph stay as they are.",
    )


def show_measures(reading: "Reading") -> None:
    """Show the measures of the outline, closed at first; nothing if the reading has none."""
    from melanoma_core.reading.outline_text import NO_VERDICT, describe_measures

    measures = reading.outline_measures
    if measures is None:
        return
    with st.expander("Measures of the outline"), st.container(gap="xxsmall"):
        st.caption(" ".join(filter(None, (measures.missing, NO_VERDICT))))
        lines = st.container(gap="xxsmall")
        width = st.number_input(
            "Width of what the photograph shows, in mm",
            min_value=0.1,
            value=None,
            key="photograph-width",
            persist_state="session",
            help="If you know it, for example from a ruler or your dermoscope, the diameter is "
            "also given in millimetres.",
        )
        for each in describe_measures(measures, (reading.height, reading.width), width):
            lines.markdown(f"{each.title}: **{escape_markdown(each.value)}**", help=each.definition)
