"""The navigation: which pages this person is offered."""

import streamlit as st

from dashboard.shared.account import identify
from dashboard.shared.login import has_login, read_login, take_wanted_page, want_page
from melanoma_core.access.rights import Right
from melanoma_core.access.subject import Subject
from melanoma_core.settings import ASSETS

_ADDRESSES = {  # page: title, address, the right that it needs, and whether the menu has it
    "reading/page.py": ("Reading", "", Right.READ, True),
    "today/page.py": ("Today", "today", Right.SEE_RECORD, True),
    "patients/page.py": ("Patients", "patients", Right.SEE_RECORD, True),
    "lesion/page.py": ("Lesion", "lesion", Right.SEE_RECORD, False),
    "performance/page.py": ("Audit", "audit", Right.SEE_RECORD, True),
    "quiz/page.py": ("Quiz", "quiz", Right.SEE_RECORD, True),
    "dataset/page.py": ("Dataset", "dataset", Right.CHANGE_DATA, True),
    "training/page.py": ("Training", "training", Right.TRAIN, True),
    "models/page.py": ("Models", "models", Right.SEE_MODELS, True),
    "evaluation/page.py": ("Evaluation", "evaluation", Right.EVALUATE, True),
    "users/page.py": ("Users", "users", Right.MANAGE_USERS, True),
}


def _list_pages(subject: Subject) -> "list[st.Page]":
    offered = [
        (file, *page)
        for file, page in _ADDRESSES.items()
        if subject.may(page[2]) and (has_login() or page[2] is not Right.MANAGE_USERS)
    ]
    return [
        st.Page(
            file,
            title=title,
            url_path=address,
            default=position == 0,
            visibility="visible" if is_shown else "hidden",
        )
        for position, (file, title, address, _, is_shown) in enumerate(offered)
    ]


def _list_closed() -> "list[st.Page]":
    """Return every address with nothing on it, so that it is still there after the login."""
    return [
        st.Page(lambda: None, title="Sign in", url_path=address, default=not address)
        for _, address, _, _ in _ADDRESSES.values()
    ]


st.set_page_config(
    page_title="Melanoma dashboard",
    page_icon=ASSETS / "logo.svg",
    layout="wide",
    initial_sidebar_state=256,  # px; open on a wide screen, and leaves the width to images
)
subject = identify()
if subject is None:
    closed = st.navigation(_list_closed(), position="hidden")
    if read_login() is None:
        want_page(closed.url_path)
else:
    page = st.navigation(_list_pages(subject), position="top")
    wanted = take_wanted_page()
    if wanted is not None and wanted[0]:
        files = {each[1]: file for file, each in _ADDRESSES.items() if subject.may(each[2])}
        if wanted[0] in files:
            st.switch_page(files[wanted[0]], query_params=wanted[1])
    page.run()
