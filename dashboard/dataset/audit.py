"""The Audit tab: verdict, findings with the affected images, and the cleaned table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.dataset.gallery import show_image
from dashboard.dataset.markup import FINDING_TITLES, render_finding, render_verdict
from dashboard.shared.cached import encode_decisions, get_audit, get_dataset
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import get_manual_decisions
from dashboard.shared.paging import choose_page
from melanoma_core.names import neutralise
from melanoma_core.taxonomy import Diagnosis

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.data.cleaning import ManualDecision
    from melanoma_core.data.findings import Finding
    from melanoma_core.data.opening import OpenedFolder

_GROUPS_PER_PAGE, _ROWS_PER_PAGE = 6, 100
_MOST_OF_GROUP = 6  # images; a class from a single source is a group of thousands
_WIDTH = 150  # px; two side by side on a phone
_CHANGED, _ALL = "Dropped and relabelled", "All files"
_AUTOMATIC = "automatic"


def show_audit(opened: "OpenedFolder") -> None:
    """Show the verdict, the findings with their images, and the cleaned table."""
    audit = get_audit(opened)
    st.html(render_verdict(audit))
    with st.container(key="findings"):
        for finding in audit.findings:
            st.html(render_finding(finding))
    if audit.findings:
        st.header("Affected images, side by side", anchor=False)
        _show_groups(opened, {str(each.kind): each for each in audit.findings if each.groups})
    st.header("Cleaned table", anchor=False)
    _show_cleaned(opened)


def _show_groups(opened: "OpenedFolder", findings: "Mapping[str, Finding]") -> None:
    kind = st.radio(
        "Finding",
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
    shown = groups[choose_page(len(groups), _GROUPS_PER_PAGE, f"pairs-{kind}")]
    wanted = {path for group in shown for path in group[:_MOST_OF_GROUP]}
    records, paths = opened.records, opened.records["path"].map(str)
    files = {str(row["path"]): row for _, row in records[paths.isin(wanted)].iterrows()}
    with st.container(horizontal=True, key="groups"):
        for group in shown:
            with st.container(horizontal=True, border=True, width="content"):
                for path in group[:_MOST_OF_GROUP]:
                    with st.container(width=_WIDTH, gap="xxsmall"):
                        show_image(files[path], _WIDTH)
                if len(group) > _MOST_OF_GROUP:
                    st.caption(f"and {len(group) - _MOST_OF_GROUP:,} more in the gallery")


def _show_cleaned(opened: "OpenedFolder") -> None:
    manual = get_manual_decisions(opened)
    if manual:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f"{len(manual):,} manual decision{'' if len(manual) == 1 else 's'}", width="content"
            )
            st.button("Undo last", on_click=_undo, args=(manual,))
            st.button("Undo all", on_click=manual.clear)
    with show_errors():
        decisions = get_dataset(opened, manual).decisions
        counts = decisions["action"].value_counts()
        st.html(
            f"<p>{counts.get('keep', 0):,} files kept, {counts.get('relabel', 0):,} relabelled, "
            f"{counts.get('drop', 0):,} dropped. Files on disk are not changed. Use the first "
            "column to decide otherwise; the split and the balancing follow your decision.</p>"
        )
        shown = st.radio("Show", [_CHANGED, _ALL], horizontal=True, key="shown-decisions")
        listed = decisions[decisions["action"] != "keep"] if shown == _CHANGED else decisions
        _edit(listed, manual, opened)
        st.download_button(
            "Download cleaned table",
            data=encode_decisions(opened, manual),
            file_name="cleaned.csv",
            mime="text/csv",
            on_click="ignore",
            help="Every file with its action and the reason, as CSV. Training accepts this file.",
        )


def _edit(
    decisions: "pd.DataFrame", manual: "dict[str, ManualDecision]", opened: "OpenedFolder"
) -> None:
    page = choose_page(len(decisions), _ROWS_PER_PAGE, "decisions")
    rows = decisions.iloc[page]
    paths = list(rows["path"])
    table = rows.assign(
        path=[_make_relative(path, opened) for path in rows["path"]],
        copy_of=[_make_relative(path, opened) for path in rows["copy_of"]],
        decision=[str(manual.get(path, _AUTOMATIC)) for path in rows["path"]],
    )
    # A new key after each decision, so that the editor restarts from the updated table.
    revision = st.session_state.setdefault("num-decisions", 0)
    key = f"editor-{page.start}-{revision}"
    st.data_editor(
        table,
        key=key,
        hide_index=True,
        placeholder="",
        disabled=[column for column in table.columns if column != "decision"],
        column_order=[
            "decision",
            "path",
            "action",
            "label_found",
            "label_used",
            "reason",
            "copy_of",
            "confirmation",
            "source",
        ],
        column_config={
            "path": st.column_config.TextColumn("File", width="medium"),
            "action": "Action",
            "label_found": "Label found",
            "label_used": "Label used",
            "reason": st.column_config.TextColumn("Reason", width="medium"),
            "copy_of": st.column_config.TextColumn("Copy of", width="medium"),
            "confirmation": "Confirmed by",
            "source": "Source",
            "decision": st.column_config.SelectboxColumn(
                "Manual decision",
                help="Keep the file, drop it, or keep it under the diagnosis that you choose.",
                options=[_AUTOMATIC, "keep", "drop", *(str(label) for label in Diagnosis)],
                required=True,
            ),
        },
        on_change=_decide,
        args=(key, paths, manual),
    )


def _make_relative(path: Any, opened: "OpenedFolder") -> str:
    """Return a path relative to the folder, fit to be shown; empty if missing."""
    if not isinstance(path, str):
        return ""
    relative = path.removeprefix(f"{opened.folder}/").encode("utf-8", "replace").decode()
    return neutralise(relative)


def _undo(manual: "dict[str, ManualDecision]") -> None:
    manual.popitem()


def _decide(key: str, paths: list[str], manual: "dict[str, ManualDecision]") -> None:
    """Add the edits of a table to the manual decisions, the latest last."""
    from melanoma_core.data.cleaning import Action

    for row, changes in st.session_state[key]["edited_rows"].items():
        path, decision = paths[row], changes.get("decision")
        manual.pop(path, None)  # a dict keeps the place of a key that is overwritten
        if decision in set(Action):
            manual[path] = Action(decision)
        elif decision in set(Diagnosis):
            manual[path] = Diagnosis(decision)
    st.session_state["num-decisions"] += 1
