"""Show a long list one page at a time."""

from collections.abc import Sequence
from math import ceil

import streamlit as st

from dashboard.shared.address import follow_address, write_address


def choose_page(  # noqa: PLR0913
    num_rows: int,
    page_length: int,
    key: str,
    *,
    opened: int = 0,
    max_visible_pages: int = 7,
    parameter: str = "",
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
        parameter: In the address, which then has the number of the page; empty for none.

    Returns:
        A slice into the list.
    """
    num_pages = ceil(num_rows / page_length)
    if num_pages <= 1:
        return slice(0, page_length)
    widget = _name_pages(num_rows, page_length, key)
    first = opened // page_length + 1
    if parameter:
        follow_address(parameter, widget, first, range(1, num_pages + 1))
    page = st.pagination(
        num_pages,
        default=first,
        key=widget,
        max_visible_pages=max_visible_pages,
    )
    if parameter:
        write_address(parameter, widget, 1)
    return slice((page - 1) * page_length, page * page_length)


def open_page_of(row: int, num_rows: int, page_length: int, key: str) -> None:
    """Let the page selector of a list show the page of a row next time.

    Args:
        row: Index of the row.
        num_rows: As in `choose_page`.
        page_length: As in `choose_page`.
        key: As in `choose_page`.
    """
    st.session_state[_name_pages(num_rows, page_length, key)] = row // page_length + 1


def find_neighbours(order: Sequence[str], name: str) -> tuple[int, str | None, str | None]:
    """Return the place of an item in a list, counted from 1, the item before and that after.

    >>> find_neighbours(["a", "b"], "b")
    (2, 'a', None)
    >>> find_neighbours(["a", "b"], "elsewhere")
    (0, None, None)
    """
    if name not in order:
        return 0, None, None
    index = order.index(name)
    before = order[index - 1] if index else None
    return index + 1, before, order[index + 1] if index + 1 < len(order) else None


def _name_pages(num_rows: int, page_length: int, key: str) -> str:
    return f"{key}-{ceil(num_rows / page_length)}"
