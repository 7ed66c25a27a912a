"""Figures of the audit, computed once for what was read and what is shown of it."""

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.performance.choice import Choice
    from dashboard.performance.data import Kept
    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.evaluation.prevalence import Prevalence
    from melanoma_core.records.audit import Drift
    from melanoma_core.records.audit_cases import AuditCase
    from melanoma_core.records.audit_flow import AuditFlow
    from melanoma_core.records.audit_scores import ScoreQuality
    from melanoma_core.records.audit_table import AuditTable
    from melanoma_core.records.performance import Group, Performance

_MOST = 64
Key = tuple[str, ...]


def make_key(kept: "Kept", choice: "Choice") -> Key:
    """Return what stands for the lesions that are shown."""
    return (kept.key, *choice.key)


def select_cases(kept: "Kept", choice: "Choice") -> "Sequence[AuditCase]":
    """Return the lesions that are shown."""
    return _select(kept.data.cases, choice, make_key(kept, choice))


def get_performance(kept: "Kept", choice: "Choice") -> "Performance":
    """Return how good doctor, network and both together are."""
    return _measure(kept.data.cases, choice, make_key(kept, choice))


def get_flow(kept: "Kept", choice: "Choice") -> "AuditFlow":
    """Return how many of the lesions that are shown reached each step."""
    return _measure_flow(select_cases(kept, choice), make_key(kept, choice))


def get_groups(kept: "Kept", choice: "Choice") -> "tuple[Group, ...]":
    """Return the same for each part."""
    return _measure_groups(kept.data.cases, choice, (*make_key(kept, choice), str(choice.grouping)))


def get_scores(kept: "Kept", choice: "Choice") -> "tuple[tuple[ScoreQuality, ...], Figure]":
    """Return how good the probabilities are, and the difference of the areas under the curves."""
    return _measure_scores(kept.data.cases, choice, make_key(kept, choice))


def get_drift(kept: "Kept", model: str, prevalence: "Prevalence | None") -> "Drift":
    """Return how photographs and scores change.

    Args:
        kept: What was read.
        model: Id of the model.
        prevalence: Of the clinic, for the model's test photographs.

    Raises:
        ModelError: The model cannot be read.
    """
    return _measure_drift(kept, model, prevalence, (kept.key, model, repr(prevalence)))


@st.cache_resource(show_spinner=False, max_entries=_MOST)
def _select(
    _cases: "Sequence[AuditCase]",
    _choice: "Choice",
    key: Key,  # noqa: ARG001
) -> "Sequence[AuditCase]":
    from melanoma_core.records.performance import find_value

    if not _choice.value:
        return _cases
    return tuple(each for each in _cases if find_value(each, _choice.grouping) == _choice.value)


def _make_table(cases: "Sequence[AuditCase]", choice: "Choice", key: Key) -> "AuditTable":
    from melanoma_core.records.audit_table import make_table

    return make_table(_select(cases, choice, key), choice.scope)


@st.cache_resource(show_spinner="Measuring sensitivity and specificity", max_entries=_MOST)
def _measure(_cases: "Sequence[AuditCase]", _choice: "Choice", key: Key) -> "Performance":
    from melanoma_core.records.performance import measure_performance

    return measure_performance(_make_table(_cases, _choice, key))


@st.cache_resource(show_spinner=False, max_entries=_MOST)
def _measure_flow(_cases: "Sequence[AuditCase]", key: Key) -> "AuditFlow":  # noqa: ARG001
    from melanoma_core.records.audit_flow import measure_audit_flow

    return measure_audit_flow(_cases)


@st.cache_resource(show_spinner="Measuring each part", max_entries=_MOST)
def _measure_groups(
    _cases: "Sequence[AuditCase]", _choice: "Choice", key: Key
) -> "tuple[Group, ...]":
    from melanoma_core.records.performance import measure_groups

    return measure_groups(_make_table(_cases, _choice, key[:-1]), _choice.grouping)


@st.cache_resource(show_spinner="Measuring curves and calibration", max_entries=_MOST)
def _measure_scores(
    _cases: "Sequence[AuditCase]", _choice: "Choice", key: Key
) -> "tuple[tuple[ScoreQuality, ...], Figure]":
    from melanoma_core.records.audit_scores import compare_areas, measure_scores

    table = _make_table(_cases, _choice, key)
    return measure_scores(table), compare_areas(table)


@st.cache_resource(show_spinner="Comparing each month", max_entries=_MOST)
def _measure_drift(
    _kept: "Kept",
    _model: str,
    _prevalence: "Prevalence | None",
    key: Key,  # noqa: ARG001
) -> "Drift":
    from melanoma_core.models.registry import find_model
    from melanoma_core.records.audit import make_drift
    from melanoma_core.settings import load_settings

    return make_drift(_kept.data.photographs, find_model(load_settings(), _model), _prevalence)
