"""The recipe in the sidebar: a preset and a widget for each of its fields."""

from dataclasses import replace
from enum import StrEnum
from typing import Any

import streamlit as st

from dashboard.shared.access import is_local
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown
from dashboard.training.field import FieldValues, Group, RecipeField
from dashboard.training.fields import (
    PRESET_DESCRIPTIONS,
    RANDOM,
    RECIPE_FIELDS,
    WEIGHT_SOURCES,
    describe_changes,
    get_values,
    name_choice,
)
from dashboard.training.markup import render_leak
from melanoma_core.errors import RecipeError
from melanoma_core.training.recipe import PRESETS, Recipe

_FILE = "file"
_REVISION = "recipe-revision"


def choose_recipe() -> Recipe | None:
    """Let a person choose a recipe; show an error and return None if its values are invalid."""
    with st.sidebar, show_errors():
        st.subheader("Recipe", anchor=False)
        name = st.selectbox(
            "Preset",
            list(PRESETS),
            key="preset",
            persist_state="session",
            help="From the simplest to the most elaborate. Every field can be changed below.",
        )
        preset = PRESETS[name]
        if preset.leaks:
            st.html(render_leak(PRESET_DESCRIPTIONS[name]))
        else:
            st.caption(PRESET_DESCRIPTIONS[name])
        values = _choose_values(preset)
        _show_changes(values, preset)
        return replace(preset, **values)
    return None


def _choose_values(preset: Recipe) -> FieldValues:
    # The widgets' current values: a field may be disabled by another one further down.
    current = {
        name: st.session_state.get(_get_key(preset, name), value)
        for name, value in get_values(preset).items()
    }
    values: FieldValues = {}
    for group in Group:
        with st.expander(group):
            for name, field in RECIPE_FIELDS.items():
                if field.group is group:
                    is_disabled = not field.has_effect(current)
                    values[name] = _choose_value(preset, name, field, is_disabled)
    return values


def _choose_value(preset: Recipe, name: str, field: RecipeField, is_disabled: bool) -> Any:
    value = getattr(preset, name)
    if name == "weights":
        return _choose_weights(preset, field, is_disabled)
    shared: dict[str, Any] = {
        "label": field.label,
        "key": _get_key(preset, name),
        "help": field.help,
        "disabled": is_disabled,
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
            min_value=kind(field.minimum),
            max_value=None if field.maximum is None else kind(field.maximum),
            value=value,
            step=kind(field.step),
            format="%d" if kind is int else _choose_format(field.step),
            **shared,
        )
    )


def _choose_format(step: float) -> str:
    """Return a format with enough digits for a step, and for a tenth of a small step."""
    if step >= 0.01:
        return "%.2f"
    return "%.4f" if step >= 0.001 else "%.6f"


def _choose_weights(preset: Recipe, field: RecipeField, is_disabled: bool) -> str:
    sources = WEIGHT_SOURCES | ({_FILE: "file"} if is_local() else {})
    source = st.radio(
        field.label,
        list(sources),
        index=list(sources).index(preset.weights),
        format_func=sources.__getitem__,
        key=_get_key(preset, "weights"),
        help=field.help,
        disabled=is_disabled,
        horizontal=True,
        persist_state="session",
    )
    if source != _FILE:
        return str(source)
    path = st.text_input(
        "Path of the weights file",
        key=_get_key(preset, "weights-path"),
        help="Backbone weights without the head, from keras.applications; or the model.keras of "
        "one of your models, to fine-tune it. Images that it was trained on stay in the train "
        "subset.",
        disabled=is_disabled,
        persist_state="session",
    ).strip()
    if not path and not is_disabled:
        raise RecipeError(
            "Found no path of a weights file. The initial weights need one. Enter it under "
            "Network, or choose ImageNet."
        )
    return path or RANDOM


def _show_changes(values: FieldValues, preset: Recipe) -> None:
    changes = describe_changes(values, preset)
    if not changes:
        st.caption(f"The preset {preset.name}, unchanged.")
        return
    st.caption(f"Changed from the preset {preset.name}: {escape_markdown(changes)}.")
    st.button(
        "Reset to the preset",
        help="Undoes every change of this recipe.",
        on_click=_reset,
        width="stretch",
    )


def _get_key(preset: Recipe, name: str) -> str:
    return f"recipe-{preset.name}-{st.session_state.get(_REVISION, 0)}-{name}"


def _reset() -> None:
    """Give every widget a new key, so that it starts from the preset's value."""
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1
