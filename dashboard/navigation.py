"""The navigation: which pages this person is offered."""

from collections.abc import Callable

import streamlit as st

from dashboard.shared.access import may_or_say
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
    return _list_refused(subject) + [
        st.Page(
            file,
            title=title,
            url_path=address,
            default=position == 0,
            visibility="visible" if is_shown else "hidden",
        )
        for position, (file, title, address, _, is_shown) in enumerate(offered)
    ]


def _list_refused(subject: Subject) -> "list[st.Page]":
    """Return the addresses that the roles of a person do not open; each says which role does."""

    def refuse(title: str, right: Right) -> "Callable[[], None]":
        def show() -> None:
            st.title(title)
            may_or_say(right)

        return show

    return [
        st.Page(refuse(title, right), title=title, url_path=address, visibility="hidden")
        for title, address, right, _ in _ADDRESSES.values()
        if subject.roles and not subject.may(right)
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
    pages = _list_pages(subject)
    page = st.navigation(pages, position="top")
    wanted = take_wanted_page()
    if wanted is not None and wanted[0]:
        for each in pages:
            if each.url_path == wanted[0]:
                st.switch_page(each, query_params=wanted[1])
    page.run()
