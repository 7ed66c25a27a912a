"""The Dataset page: explore, audit, split, balance and download images."""

import streamlit as st

from dashboard.dataset.audit import show_audit
from dashboard.dataset.balance import show_balance
from dashboard.dataset.download import show_download
from dashboard.dataset.gallery import show_gallery
from dashboard.dataset.overview import show_overview
from dashboard.dataset.split import show_split
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import choose_folder, open_chosen_folder, show_folder
from dashboard.shared.head import show_page_header

_VIEWS = {
    "Overview": show_overview,
    "Gallery": show_gallery,
    "Audit": show_audit,
    "Split": show_split,
    "Balancing": show_balance,
}
_GET_DATA, _TAB = "Get data", "dataset-view"
_NAMES = [*_VIEWS, _GET_DATA]

show_page_header("Dataset")
follow_address("tab", _TAB, _NAMES[0], _NAMES)
*tabs, get_data = st.tabs(_NAMES, on_change="rerun", key=_TAB)
write_address("tab", _TAB, _NAMES[0])
folder = choose_folder()
for tab, show in zip(tabs, _VIEWS.values(), strict=True):
    if tab.open and folder is not None:  # only the open tab is computed
        with tab, show_errors():
            opened = open_chosen_folder(folder)
            if opened is not None:
                show_folder(opened)
                show(opened)
if get_data.open:
    with get_data:
        show_download()
