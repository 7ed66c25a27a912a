"""The recipe in the sidebar: a preset, and every field of it to be changed."""

from dataclasses import replace
from enum import StrEnum
from typing import Any

import streamlit as st

from dashboard.shared.errors import show_errors
from dashboard.shared.folder import is_local
from dashboard.shared.markup import escape_markdown
from dashboard.training.fields import (
    RECIPE_FIELDS,
    Chosen,
    Group,
    RecipeField,
    describe_changes,
    read_chosen,
)
from dashboard.training.markup import render_leak
from dashboard.training.titles import PRESET_TITLES, RANDOM, STARTS, name_choice
from melanoma_core.errors import RecipeError
from melanoma_core.training.recipe import PRESETS, Recipe

_FILE = "file"
_REVISION = "recipe-revision"


def choose_recipe() -> Recipe | None:
    """Let a person choose a recipe; None where it asks for the impossible, with the reason."""
    with st.sidebar, show_errors():
        st.subheader("Recipe", anchor=False)
        name = st.selectbox(
            "Start from",
            list(PRESETS),
            key="preset",
            persist_state="session",
            help="The ways that lead through this problem, the plainest first. Everything in them "
            "can be changed below.",
        )
        preset = PRESETS[name]
        if preset.leaks:
            st.html(render_leak(PRESET_TITLES[name]))
        else:
            st.caption(PRESET_TITLES[name])
        chosen = _choose_fields(preset)
        _show_changes(chosen, preset)
        return replace(preset, **chosen)
    return None


def _choose_fields(preset: Recipe) -> Chosen:
    # What the browser says already: a field is disabled by what another, further down, is set to.
    before = {
        name: st.session_state.get(_key(preset, name), value)
        for name, value in read_chosen(preset).items()
    }
    chosen: Chosen = {}
    for group in Group:
        with st.expander(group):
            for name, field in RECIPE_FIELDS.items():
                if field.group is group:
                    chosen[name] = _choose(preset, name, field, is_off=not field.counts(before))
    return chosen


def _choose(preset: Recipe, name: str, field: RecipeField, is_off: bool) -> Any:
    value = getattr(preset, name)
    if name == "weights":
        return _choose_weights(preset, field, is_off)
    shared: dict[str, Any] = {
        "label": field.label,
        "key": _key(preset, name),
        "help": field.told,
        "disabled": is_off,
        "persist_state": "session",
    }
    if isinstance(value, bool):
        return st.toggle(value=value, **shared)
    if isinstance(value, StrEnum):
        kind = type(value)
        options = list(kind)
        index = options.index(value)
        return kind(st.selectbox(options=options, index=index, format_func=name_choice, **shared))
    kind = type(value)
    return kind(
        st.number_input(
            min_value=kind(field.least),
            max_value=None if field.most is None else kind(field.most),
            value=value,
            step=kind(field.step),
            format="%d" if kind is int else _format(field.step),
            **shared,
        )
    )


def _format(step: float) -> str:
    """Return how a number is written whose smallest change is a step, or a tenth of a small one."""
    if step >= 0.01:
        return "%.2f"
    return "%.4f" if step >= 0.001 else "%.6f"


def _choose_weights(preset: Recipe, field: RecipeField, is_off: bool) -> str:
    starts = STARTS | ({_FILE: "a file"} if is_local() else {})
    start = st.radio(
        field.label,
        list(starts),
        index=list(starts).index(preset.weights),
        format_func=starts.__getitem__,
        key=_key(preset, "weights"),
        help=field.told,
        disabled=is_off,
        horizontal=True,
        persist_state="session",
    )
    if start != _FILE:
        return str(start)
    path = st.text_input(
        "Path of the file of weights",
        key=_key(preset, "weights-path"),
        help="Weights of this network without its head, as keras.applications gives them; or the "
        "model.keras of a model of yours, to go on from it: what that one learned stays in train.",
        disabled=is_off,
        persist_state="session",
    ).strip()
    if not path and not is_off:
        raise RecipeError(
            "Found no file of weights to start from. Give its path under Network, or start from "
            "ImageNet."
        )
    return path or RANDOM


def _show_changes(chosen: Chosen, preset: Recipe) -> None:
    changes = describe_changes(chosen, preset)
    if not changes:
        st.caption(f"As the preset {preset.name} has it.")
        return
    st.caption(f"Changed from the preset {preset.name}: {escape_markdown(changes)}.")
    st.button(
        "Back to the preset",
        help="Undo every change of this recipe.",
        on_click=_reset,
        width="stretch",
    )


def _key(preset: Recipe, name: str) -> str:
    return f"recipe-{preset.name}-{st.session_state.get(_REVISION, 0)}-{name}"


def _reset() -> None:
    """Give every field a new key: each starts afresh, from its preset."""
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1
