"""Look-alikes: lesions with a known diagnosis that look like it, as reference and never a verdict.

They come from the clinic's own record and from the indexes that the settings name. The photographs
of a folder are read from the folder and never copied.
"""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.lesion.opened import OpenedLesion
from dashboard.lesion.own_index import show_own_state
from dashboard.shared import cached
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import name_diagnosis
from dashboard.shared.pictures import get_thumbnail
from dashboard.shared.reading_model import get_classifier, get_turns
from dashboard.shared.record import log_seen
from melanoma_core.settings import load_settings

if TYPE_CHECKING:  # the page is painted before NumPy is imported
    from melanoma_core.lookalikes.index import LookalikeIndex
    from melanoma_core.lookalikes.lookalike import IndexFacts, Lookalike, Lookalikes, Query

_HIDDEN = "Shown once the first read is kept, so that they do not sway it."
_MEANING = (
    "Reference, not a verdict. The network finds lesions that look alike to it. What they are says "
    "what to think of, not what this lesion is."
)
_WIDTH = 170  # px


def show_lookalikes(opened: OpenedLesion) -> None:
    """Show the lesions of each index that look most like the open one."""
    if opened.hides_ai:
        st.html(f"<p>{_HIDDEN}</p>")
        return
    st.html(f'<p class="hint" role="note">{_MEANING}</p>')
    query = _make_query(opened)
    if query is None:
        st.html(
            "<p>There is no dermoscopic photograph of this lesion that can be read, so that none "
            "can be looked for.</p>"
        )
        return
    st.html("<h2>In this record</h2>")
    with show_errors():
        _show_own(opened, query)
    for path in load_settings().indexes:
        with show_errors():
            _show_folder(opened, query, path)
    if not load_settings().indexes:
        st.caption(
            "Collections can be searched too: index one with melanoma index, and name it in "
            "MELANOMA_INDEXES."
        )


def _make_query(opened: OpenedLesion) -> "Query | None":
    """Return what is searched with; photographs that are new are read first."""
    from melanoma_core.records.own_index import make_query

    classifier = get_classifier()
    with st.spinner("Reading the newest photographs"), get_turns().take():
        return make_query(opened.record, classifier, opened.case)


def _show_own(opened: OpenedLesion, query: "Query") -> None:
    from melanoma_core.records.own_index import open_own_index

    show_own_state(opened.record, query.model_id)
    index = open_own_index(opened.record, query.model_id)
    if index is not None:
        _show_found(opened, query, index)


def _show_folder(opened: OpenedLesion, query: "Query", path: Path) -> None:
    from melanoma_core.lookalikes.index import open_index

    index = open_index(path, query.model_id)
    st.html(f"<h2>In the collection {escape(index.facts.name)}</h2>")
    _show_found(opened, query, index)


def _show_found(opened: OpenedLesion, query: "Query", index: "LookalikeIndex") -> None:
    from melanoma_core.lookalikes.lookalike import NUM_SHOWN, describe_lookalikes

    found = index.search(query, NUM_SHOWN)
    asked = _describe_index(index.facts, found)
    st.html(f'<p>{escape(describe_lookalikes(found))}</p><p class="fact">{escape(asked)}</p>')
    with st.container(horizontal=True, gap="small", key=f"lookalikes-{index.facts.name}"):
        for number, lookalike in enumerate(found.nearest, start=1):
            _show_tile(opened, number, lookalike)


def _describe_index(facts: "IndexFacts", found: "Lookalikes") -> str:
    """Return which index was asked, and what was left out of the search."""
    name = "The index of this record" if facts.is_own else f"The index {facts.name}"
    left_out = (
        f" {found.num_left_out:,} of them left out: this lesion, others of its patient, and copies "
        "of its photographs."
        if found.num_left_out
        else ""
    )
    return (
        f"{name}: lesions {facts.num_lesions:,}, photographs {facts.num_photographs:,}, "
        f"as {facts.model_id} sees them.{left_out}"
    )


def _show_tile(opened: OpenedLesion, number: int, lookalike: "Lookalike") -> None:
    with st.container(border=True, gap="xxsmall", width=_WIDTH):
        with show_errors():
            picture = _get_picture(opened, lookalike)
            if picture is None:
                st.html('<p class="no-picture">The file cannot be read.</p>')
            else:
                st.image(picture, width="stretch", alt=f"Look-alike {number}")
        st.html(_render_facts(number, lookalike))
        if lookalike.is_own:
            st.page_link(
                "lesion/page.py",
                label=f"Open look-alike {number}",
                query_params={"lesion": lookalike.lesion},
            )


def _get_picture(opened: OpenedLesion, lookalike: "Lookalike") -> bytes | None:
    """Return a thumbnail; that of another patient's lesion is logged as seen."""
    from melanoma_core.records.entities import Lesion

    if not lookalike.is_own:
        return cached.get_thumbnail(lookalike.image, "")
    log_seen(opened.record, Lesion, lookalike.lesion, "look-alike")
    return get_thumbnail(opened.record, lookalike.image)


def _render_facts(number: int, lookalike: "Lookalike") -> str:
    confirmed = lookalike.confirmation
    facts = [
        f"<strong>{number}. {escape(name_diagnosis(lookalike.diagnosis))}</strong>",
        escape(lookalike.title),
        f"confirmed by {escape(confirmed)}" if confirmed else "confirmation not stated",
        f"distance {lookalike.distance:.2f} (0 to 2)",
        ""
        if lookalike.is_own
        else f"lesion {escape(lookalike.lesion)}, {escape(lookalike.source)}",
    ]
    return "".join(f'<p class="fact">{fact}</p>' for fact in facts if fact)
