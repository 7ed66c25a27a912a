"""Charts and tables with their downloads, and files of a record, which its audit log notes."""

from collections.abc import Callable
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.access import find_subject
from melanoma_core.access.subject import acting_as
from melanoma_core.spreadsheets import format_table

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


_SAVE_CHART = Path(__file__).with_name("save_chart.js").read_text("utf-8")


def show_figure(figure: "go.Figure", table: "pd.DataFrame", name: str) -> None:
    """Show a chart with one menu of downloads: PNG, SVG, and CSV of its table.

    Args:
        figure: The chart.
        table: The values it shows.
        name: Of the files, without suffix, and of the widgets; unique on the page.
    """
    title = figure.layout.title.text
    with st.container(key=f"figure-{name}", gap="xxsmall"):
        st.plotly_chart(
            figure,
            key=f"chart-{name}",
            theme="streamlit",
            alt=title,
            config={"displayModeBar": False},
        )
        with st.popover(
            "Download", type="tertiary", help=f"{title}: PNG, SVG or CSV", key=f"menu-{name}"
        ):
            # Only the browser has drawn the chart, so that it makes the images.
            mount = st.components.v2.component("save-chart", js=_SAVE_CHART, isolate_styles=False)
            mount(key=f"save-{name}", data={"name": name}, height="content")
            st.download_button(
                "CSV",
                data=format_table(table),
                file_name=f"{name}.csv",
                mime="text/csv",
                on_click="ignore",
                key=f"download-{name}",
                width="stretch",
            )


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


@dataclass(frozen=True)
class Export:
    """A file that leaves a record.

    Attributes:
        file_name: With its suffix.
        make: Makes the file after a click, outside of the page's run.
        log: Writes the entry of the audit log, or raises; then no file leaves.
    """

    file_name: str
    make: Callable[[], bytes | str]
    log: Callable[[], None]


def offer_export(
    label: str, export: Export, *, key: str, help_: str | None = None, is_primary: bool = False
) -> None:
    """Offer a file of a record: the audit log notes it before the browser gets it.

    Args:
        label: Of the button.
        export: The file.
        key: Of the widget, unique on the page.
        help_: Shown beside the pointer.
        is_primary: Whether it is the main button of its place.
    """
    subject = find_subject()  # who clicks: the file is made outside of the page's run

    def make() -> bytes | str:
        with acting_as(subject):
            content = export.make()
            export.log()
            return content

    st.download_button(
        label,
        data=make,
        file_name=export.file_name,
        mime=guess_type(export.file_name)[0],
        on_click="ignore",
        key=key,
        type="primary" if is_primary else "secondary",
        help=help_,
    )
