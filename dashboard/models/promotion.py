"""A candidate beside the deployed model: compared, judged, promoted or not."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.models.cached import get_proposal
from dashboard.models.card import show_table
from dashboard.models.markup import (
    render_basis,
    render_disagreement,
    render_verdict,
    tabulate_comparison,
)
from dashboard.shared.cached import get_thumbnail
from dashboard.shared.errors import show_stored_error, store_errors
from dashboard.shared.folder import choose_folder, open_chosen_folder
from dashboard.shared.markup import render_paragraphs
from dashboard.shared.progress import cancel_request, is_requested, request_work, show_progress
from melanoma_core.models.card import ModelCard
from melanoma_core.models.registry import find_model
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.deployment.comparison import Comparison
    from melanoma_core.deployment.promotion import Deployment, Proposal

_ERROR, _DONE = "promotion-error", "promotion-done"
_LOOK, _READ = "look-for-photographs", "read-again"
_MOST_PICTURES, _WIDTH = 24, 150


def show_promotion(candidates: list[ModelCard], deployment: "Deployment") -> None:
    """Let a person choose a candidate, see what speaks for and against it, and promote it.

    Raises:
        ModelError: One of the models is missing or damaged.
    """
    with st.container():  # one element, said or not: what follows keeps its place
        show_stored_error(_ERROR)
        _show_done()
    if not candidates:
        st.html("<p>There is no other model. Train one on the Training page.</p>")
        return
    names = [card.model_id for card in candidates]
    # A key per list: Streamlit keeps the position of a choice, and a promotion moves them.
    chosen = st.selectbox(
        "Candidate",
        names,
        key=f"candidate-{hash(tuple(names))}",
        help="Every model but the deployed one, the newest first.",
        width=500,
    )
    candidate = next(card for card in candidates if card.model_id == chosen)
    key = f"again-{candidate.model_id}-{deployment.deployed_id}"
    proposal = get_proposal(candidate, deployment.deployed_id, st.session_state.get(key))
    st.html(render_verdict(proposal.verdict))
    _offer_promotion(proposal)
    files = _find_photographs(proposal, key)
    _show_comparison(proposal.comparison, files)


def _offer_promotion(proposal: "Proposal") -> None:
    name = st.text_input(
        "Your name",
        key="promoter",
        persist_state="session",
        help="Kept with what you do here, for everybody to see.",
        width=300,
    )
    st.button(
        f"Promote {proposal.candidate.model_id}",
        type="primary" if proposal.verdict.is_allowed else "secondary",
        on_click=_promote,
        args=(proposal, ""),
        disabled=not name.strip(),
        help="It reads from then on, on every page, at once. What the gate refuses is only noted.",
    )
    if proposal.verdict.is_allowed:
        return
    with st.expander("Promote it against the gate"):
        reason = st.text_input(
            "Reason",
            key=f"reason-{proposal.candidate.model_id}",
            help="Kept for ever with your name.",
        )
        st.button(
            "Override the gate",
            on_click=_promote,
            args=(proposal, reason),
            disabled=not (name.strip() and reason.strip()),
            help="Needs your name and a reason.",
        )


def _promote(proposal: "Proposal", override: str) -> None:
    from melanoma_core.deployment.promotion import promote
    from melanoma_core.deployment.versions import EventKind

    with store_errors(_ERROR):
        name = st.session_state.get("promoter", "")
        event = promote(load_settings(), proposal, name, override)
        refused = f"{event.model_id} was refused; that was noted in the history."
        done = f"{event.model_id} is deployed and reads from now on."
        st.session_state[_DONE] = refused if event.kind is EventKind.REFUSED else done


def _show_done() -> None:
    if st.session_state.get(_DONE):
        st.html(f'<div role="status">{render_paragraphs([st.session_state.pop(_DONE)])}</div>')


def _find_photographs(proposal: "Proposal", key: str) -> "dict[str, str]":
    """Return the paths of the compared photographs by SHA-256, where a folder holds them.

    Raises:
        DatasetError: The folder cannot be opened.
    """
    folder = choose_folder()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Look for the photographs",
            on_click=request_work,
            args=(_LOOK,),
            disabled=folder is None,
            help="In the folder that is chosen in the sidebar.",
        )
        st.caption("Models keep no photographs. Those of the folder in the sidebar can be shown.")
    if folder is None or not is_requested(_LOOK):
        return {}
    opened = open_chosen_folder(folder)
    if opened is None:
        return {}
    _offer_reading(proposal, opened.records, key)
    known = opened.records.dropna(subset=["sha256"])
    return dict(zip(known["sha256"], known["path"].map(str), strict=True))


def _offer_reading(proposal: "Proposal", records: "pd.DataFrame", key: str) -> None:
    """Let the deployed model read again what it kept no reading of."""
    from melanoma_core.assessment.assessment import locate_photographs, read_again

    rows = locate_photographs(proposal.unread, records)
    if rows.empty or key in st.session_state:
        return
    st.button(f"Let the deployed model read {len(rows):,} of them", on_click=request_work, args=(_READ,))
    if not is_requested(_READ):
        return
    from melanoma_core.models.classifier import load_classifier

    classifier = load_classifier(find_model(load_settings(), proposal.deployed.model_id))
    st.session_state[key] = read_again(classifier, rows, show_progress("Reading"))
    cancel_request(_READ)
    st.rerun()


def _show_comparison(comparison: "Comparison | str", files: "dict[str, str]") -> None:
    st.subheader("Beside the deployed model", anchor=False)
    if isinstance(comparison, str):
        st.html(render_paragraphs([comparison]))
        return
    st.html(render_basis(comparison))
    show_table(tabulate_comparison(comparison))
    st.caption(
        "Differences are the candidate's less the deployed model's, with paired 95% intervals "
        "resampled by lesion. McNemar's test takes the first photograph of each lesion."
    )
    st.subheader("Where they disagree", anchor=False)
    rows = comparison.disagreements
    if rows.empty:
        st.html("<p>Nowhere: both alert on the same photographs.</p>")
        return
    counts = ", ".join(f"{count:,} × {kind}" for kind, count in rows["kind"].value_counts().items())
    st.caption(f"{len(rows):,} photographs: {counts}. Melanomas that the candidate misses first.")
    _show_cases(rows, files)


def _show_cases(rows: "pd.DataFrame", files: "dict[str, str]") -> None:
    num_pages = -(-len(rows) // _MOST_PICTURES)
    page = st.pagination(num_pages, key=f"cases-{len(rows)}") - 1 if num_pages > 1 else 0
    shown = rows.iloc[page * _MOST_PICTURES : (page + 1) * _MOST_PICTURES]
    with st.container(horizontal=True, key="disagreements"):
        for row in shown.to_dict("records"):
            with st.container(width=_WIDTH, gap="xxsmall"):
                path = files.get(row["sha256"])
                jpeg = get_thumbnail(path, row["sha256"]) if path else None
                if jpeg:
                    st.image(jpeg, width=_WIDTH, alt=f"Photograph {row['image_id']}")
                else:
                    st.html('<p class="missing">No picture at hand.</p>')
                st.html(render_disagreement({str(key): value for key, value in row.items()}))
