"""Entry point: run `python -m streamlit run dashboard/app.py` in the project folder."""

import streamlit as st

from melanoma_core.settings import ASSETS

st.set_page_config(
    page_title="Melanoma dashboard",
    page_icon=ASSETS / "logo.svg",
    layout="wide",
    initial_sidebar_state="auto",
)
page = st.navigation(
    [
        st.Page("reading/page.py", title="Reading", default=True),
        st.Page("dataset/page.py", title="Dataset", url_path="dataset"),
        st.Page("training/page.py", title="Training", url_path="training"),
        st.Page("models/page.py", title="Models", url_path="models"),
        st.Page("evaluation/page.py", title="Evaluation", url_path="evaluation"),
    ],
    position="top",
)
page.run()
