"""The dashboard: `python -m streamlit run dashboard/app.py` in the project's folder."""

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
        st.Page("views/reading.py", title="Reading", default=True),
        st.Page("views/dataset.py", title="Dataset"),
        st.Page("views/training.py", title="Training"),
        st.Page("views/models.py", title="Models"),
        st.Page("views/evaluation.py", title="Evaluation"),
    ],
    position="top",
)
page.run()
