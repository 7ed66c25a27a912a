"""What is wrong with the photographs, shown pair by pair, and the cleaned table made of it."""

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.dataset.gallery import show_photograph
from dashboard.dataset.markup import FINDING_TITLES, render_finding, render_verdict
from dashboard.shared.cached import encode_decisions, get_audit, get_dataset
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import get_manual_decisions
from melanoma_core.taxonomy import Diagnosis

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.data.findings import Finding
    from melanoma_core.data.opening import OpenedFolder

GROUPS_PER_PAGE, ROWS_PER_PAGE = 6, 100
_MOST_OF_GROUP = 6  # photographs; a class from one source is a group of thousands
_WIDTH = 150  # px; two side by side on a telephone
_CHANGED, _ALL = "Dropped and relabelled", "All files"
_AS_RULED = "as ruled"


def show_audit(opened: "OpenedFolder") -> None:
    """Show the verdict, the findings with their photographs, and the cleaned table."""
    audit = get_audit(opened)
    st.html(render_verdict(audit))
    with st.container(key="findings"):
        for finding in audit.findings:
            st.html(render_finding(finding))
    if audit.findings:
        st.subheader("Side by side", anchor=False)
        _show_groups(opened, {str(each.kind): each for each in audit.findings})
    st.subheader("The cleaned table", anchor=False)
    _show_cleaned(opened)


def _show_groups(opened: "OpenedFolder", findings: "Mapping[str, Finding]") -> None:
    kind = st.radio(
        "Look at",
        list(findings),
        format_func=lambda each: (
            f"{FINDING_TITLES[each]}: {len(findings[each].groups):,} "
            f"group{'' if len(findings[each].groups) == 1 else 's'}"
        ),
        key=f"pairs-of-{opened.key}",
        persist_state="session",
        horizontal=True,
    )
    groups = findings[kind].groups
    num_pages = ceil(len(groups) / GROUPS_PER_PAGE)
    page = st.pagination(num_pages, key=f"pairs-{kind}-{num_pages}") - 1 if num_pages > 1 else 0
    shown = groups[page * GROUPS_PER_PAGE : (page + 1) * GROUPS_PER_PAGE]
    wanted = {path for group in shown for path in group[:_MOST_OF_GROUP]}
    records, paths = opened.records, opened.records["path"].map(str)
    files = {str(row["path"]): row for _, row in records[paths.isin(wanted)].iterrows()}
    with st.container(horizontal=True, key="groups"):
        for group in shown:
            with st.container(horizontal=True, border=True, width="content"):
                for path in group[:_MOST_OF_GROUP]:
                    with st.container(width=_WIDTH, gap="xxsmall"):
                        show_photograph(files[path], _WIDTH)
                if len(group) > _MOST_OF_GROUP:
                    st.caption(f"and {len(group) - _MOST_OF_GROUP:,} more: see the gallery")


def _show_cleaned(opened: "OpenedFolder") -> None:
    manual_decisions = get_manual_decisions(opened)
    if manual_decisions:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{len(manual_decisions):,} decided by hand", width="content")
            st.button("Undo the last", on_click=_undo, args=(manual_decisions,))
            st.button("Undo all", on_click=manual_decisions.clear)
    with show_errors():
        decisions = get_dataset(opened, manual_decisions).decisions
        counts = decisions["action"].value_counts()
        st.html(
            f"<p>{counts.get('keep', 0):,} files are kept, {counts.get('relabel', 0):,} kept under "
            f"another label, {counts.get('drop', 0):,} dropped; nothing on the disk is changed. "
            "Choose in the first column to decide otherwise; the split and the balancing follow."
            "</p>"
        )
        shown = st.radio("Show", [_CHANGED, _ALL], horizontal=True, key="shown-decisions")
        listed = decisions[decisions["action"] != "keep"] if shown == _CHANGED else decisions
        _edit(listed, manual_decisions, opened)
        st.download_button(
            "Download the cleaned table",
            data=encode_decisions(opened, manual_decisions),
            file_name="cleaned.csv",
            mime="text/csv",
            on_click="ignore",
            help="Every file with what becomes of it and why, as CSV: what training takes.",
        )


def _edit(
    decisions: "pd.DataFrame", manual_decisions: dict[str, Any], opened: "OpenedFolder"
) -> None:
    num_pages = max(1, ceil(len(decisions) / ROWS_PER_PAGE))
    page = st.pagination(num_pages, key=f"decisions-{num_pages}") - 1 if num_pages > 1 else 0
    rows = decisions.iloc[page * ROWS_PER_PAGE : (page + 1) * ROWS_PER_PAGE]
    paths = list(rows["path"])
    table = rows.assign(
        path=[_below(path, opened) for path in rows["path"]],
        copy_of=[_below(path, opened) for path in rows["copy_of"]],
        decision=[str(manual_decisions.get(path, _AS_RULED)) for path in rows["path"]],
    )
    # A new key after each decision: the editor starts afresh from the decided table.
    revision = st.session_state.setdefault("num-decisions", 0)
    key = f"editor-{page}-{revision}"
    st.data_editor(
        table,
        key=key,
        hide_index=True,
        disabled=[column for column in table.columns if column != "decision"],
        column_order=[
            "decision",
            "path",
            "action",
            "label_found",
            "label_used",
            "reason",
            "copy_of",
            "source",
        ],
        column_config={
            "path": st.column_config.TextColumn("File", width="medium"),
            "action": "Action",
            "label_found": "Label found",
            "label_used": "Label used",
            "reason": st.column_config.TextColumn("Why", width="medium"),
            "copy_of": st.column_config.TextColumn("Copy of", width="medium"),
            "source": "Collection",
            "decision": st.column_config.SelectboxColumn(
                "Your decision",
                help="Keep, drop, or keep under the diagnosis that you choose.",
                options=[_AS_RULED, "keep", "drop", *(str(label) for label in Diagnosis)],
                required=True,
            ),
        },
        on_change=_decide,
        args=(key, paths, manual_decisions),
    )


def _below(path: Any, opened: "OpenedFolder") -> str:
    """Return a path as seen from the folder, in what a browser can be sent; empty if missing."""
    if not isinstance(path, str):
        return ""
    return path.removeprefix(f"{opened.folder}/").encode("utf-8", "replace").decode()


def _undo(manual_decisions: dict[str, Any]) -> None:
    manual_decisions.popitem()


def _decide(key: str, paths: list[str], manual_decisions: dict[str, Any]) -> None:
    from melanoma_core.data.cleaning import Action

    for row, changes in st.session_state[key]["edited_rows"].items():
        path, decision = paths[row], changes.get("decision")
        manual_decisions.pop(path, None)  # so that the last one decided is the last of all
        if decision in set(Action):
            manual_decisions[path] = Action(decision)
        elif decision in set(Diagnosis):
            manual_decisions[path] = Diagnosis(decision)
    st.session_state["num-decisions"] += 1
