"""A figure with its table: each can be taken along, the one as a picture, the other as CSV."""

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


def show_figure(figure: "go.Figure", table: "pd.DataFrame", name: str) -> None:
    """Show a figure; its camera saves it as a picture, the button below saves its table.

    Args:
        figure: As `charts` draws it.
        table: What it was drawn from.
        name: Of the files, without suffix, and of the widgets: unique on the page.
    """
    show_chart(figure, name)
    offer_table(table, name, f"{figure.layout.title.text} as CSV")


def show_chart(figure: "go.Figure", name: str) -> None:
    """Show a figure with its camera alone, under a name that is unique on the page."""
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
    """Offer a table as CSV, its index as the first column where that has a name."""
    st.download_button(
        label,
        # No callable: Streamlit forgets it when the page runs again, and a click finds nothing.
        data=encode_table(table),
        file_name=f"{name}.csv",
        mime="text/csv",
        on_click="ignore",
        key=f"download-{name}",
        type="tertiary",
    )


def encode_table(table: "pd.DataFrame") -> bytes:
    """Return a table as CSV; file names that are no UTF-8 come back as they were."""
    text = table.to_csv(index=table.index.name is not None)
    return text.encode("utf-8", "surrogateescape")
