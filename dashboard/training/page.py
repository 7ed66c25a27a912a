"""The Training page: launch runs, follow them, compare them, study leakage."""

from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_tab_container import TabContainer

from dashboard.shared.address import follow_address, write_address
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import choose_folder
from dashboard.shared.head import show_page_header
from dashboard.shared.split import choose_seed
from dashboard.training.cached_runs import get_runs, snapshot
from dashboard.training.comparison import show_comparison
from dashboard.training.images import choose_images
from dashboard.training.launch import offer_launch, show_estimate, start_requested
from dashboard.training.recipe import choose_recipe
from dashboard.training.runs import show_runs
from dashboard.training.sources import show_sources
from dashboard.training.study import launch_requested_study, show_studies
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.runs.plan import RunRequest

_REFRESH_SECONDS = 2
_VIEW = "training-view"
_TABS = ("Runs", "Recipe", "Compare", "Sources", "Study")


@st.fragment(run_every=_REFRESH_SECONDS)
def _refresh(
    tab: TabContainer,
    shown: tuple[object, ...],
    estimate_place: DeltaGenerator,
    request: "RunRequest | None",
) -> None:
    """Refresh the Runs tab and the estimate; rerun the page if another tab is out of date."""
    # Streamlit requires the same containers at every run of a fragment.
    with estimate_place.container(), show_errors():
        show_estimate(request)
    with tab.container(), show_errors():
        if tab.open:
            show_runs()
    if not tab.open and snapshot(get_runs(load_settings())) != shown:
        st.rerun()


show_page_header("Training")
follow_address("tab", _VIEW, _TABS[0], _TABS)
runs_tab, recipe_tab, compare_tab, sources_tab, study_tab = st.tabs(
    _TABS, on_change="rerun", key=_VIEW
)
write_address("tab", _VIEW, _TABS[0])
folder = choose_folder()
seed = choose_seed()
images = choose_images(folder)
recipe = choose_recipe(recipe_tab, _VIEW)
estimate_place = offer_launch(folder, recipe, _VIEW)
request = None if recipe is None else images.make_request(recipe, seed)
start_requested(folder, request, is_each=images.is_each)
launch_requested_study(folder)
shown: tuple[object, ...] = ()
with runs_tab, show_errors():
    shown = snapshot(get_runs(load_settings()))
with compare_tab, show_errors():
    if compare_tab.open:
        show_comparison()
with sources_tab, show_errors():
    if sources_tab.open:
        show_sources()
with study_tab, show_errors():
    if study_tab.open:
        show_studies(folder)
_refresh(runs_tab, shown, estimate_place, request)
