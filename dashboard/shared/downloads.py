"""Charts and tables with their downloads: a chart as an image, a table as CSV."""

from typing import TYPE_CHECKING

import streamlit as st

from melanoma_core.spreadsheets import format_table

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


def show_figure(figure: "go.Figure", table: "pd.DataFrame", name: str) -> None:
    """Show a chart with a camera button for the image and a button for its table.

    Args:
        figure: The chart.
        table: The values it shows.
        name: Of the files, without suffix, and of the widgets; unique on the page.
    """
    show_chart(figure, name)
    offer_table(table, name, f"{figure.layout.title.text} as CSV")


def show_chart(figure: "go.Figure", name: str) -> None:
    """Show a chart with a camera button only.

    Args:
        figure: The chart.
        name: Of the image file, without suffix, and of the widget; unique on the page.
    """
    st.plotly_chart(
        figure,
        key=f"chart-{name}",
        theme="streamlit",
        alt=figure.layout.title.text,
        config={
            "displaylogo": False,
            "displayModeBar": True,
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {"filename": name, "scale": 2},
        },
    )


def offer_table(table: "pd.DataFrame", name: str, label: str) -> None:
    """Offer a table as CSV.

    Args:
        table: A named index becomes the first column.
        name: Of the file, without suffix, and of the widget; unique on the page.
        label: Of the button.
    """
    st.download_button(
        label,
        # Bytes, not a callable: Streamlit drops the callable's file when the page runs again.
        data=format_table(table),
        file_name=f"{name}.csv",
        mime="text/csv",
        on_click="ignore",
        key=f"download-{name}",
        type="tertiary",
    )
