"""The Compare and promote tab: a candidate against the deployed model, the gate, promotion."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.models.cached_models import get_proposal
from dashboard.models.card import show_table
from dashboard.models.markup import (
    render_basis,
    render_disagreement,
    render_off,
    render_search,
    render_verdict,
    tabulate_comparison,
)
from dashboard.shared.access import may_or_say
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.cached import get_thumbnail
from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.folder import choose_folder, open_chosen_folder
from dashboard.shared.html import show_html
from dashboard.shared.markup import render_error, render_paragraphs
from dashboard.shared.paging import choose_page
from dashboard.shared.person import ask_name
from dashboard.shared.progress import cancel_request, is_requested, request_work, show_progress
from dashboard.shared.tiles import render_chance
from melanoma_core.access.rights import Right
from melanoma_core.models.card import ModelCard
from melanoma_core.models.registry import find_model
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.deployment.comparison import Comparison
    from melanoma_core.deployment.promotion import Deployment, Proposal

_ERROR, _DONE = "promotion-error", "promotion-done"
_FIND, _READ = "find-photographs", "read-again"
_CANDIDATE = "candidate"  # in the address, and the key of the widget
_PHOTOGRAPHS_PER_PAGE, _WIDTH = 24, 150
_NONE_FOUND = (
    "Found none of the {:,} missing photographs in {}. Choose the folder that contains them in the "
    "sidebar. It is then searched at once."
)


def show_promotion(candidates: list[ModelCard], deployment: "Deployment") -> None:
    """Let a person choose a candidate, compare it with the deployed model, and promote it.

    Raises:
        ModelError: One of the models is missing or damaged.
    """
    with st.container():  # always one element, so that those below keep their place
        show_stored_error(_ERROR)
        _show_done()
    if not candidates:
        st.html("<p>There is no other model. Train one on the Training page.</p>")
        return
    names = [card.model_id for card in candidates]
    follow_address(_CANDIDATE, _CANDIDATE, names[0], names)
    chosen = st.selectbox(
        "Candidate",
        names,
        key=_CANDIDATE,
        help="All models except the deployed one, newest first.",
        width=500,
    )
    write_address(_CANDIDATE, _CANDIDATE, names[0])
    candidate = next(card for card in candidates if card.model_id == chosen)
    folder = choose_folder()
    key = f"again-{candidate.model_id}-{deployment.deployed_id}"
    proposal = get_proposal(
        load_settings(), candidate, deployment.deployed_id, st.session_state.get(key)
    )
    st.html(render_verdict(proposal.verdict))
    if len(proposal.unread):
        _offer_reading(proposal, folder, key)
    _offer_promotion(proposal)
    _show_comparison(proposal.comparison, _find_photographs(folder))


def _offer_promotion(proposal: "Proposal") -> None:
    if not may_or_say(Right.DEPLOY):
        return
    name = ask_name("Your name", "promoter", hint="Recorded in the history with what you do here.")
    is_allowed, has_name = proposal.verdict.is_allowed, bool(name.strip())
    with st.container(horizontal=True, vertical_alignment="center", key="promote-action"):
        st.button(
            f"Promote {proposal.candidate.model_id}",
            type="primary",
            on_click=_promote,
            args=(proposal, ""),
            disabled=not (is_allowed and has_name),
            help="Replaces the deployed model on every page at once.",
        )
        show_html(render_off(proposal.verdict, has_name=has_name))
    if is_allowed:
        return
    with st.expander("Override the gate"):
        reason = st.text_input(
            "Reason",
            key=f"reason-{proposal.candidate.model_id}",
            help="Recorded permanently with your name.",
        )
        st.button(
            "Promote despite the gate",
            on_click=_promote,
            args=(proposal, reason),
            disabled=not (has_name and reason.strip()),
            help="Needs your name and a reason.",
        )


def _promote(proposal: "Proposal", override: str) -> None:
    from melanoma_core.deployment.promotion import promote
    from melanoma_core.deployment.versions import EventKind

    with store_errors(_ERROR):
        name = st.session_state.get("promoter", "")
        event = promote(load_settings(), proposal, name, override)
        refused = f"{event.model_id} was refused. The refusal is recorded in the history."
        done = f"{event.model_id} is now deployed."
        st.session_state[_DONE] = refused if event.kind is EventKind.REFUSED else done


def _show_done() -> None:
    if st.session_state.get(_DONE):
        st.html(f'<div role="status">{render_paragraphs([st.session_state.pop(_DONE)])}</div>')


def _offer_reading(proposal: "Proposal", folder: Path | None, key: str) -> None:
    """Offer to find and predict the images for which the deployed model has no prediction.

    Raises:
        DatasetError: The folder cannot be opened.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="search-action"):
        st.button(
            f"Find and predict the {len(proposal.unread):,} missing photographs",
            type="primary",
            on_click=request_work,
            args=(_READ,),
            disabled=folder is None,
        )
        st.html(render_search(proposal, folder), width="stretch")
    if folder is None or not is_requested(_READ):
        return
    opened = open_chosen_folder(folder)
    if opened is None:
        return
    from melanoma_core.assessment.assessment import locate_photographs

    rows = locate_photographs(proposal.unread, opened.records)
    if rows.empty:
        st.html(render_error(_NONE_FOUND.format(len(proposal.unread), folder)))
        return
    _read_again(proposal, rows, key)
    st.rerun()


def _read_again(proposal: "Proposal", rows: "pd.DataFrame", key: str) -> None:
    """Predict images with the deployed model, and keep the predictions in the session."""
    import pandas as pd

    from melanoma_core.assessment.assessment import read_again
    from melanoma_core.models.classifier import load_classifier

    classifier = load_classifier(find_model(load_settings(), proposal.deployed.model_id))
    predictions = read_again(classifier, rows, show_progress("Predicting"))
    st.session_state[key] = pd.concat([st.session_state.get(key), predictions])
    cancel_request(_READ)


def _find_photographs(folder: Path | None) -> "dict[str, str]":
    """Return the paths of the photographs in the chosen folder by their SHA-256.

    Raises:
        DatasetError: The folder cannot be opened.
    """
    st.button(
        "Show the photographs",
        on_click=request_work,
        args=(_FIND,),
        disabled=folder is None,
        help="Searches the folder chosen in the sidebar. Models keep no photographs.",
    )
    if folder is None or not is_requested(_FIND):
        return {}
    opened = open_chosen_folder(folder)
    if opened is None:
        return {}
    known = opened.records.dropna(subset=["sha256"])
    return dict(zip(known["sha256"], known["path"].map(str), strict=True))


def _show_comparison(comparison: "Comparison | str", files: "dict[str, str]") -> None:
    st.header("Comparison with the deployed model", anchor=False)
    if isinstance(comparison, str):
        st.html("<p>Not possible, for the reason above.</p>")
        return
    st.html(render_basis(comparison))
    show_html(render_chance(comparison.candidate))
    show_table(tabulate_comparison(comparison))
    st.caption(
        "Differences are candidate minus deployed model, with paired 95% CI resampled by lesion. "
        "McNemar's test uses the first image of each lesion; “correct by one only” counts those of "
        "the candidate and of the deployed model."
    )
    st.header("Disagreements", anchor=False)
    rows = comparison.disagreements
    if rows.empty:
        st.html("<p>None: both models alert on the same images.</p>")
        return
    counts = ", ".join(f"{count:,} × {kind}" for kind, count in rows["kind"].value_counts().items())
    st.caption(f"{len(rows):,} images: {counts}. Melanomas missed by the candidate first.")
    _show_cases(rows, files)


def _show_cases(rows: "pd.DataFrame", files: "dict[str, str]") -> None:
    page = choose_page(len(rows), _PHOTOGRAPHS_PER_PAGE, f"cases-{len(rows)}")
    with st.container(horizontal=True, key="disagreements"):
        for row in rows.iloc[page].to_dict("records"):
            with st.container(width=_WIDTH, gap="xxsmall"):
                path = files.get(row["sha256"])
                jpeg = get_thumbnail(path, row["sha256"]) if path else None
                if jpeg:
                    st.image(jpeg, width=_WIDTH, alt=f"Photograph {row['image_id']}")
                else:
                    st.html('<p class="missing">Photograph not available.</p>')
                st.html(render_disagreement({str(key): value for key, value in row.items()}))
