"""The navigation: which pages this person is offered."""

import streamlit as st

from dashboard.shared.access import is_local, offers_all_pages
from melanoma_core.settings import ASSETS

st.set_page_config(
    page_title="Melanoma dashboard",
    page_icon=ASSETS / "logo.svg",
    layout="wide",
    initial_sidebar_state=256,  # px; open on a wide screen, and leaves the width to images
)
pages = [st.Page("reading/page.py", title="Reading", default=True)]
if is_local():  # there is no login
    pages += [
        st.Page("today/page.py", title="Today", url_path="today"),
        st.Page("patients/page.py", title="Patients", url_path="patients"),
        st.Page("lesion/page.py", title="Lesion", url_path="lesion", visibility="hidden"),
        st.Page("performance/page.py", title="Audit", url_path="audit"),
        st.Page("quiz/page.py", title="Quiz", url_path="quiz"),
    ]
if offers_all_pages():
    pages += [
        st.Page("dataset/page.py", title="Dataset", url_path="dataset"),
        st.Page("training/page.py", title="Training", url_path="training"),
        st.Page("models/page.py", title="Models", url_path="models"),
        st.Page("evaluation/page.py", title="Evaluation", url_path="evaluation"),
    ]
st.navigation(pages, position="top").run()
