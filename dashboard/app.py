"""Entry point: run `python -m streamlit run dashboard/app.py` in the project folder."""

import sys
from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from dashboard.serving import RequestGuard, protect_uploads
from dashboard.shared.access import check_exposure
from dashboard.shared.login_sessions import ActivityWatch
from dashboard.shared.session_key import SessionKey
from melanoma_core.errors import SettingsError

try:
    check_exposure()
except SettingsError as error:
    sys.exit(str(error))
app = App(
    Path(__file__).with_name("navigation.py"),
    middleware=[Middleware(RequestGuard), Middleware(SessionKey), Middleware(ActivityWatch)],
    lifespan=protect_uploads,
)
