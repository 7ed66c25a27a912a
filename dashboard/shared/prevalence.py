"""The prevalence of a person's clinic, which every page that states a probability uses.

It is remembered for the session, and in the address, so that a reload and a bookmark keep it.
"""

import streamlit as st

from dashboard.shared.errors import show_errors
from melanoma_core.errors import SettingsError
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.settings import load_settings, parse_prevalence

PREVALENCE = "Prevalence in your clinic"
_PARAMETER = "prevalence"  # in the address, and the key of the prevalence in the session
_FIELDS = "prevalence-fields"
_MELANOMA, _SKIN_CANCER = "prevalence-melanoma", "prevalence-skin-cancer"
_STEP = 0.5  # percentage points
_DIGITS = 8  # a share is a percentage divided by 100, without its rounding error


def choose_prevalence() -> Prevalence | None:
    """Show the fields of the prevalence; return it, or None while it is not set.

    Fields start with the values in the address, else with those of the setting.
    """
    with show_errors():
        _start()
    melanoma = _ask(
        "Melanomas, % of lesions",
        _MELANOMA,
        "How many of 100 lesions that you examine are melanomas. Empty: not set.",
    )
    skin_cancer = _ask(
        "Skin cancers, % of lesions",
        _SKIN_CANCER,
        "How many of 100 lesions that you examine are melanomas, basal cell carcinomas or squamous "
        "cell carcinomas together. Empty: not set.",
    )
    prevalence = None
    with show_errors():
        prevalence = _combine(melanoma, skin_cancer)
    if melanoma is not None or skin_cancer is not None:
        st.button("Clear prevalence", on_click=_clear)
    _remember(prevalence)
    return prevalence


def get_prevalence() -> Prevalence | None:
    """Return the prevalence that was chosen above on this page; None if it is not set."""
    kept: Prevalence | None = st.session_state.get(_PARAMETER)
    return kept


def _start() -> None:
    """Fill the fields when a session begins.

    Raises:
        SettingsError: The address or the setting has something else than a prevalence.
    """
    if _FIELDS in st.session_state:
        return
    shares = None
    try:
        shares = load_settings().prevalence
        text = st.query_params.get(_PARAMETER)
        if text is not None:
            shares = parse_prevalence("prevalence in the address", text)
    finally:
        st.session_state[_FIELDS] = {
            key: None if share is None else round(100 * share, _DIGITS)
            for key, share in zip((_MELANOMA, _SKIN_CANCER), shares or (None, None), strict=True)
        }


def _ask(label: str, key: str, explanation: str) -> float | None:
    fields = st.session_state[_FIELDS]
    # Fields with the same key on two pages are two fields, and each begins empty.
    st.session_state[key] = st.session_state.get(key, fields[key])
    fields[key] = st.number_input(
        label,
        min_value=0.0,
        max_value=100.0,
        value=None,
        step=_STEP,
        format="%g",
        key=key,
        placeholder="not set",
        help=explanation,
    )
    answer: float | None = fields[key]
    return answer


def _combine(melanoma: float | None, skin_cancer: float | None) -> Prevalence | None:
    """Return the prevalence of two percentages; None if neither is set.

    Raises:
        SettingsError: Only one is set, or there are more melanomas than skin cancers.
    """
    if melanoma is None and skin_cancer is None:
        return None
    if melanoma is None or skin_cancer is None:
        missing = "melanomas" if melanoma is None else "skin cancers"
        raise SettingsError(f"Found no share of {missing}. Enter it, or clear the prevalence.")
    if skin_cancer < melanoma:
        raise SettingsError(
            f"Found {melanoma:g}% melanomas and {skin_cancer:g}% skin cancers. Every melanoma is a "
            "skin cancer, so the second share is at least as large. Change one of them."
        )
    return Prevalence(round(melanoma / 100, _DIGITS), round(skin_cancer / 100, _DIGITS))


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
    st.session_state[_MELANOMA] = st.session_state[_SKIN_CANCER] = None
