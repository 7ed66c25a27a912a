"""The prevalence of a person's clinic, which every page that states a probability uses.

It is remembered for the session, and in the address, so that a reload and a bookmark keep it.
"""

import streamlit as st

from dashboard.shared.errors import show_errors, store_errors
from dashboard.shared.markup import render_error
from melanoma_core.evaluation.prevalence import Prevalence, parse_percentages
from melanoma_core.models.card_text.prevalence import question_prevalence
from melanoma_core.settings import load_settings, parse_prevalence

PREVALENCE = "Prevalence in your clinic"
_PARAMETER = "prevalence"  # in the address, and the key of the prevalence in the session
_FIELDS, _ERROR = "prevalence-fields", "prevalence-error"
_MELANOMA, _SKIN_CANCER = "prevalence-melanoma", "prevalence-skin-cancer"
_MELANOMA_ALONE = (
    "Found a prevalence of melanoma alone, {}% of lesions. Enter that of skin cancers in the "
    "sidebar as well, or clear it there."
)
_DIGITS = 8  # a percentage is a share times 100, without its rounding error


def choose_prevalence() -> Prevalence | None:
    """Show the fields of the prevalence; return it, or None while it is not set.

    Fields start with the values in the address, else with those of the setting.
    """
    _start()
    melanoma = _ask(
        "Melanomas, % of lesions",
        _MELANOMA,
        "How many of 100 lesions that you examine are melanomas, such as 2.5. Empty: not set.",
    )
    skin_cancer = _ask(
        "Skin cancers, % of lesions",
        _SKIN_CANCER,
        "How many of 100 lesions that you examine are melanomas, basal cell carcinomas or squamous "
        "cell carcinomas together, such as 8. Empty: not set.",
    )
    prevalence = None
    with show_errors():
        prevalence = parse_percentages(melanoma, skin_cancer)
    if prevalence is not None and (question := question_prevalence(prevalence)):
        st.caption(question)
    if melanoma or skin_cancer:
        st.button("Clear prevalence", on_click=_clear)
    _remember(prevalence)
    return prevalence


def get_prevalence() -> Prevalence | None:
    """Return the prevalence that was chosen above on this page; None if it is not set."""
    kept: Prevalence | None = st.session_state.get(_PARAMETER)
    return kept


def show_address_error() -> None:
    """Show on the page, not in the closed panel, what is wrong or missing in address or setting."""
    error = st.session_state.get(_ERROR)
    if error:
        instead = "the one in the sidebar" if get_prevalence() else "no prevalence"
        st.html(render_error(f"{error} Until then, {instead} is used."))


def _start() -> None:
    """Fill the fields when a session begins, and keep what is wrong with its default."""
    if _FIELDS in st.session_state:
        return
    shares: tuple[float, ...] = ()
    with store_errors(_ERROR):
        shares = load_settings().prevalence or ()
        text = st.query_params.get(_PARAMETER)
        if text is not None:
            shares = parse_prevalence("prevalence in the address", text) or ()
    percentages = [f"{round(100 * share, _DIGITS):g}" for share in shares]
    if len(percentages) == 1:
        st.session_state[_ERROR] = _MELANOMA_ALONE.format(*percentages)
    melanoma, skin_cancer, *_ = [*percentages, "", ""]
    st.session_state[_FIELDS] = {_MELANOMA: melanoma, _SKIN_CANCER: skin_cancer}


def _ask(label: str, key: str, explanation: str) -> str:
    fields = st.session_state[_FIELDS]
    # Fields with the same key on two pages are two fields, and each begins empty.
    st.session_state[key] = st.session_state.get(key, fields[key])
    # Not a number field, which drops a decimal comma: 2,5 would become 25.
    fields[key] = st.text_input(
        label, key=key, placeholder="not set", help=explanation, on_change=_forget_error
    )
    answer: str = fields[key]
    return answer


def _remember(prevalence: Prevalence | None) -> None:
    """Keep the prevalence in the session and in the address."""
    st.session_state[_PARAMETER] = prevalence
    text = f"{prevalence.melanoma:g},{prevalence.skin_cancer:g}" if prevalence else None
    if st.query_params.get(_PARAMETER) == text:
        return
    if text is None:
        del st.query_params[_PARAMETER]
    else:
        st.query_params[_PARAMETER] = text


def _clear() -> None:
    st.session_state[_MELANOMA] = st.session_state[_SKIN_CANCER] = ""
    _forget_error()


def _forget_error() -> None:
    st.session_state[_ERROR] = ""
