"""Entry point: run `python -m streamlit run dashboard/app.py` in the project folder."""

from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from dashboard.serving import RequestGuard, protect_uploads
from dashboard.shared.session_key import SessionKey

app = App(
    Path(__file__).with_name("navigation.py"),
    middleware=[Middleware(RequestGuard), Middleware(SessionKey)],
    lifespan=protect_uploads,
)
