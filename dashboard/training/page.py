"""Runs: launched in the sidebar, followed while they learn, compared when they are over."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.mutable_tab_container import TabContainer

from dashboard.shared.errors import show_errors
from dashboard.shared.folder import choose_folder
from dashboard.shared.head import show_page_header
from dashboard.shared.split import choose_seed
from dashboard.training.cached import look_up
from dashboard.training.comparison import show_comparison
from dashboard.training.launch import do_asked, offer_launch, show_estimate
from dashboard.training.recipe import choose_recipe
from dashboard.training.runs import show_runs
from dashboard.training.study import do_study, show_studies
from melanoma_core.training.recipe import Recipe

_REFRESH_SECONDS = 2


@st.fragment(run_every=_REFRESH_SECONDS)
def follow_runs(
    tab: TabContainer,
    seen: tuple[object, ...],
    place: DeltaGenerator,
    recipe: Recipe | None,
    seed: int,
) -> None:
    """Show the runs as they are now, again and again; other tabs, when a run has moved on."""
    # Streamlit wants the same containers written to at every run of the page.
    with place.container(), show_errors():
        show_estimate(recipe, seed)
    with tab.container(), show_errors():
        if tab.open:
            show_runs()
    if not tab.open and look_up() != seen:
        st.rerun()


show_page_header("Training")
runs_tab, compare_tab, study_tab = st.tabs(
    ["Runs", "Compare", "Study"], on_change="rerun", key="training-view"
)
folder = choose_folder()
seed = choose_seed()
recipe = choose_recipe()
place_of_estimate = offer_launch(folder, recipe)
do_asked(folder, seed, recipe)
do_study(folder)
seen: tuple[object, ...] = ()
with runs_tab, show_errors():
    seen = look_up()
with compare_tab, show_errors():
    if compare_tab.open:
        show_comparison()
with study_tab, show_errors():
    if study_tab.open:
        show_studies(folder)
follow_runs(runs_tab, seen, place_of_estimate, recipe, seed)
