"""Which two photographs are compared; their ids are in the address."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.html import show_html
from dashboard.shared.markup import render_paragraphs

if TYPE_CHECKING:
    from melanoma_core.records.comparing import Dated

FIRST, SECOND = "first", "second"
"""Parameters of the address: ids of the two photographs."""

Pair = tuple["Dated", "Dated"]


def choose_photographs(opened: OpenedLesion) -> Pair | None:
    """Choose two photographs, by default the two most recent of one kind.

    Returns:
        The earlier and the later one; None if there are none to compare.
    """
    from melanoma_core.records.comparing import choose_pair, list_dated, sort_pair

    dated = list_dated(opened.case)
    pair = choose_pair(dated)
    if pair is None:
        st.html("<p>Two photographs of this lesion are needed. Add them in the timeline.</p>")
        return None
    known = {each.entry.id: each for each in dated}
    titles = {each.entry.id: _number(each, dated) for each in dated}
    with st.container(horizontal=True, gap="small", key="compare-choice"):
        chosen = [
            _choose(label, parameter, default.entry.id, titles)
            for label, parameter, default in zip(
                ("First photograph", "Second photograph"), (FIRST, SECOND), pair, strict=True
            )
        ]
    if chosen[0] == chosen[1]:
        st.html("<p>Both are the same photograph. Choose two different ones.</p>")
        return None
    earlier, later = sort_pair(known[chosen[0]], known[chosen[1]])
    show_html(render_paragraphs(_warn(earlier, later)))
    return earlier, later


def _number(dated: "Dated", among: "tuple[Dated, ...]") -> str:
    """Return the title of a photograph, with a number if others say the same."""
    title = title_photograph(dated)
    alike = [each.entry.id for each in among if title_photograph(each) == title]
    return title if len(alike) == 1 else f"{title}, no. {alike.index(dated.entry.id) + 1}"


def title_photograph(dated: "Dated") -> str:
    """Return day, kind and device of a photograph."""
    from melanoma_core.records.dates import write_day

    photograph = dated.entry.value
    return ", ".join(filter(None, (write_day(dated.on), photograph.kind.value, photograph.device)))


def _choose(label: str, parameter: str, default: str, titles: dict[str, str]) -> str:
    key = f"compare-{parameter}"
    follow_address(parameter, key, default, list(titles))
    chosen = st.selectbox(label, list(titles), format_func=titles.__getitem__, key=key)
    write_address(parameter, key, default)
    return str(chosen)


def _warn(earlier: "Dated", later: "Dated") -> list[str]:
    kinds = earlier.entry.value.kind, later.entry.value.kind
    if kinds[0] is kinds[1]:
        return []
    return [
        f"WARNING: one photograph is {kinds[0]}, the other {kinds[1]}. What differs may come from "
        "that alone."
    ]
