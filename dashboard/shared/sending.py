"""Offer to send to the DICOM node that is set; nothing is sent before a person asks for it."""

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.errors import show_errors
from melanoma_core.access.rights import Right
from melanoma_core.access.subject import get_subject
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.exchange.dicom.nodes import Node


def offer_sending(send: Callable[["Node"], int], key: str) -> None:
    """Offer to send DICOM files, where a node is set and the person may take data out.

    Args:
        send: Sends them to a node, and returns how many there were.
        key: Of the button, unique on the page.
    """
    from melanoma_core.exchange.dicom.nodes import find_node

    if not load_settings().dicom_node or not get_subject().may(Right.EXPORT):
        return
    with show_errors():
        node = find_node(load_settings())
        if node is not None and st.button(
            f"Send to {node.title or node.host}",
            key=key,
            help=f"Send photographs, heatmaps and the reading as DICOM to {node.name}.",
        ):
            with st.spinner(f"Sending to {node.name}"):
                count = send(node)
            text = f"{count} DICOM files were sent to {node.name}."
            st.html(f'<p class="receipt" role="status">✓ {escape(text)}</p>')
