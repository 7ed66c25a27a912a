"""Which images a run trains on, in the sidebar: collections, a kept split, one left out."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.errors import show_errors
from melanoma_core.models.registry import list_models
from melanoma_core.settings import load_settings

if TYPE_CHECKING:  # the page is painted before pandas is imported
    from melanoma_core.runs.plan import RunRequest
    from melanoma_core.training.recipe import Recipe

_NONE, _EACH = "", "each"
_MOST_FOLDERS = 4


@dataclass(frozen=True)
class ImageChoice:
    """What a person chose.

    Attributes:
        without: Collections and image ids that are not used.
        train_only: Collections that serve training alone.
        left_out: The collection that is left out, or None.
        is_each: Whether there is one run per collection, which leaves it out.
        keep_split: Id of the model whose split is kept, or None.
        skips_tests: Whether the tests of heatmaps and robustness are left out.
    """

    without: tuple[str, ...] = ()
    train_only: tuple[str, ...] = ()
    left_out: str | None = None
    is_each: bool = False
    keep_split: str | None = None
    skips_tests: bool = False

    def make_request(self, recipe: "Recipe", seed: int) -> "RunRequest":
        """Return what a run is asked to do."""
        from melanoma_core.runs.plan import RunRequest
        from melanoma_core.training.selection import Selection

        selection = Selection(self.without, self.train_only, self.left_out)
        return RunRequest(recipe, seed, selection, self.keep_split, self.skips_tests)


def choose_images(folder: Path | None) -> ImageChoice:
    """Let a person choose the images of a run in the sidebar."""
    sources: list[str] = []
    with show_errors():
        sources = [] if folder is None else _list_sources(folder)
    with st.sidebar, st.expander("Images"):
        return _choose(folder, sources)


def _choose(folder: Path | None, sources: list[str]) -> ImageChoice:
    named = {
        _NONE: "none",
        **({_EACH: "each in turn, one run per collection"} if len(sources) > 1 else {}),
        **{name: name for name in (sources if len(sources) > 1 else [])},
    }
    left_out = st.selectbox(
        "Collection left out",
        list(named),
        format_func=named.__getitem__,
        key=f"left-out-{folder}",
        persist_state="session",
        help="Trains without this collection and evaluates on it, as on photographs from "
        "elsewhere. Each in turn: the tab Sources has the table.",
    )
    train_only = st.multiselect(
        "Collections for training alone",
        sources,
        key=f"train-only-{folder}",
        persist_state="session",
        placeholder="none",
        help="Never in validation or test: for example where no table names patients, so that "
        "photographs of one patient may be apart.",
    )
    unused = st.multiselect(
        "Collections not used",
        sources,
        key=f"without-{folder}",
        persist_state="session",
        placeholder="none",
    )
    ids = st.text_input(
        "Image ids not used",
        key=f"without-ids-{folder}",
        persist_state="session",
        placeholder="ISIC_0013626, ISIC_0013969",
        help="Separated by commas or spaces. Images of the same lesion, and copies, are not used "
        "either.",
    )
    models = {
        _NONE: "none",
        **{card.model_id: card.model_id for _, card in list_models(load_settings())},
    }
    kept = st.selectbox(
        "Keep the split of a model",
        list(models),
        format_func=models.__getitem__,
        key="keep-split",
        persist_state="session",
        help="Each image stays in the subset that it had for that model, so that both can be "
        "compared on the same test images. A recipe that starts from a model keeps its split.",
    )
    is_each = left_out == _EACH
    skips_tests = st.toggle(
        "Skip the tests of heatmaps and robustness",
        value=False,
        key="skip-tests",
        persist_state="session",
        disabled=is_each,
        help="They can take longer than a short training. Where each collection is left out in "
        "turn, they are always skipped.",
    )
    return ImageChoice(
        without=(*unused, *filter(None, re.split(r"[,;\s]+", ids))),
        train_only=tuple(name for name in train_only if name not in unused),
        left_out=left_out if left_out not in {_NONE, _EACH} else None,
        is_each=is_each,
        keep_split=kept or None,
        skips_tests=skips_tests or is_each,
    )


@st.cache_data(show_spinner=False, ttl=60, max_entries=_MOST_FOLDERS)
def _list_sources(folder: Path) -> list[str]:
    """Return the names of the collections of a folder.

    Raises:
        DatasetError: The folder has no known layout.
    """
    from melanoma_core.data.layouts import Layout, find_collections

    found = find_collections(folder)
    return sorted({each.folder.name for each in found if each.layout is not Layout.GROUND_TRUTH})
