"""A form of the Patients page: its buttons to save and to leave it, and withdrawing an entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.patients.opened import LESION, PATIENT
from dashboard.shared.address import leave_address
from dashboard.shared.fields import Fields
from dashboard.shared.record import (
    forget_draft,
    get_outcome,
    keep_draft,
    name_field,
    name_save,
    read_draft,
    save,
    show_outcome,
)

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.writing import Change

NEW, EDIT = "new", "edit"
"""Parameters of the address: the kind of the entry that is made, and the id of one to correct."""

_RECEIPT = "patients-receipt"  # the form whose receipt is shown once it has closed
_SAVE_KEY = "Ctrl+Enter"

Write = Callable[["Change", Mapping[str, Any]], "Entry[Any]"]


@dataclass(frozen=True)
class Form(Fields):
    """A form of the page; the address says that it is open."""

    def offer_save(
        self,
        write: Write,
        label: str = "Save",
        after: "Callable[[Entry[Any]], None] | None" = None,
    ) -> None:
        """Keep what is typed, and offer to save it; the form closes if that worked.

        Args:
            write: Writes what the fields hold, and returns the entry of the receipt.
            label: Of the button.
            after: Is called with that entry once it is saved.
        """
        keep_draft(self.name, self.base, is_lasting=True)
        if not get_outcome(self.name).receipt:
            show_outcome(self.name)
        with st.container(horizontal=True):
            st.button(
                name_save(self.name, label),
                key=f"{self.name}-save",
                type="primary",
                shortcut=_SAVE_KEY,
                on_click=self._save,
                args=(write, after),
            )
            st.button("Cancel", key=f"{self.name}-cancel", on_click=self._cancel)

    def write_value(self, change: "Change", value: Any) -> "Entry[Any]":
        """Write an entry: a new one, or the next version of the one that is corrected."""
        return change.add(value) if self.base is None else change.correct(self.find_base(), value)

    def _save(self, write: Write, after: "Callable[[Entry[Any]], None] | None") -> None:
        draft, written = read_draft(self.name), []

        def act(change: "Change") -> "Entry[Any]":
            written.append(write(change, draft))
            return written[-1]

        if save(self.name, act):
            close_form()
            st.session_state[_RECEIPT] = self.name
            if after is not None:
                after(written[-1])

    def _cancel(self) -> None:
        forget_draft(self.name)
        close_form()


def open_form(parameter: str, value: str) -> None:
    """Open a form by the address; a callback."""
    close_form()
    st.query_params[parameter] = value


def close_form() -> None:
    """Close the form that the address opens."""
    leave_address(NEW)
    leave_address(EDIT)
    if PATIENT in st.query_params:
        leave_address(LESION)


def show_receipt() -> None:
    """Show the receipt of the form that was saved last, once."""
    name = st.session_state.pop(_RECEIPT, None)
    if name is not None:
        show_outcome(name)


def offer_withdrawal(entry: "Entry[Any]", consequence: str) -> None:
    """Offer to withdraw an entry that is an error, with a reason.

    Args:
        entry: The version that the person sees.
        consequence: What that means.
    """
    name = f"withdraw-{entry.id}"
    st.text_input("Entered in error: what is wrong?", key=name_field(name, "reason", ""))
    keep_draft(name, entry)
    show_outcome(name)
    st.button(
        "Withdraw", key=f"{name}-button", on_click=_withdraw, args=(name, entry), help=consequence
    )


def _withdraw(name: str, entry: "Entry[Any]") -> None:
    reason = str(read_draft(name).get("reason") or "")
    if save(name, lambda change: change.withdraw(entry, reason)):
        close_form()
        st.session_state[_RECEIPT] = name
