"""The recipe: a preset in the sidebar, and a widget for each of its fields in the Recipe tab.

Both are in the address, as the command line would name them: `preset=quick&set=epochs=5`.
"""

from dataclasses import replace
from enum import StrEnum
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.shared.access import is_local
from dashboard.shared.address import follow_address, opens_page, write_address
from dashboard.shared.errors import show_errors
from dashboard.shared.html import show_html
from dashboard.shared.markup import escape_markdown
from dashboard.training.field import FieldValues, Group, RecipeField
from dashboard.training.fields import (
    PRESET_DESCRIPTIONS,
    RANDOM,
    RECIPE_FIELDS,
    WEIGHT_SOURCES,
    describe_changes,
    get_values,
    list_changes,
    name_choice,
    restore_values,
)
from dashboard.training.markup import render_group, render_leak, render_preset_value
from melanoma_core.errors import RecipeError
from melanoma_core.training.recipe import PRESETS, Recipe

_FILE = "file"
_REVISION = "recipe-revision"
_PRESET, _CHANGES = "preset", "set"  # in the address
_KNOWN = "address-recipe"  # in the session: the changes that were last in the address


def choose_recipe(fields: DeltaGenerator, edit: str) -> Recipe | None:
    """Let a person choose a recipe; show an error and return None if its values are invalid.

    Args:
        fields: Container for the fields.
        edit: Key of the widget whose value "Recipe" shows that container.
    """
    preset = _choose_preset()
    with st.sidebar, show_errors():
        _follow_changes(preset)
    values: FieldValues = {}
    with st.sidebar:
        summary = st.container()
    with summary, show_errors():
        with fields:
            values = _choose_values(preset)
        _write_changes(values, preset)
        _show_changes(values, preset, edit)
        return replace(preset, **values)
    return None


def _choose_preset() -> Recipe:
    first = next(iter(PRESETS))
    with st.sidebar:
        st.header("Recipe", anchor=False)
        follow_address(_PRESET, _PRESET, first, PRESETS)
        name = st.selectbox(
            "Preset",
            list(PRESETS),
            key=_PRESET,
            persist_state="session",
            help="From the simplest to the most elaborate. Every field can be changed in the tab "
            "Recipe.",
        )
        write_address(_PRESET, _PRESET, first)
        if PRESETS[name].leaks:
            show_html(render_leak(PRESET_DESCRIPTIONS[name]))
        else:
            st.caption(PRESET_DESCRIPTIONS[name])
    return PRESETS[name]


def _follow_changes(preset: Recipe) -> None:
    """Give the fields the values in the address, if a link, a reload or Back has changed them.

    Raises:
        RecipeError: The address holds a field or a value that does not exist.
    """
    asked = st.query_params.get_all(_CHANGES)
    is_kept = not asked and opens_page() and _KNOWN in st.session_state
    if is_kept or asked == st.session_state.get(_KNOWN, []):
        return
    st.session_state[_KNOWN] = asked
    for name, value in restore_values(preset, asked).items():
        is_file = name == "weights" and value not in WEIGHT_SOURCES
        if is_file and is_local():
            st.session_state[_get_key(preset, "weights-path")] = value
        if not is_file or is_local():
            st.session_state[_get_key(preset, name)] = _FILE if is_file else value


def _write_changes(values: FieldValues, preset: Recipe) -> None:
    changes = list_changes(values, preset)
    st.session_state[_KNOWN] = changes
    if changes == st.query_params.get_all(_CHANGES):
        return
    if changes:
        st.query_params[_CHANGES] = changes
    else:
        del st.query_params[_CHANGES]


def _choose_values(preset: Recipe) -> FieldValues:
    # The widgets' current values: a field may be disabled by another one further down.
    current = {
        name: st.session_state.setdefault(_get_key(preset, name), value)
        for name, value in get_values(preset).items()
    }
    values: FieldValues = {}
    columns = st.columns(2, gap="large")
    for number, group in enumerate(Group):
        with columns[number % len(columns)], st.container(key=f"group-{group.name.lower()}"):
            show_html(render_group(group))
            for name, field in RECIPE_FIELDS.items():
                if field.group is group:
                    is_disabled = not field.has_effect(current)
                    with st.container(horizontal=True, vertical_alignment="bottom"):
                        values[name] = _choose_value(preset, name, field, is_disabled)
                        text = render_preset_value(values[name], getattr(preset, name))
                        st.html(text, width=130)
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
        "width": "stretch",
    }
    if isinstance(value, bool):
        return st.toggle(**shared)
    if isinstance(value, StrEnum):
        kind = type(value)
        return kind(st.selectbox(options=list(kind), format_func=name_choice, **shared))
    kind = type(value)
    return kind(
        st.number_input(
            min_value=kind(field.minimum),
            max_value=None if field.maximum is None else kind(field.maximum),
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
    with st.container(width="stretch"):
        source = st.radio(
            field.label,
            list(sources),
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
            help="Backbone weights without the head, from keras.applications; or the model.keras "
            "of one of your models, to fine-tune it. Images that it was trained on stay in the "
            "train subset.",
            disabled=is_disabled,
            persist_state="session",
        ).strip()
    if not path and not is_disabled:
        raise RecipeError(
            "Found no path of a weights file. The initial weights need one. Enter it in the tab "
            "Recipe under Network, or choose ImageNet."
        )
    return path or RANDOM


def _show_changes(values: FieldValues, preset: Recipe, edit: str) -> None:
    changes = describe_changes(values, preset)
    if changes:
        st.caption(f"Changed from the preset {preset.name}: {escape_markdown(changes)}.")
        st.button(
            "Reset to the preset",
            help="Undoes every change of this recipe.",
            on_click=_reset,
            width="stretch",
        )
    else:
        st.caption(f"The preset {preset.name}, unchanged.")
    st.button(
        "Change the recipe",
        help="Opens the tab Recipe, with every field.",
        on_click=_open_fields,
        args=(edit,),
        width="stretch",
    )


def _get_key(preset: Recipe, name: str) -> str:
    return f"recipe-{preset.name}-{st.session_state.get(_REVISION, 0)}-{name}"


def _reset() -> None:
    """Give every widget a new key, so that it starts from the preset's value."""
    st.session_state[_REVISION] = st.session_state.get(_REVISION, 0) + 1


def _open_fields(edit: str) -> None:
    st.session_state[edit] = "Recipe"
