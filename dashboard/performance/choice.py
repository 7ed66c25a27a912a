"""What is shown of the audit: chosen in the sidebar, kept in the address."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.address import follow_address, write_address
from melanoma_core.names import neutralise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.performance.data import Kept
    from melanoma_core.records.audit_cases import AuditCase
    from melanoma_core.records.audit_table import Condition, Scope
    from melanoma_core.records.performance import Grouping

_ALL = ""


@dataclass(frozen=True)
class Choice:
    """What is shown.

    Attributes:
        condition: What is looked for.
        scope: Which ground truth counts.
        grouping: What the lesions are divided by.
        value: The part that is shown; "" for all lesions.
    """

    condition: "Condition"
    scope: "Scope"
    grouping: "Grouping"
    value: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What stands for the lesions that are shown where results are cached."""
        return str(self.scope), str(self.grouping) if self.value else "", self.value

    @property
    def words(self) -> str:
        """What is shown, without a name of a reader."""
        part = f", by {self.grouping}" if self.value else ""
        return f"{self.condition}, {self.scope}{part}"


def make_choice(kept: "Kept") -> Choice:
    """Let a person choose in the sidebar.

    Args:
        kept: What was read of the record.
    """
    from melanoma_core.records.audit_table import Condition, Scope
    from melanoma_core.records.performance import Grouping

    with st.sidebar:
        st.header("What is shown", anchor=False)
        condition = _choose("looked-for", "Looked for", list(Condition), "What counts as found.")
        scope = _choose(
            "truth",
            "Ground truth",
            list(Scope),
            "Histology of tissue; or also 18 months of follow-up without an action.",
        )
        grouping = Grouping(
            _choose("by", "Divide by", list(Grouping), "The parts of the view Groups.")
        )
        values = _list_values(kept.data.cases, kept.key, str(grouping))
        value = _choose("only", "Only this part", [_ALL, *values], "All figures of one part alone.")
    return Choice(Condition(condition), Scope(scope), grouping, value)


@st.cache_resource(show_spinner=False, max_entries=16)
def _list_values(_cases: "Sequence[AuditCase]", key: str, grouping: str) -> list[str]:  # noqa: ARG001
    """Return the values of a grouping, once for what was read."""
    from melanoma_core.records.performance import Grouping, find_value

    return sorted({find_value(case, Grouping(grouping)) for case in _cases})


def _choose(parameter: str, label: str, options: list[str], explanation: str) -> str:
    key = f"audit-{parameter}"
    follow_address(parameter, key, options[0], options)
    chosen: str = st.selectbox(
        label,
        options,
        key=key,
        format_func=lambda each: neutralise(str(each)) if each else "All lesions",
        help=explanation,
        persist_state="session",
    )
    write_address(parameter, key, options[0])
    return chosen
