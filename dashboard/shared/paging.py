"""Show a long list one page at a time."""

from math import ceil

import streamlit as st


def choose_page(
    num_rows: int, page_length: int, key: str, *, opened: int = 0, max_visible_pages: int = 7
) -> slice:
    """Show the page selector of a list and return the rows of the chosen page.

    A list that fits on one page has no selector.

    Args:
        num_rows: Length of the list.
        page_length: Rows per page.
        key: Of the widget, unique on the page of the dashboard. A list of another number of pages
            gets a widget of its own, which starts on its first page.
        opened: Index of the row that a new widget shows.
        max_visible_pages: Page numbers shown side by side.

    Returns:
        A slice into the list.
    """
    num_pages = ceil(num_rows / page_length)
    if num_pages <= 1:
        return slice(0, page_length)
    page = st.pagination(
        num_pages,
        default=opened // page_length + 1,
        key=f"{key}-{num_pages}",
        max_visible_pages=max_visible_pages,
    )
    return slice((page - 1) * page_length, page * page_length)
