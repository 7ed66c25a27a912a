"""Entry point: run `python -m streamlit run dashboard/app.py` in the project folder."""

import sys
from pathlib import Path

from streamlit.starlette import App

from dashboard.serving import list_guards, protect_uploads
from dashboard.shared.access import check_exposure
from melanoma_core.errors import SettingsError

try:
    check_exposure()
except SettingsError as error:
    sys.exit(str(error))
app = App(
    Path(__file__).with_name("navigation.py"),
    middleware=list_guards(),
    lifespan=protect_uploads,
)
