"""The Balancing tab: class weights or oversampling, previewed on the train subset."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.dataset.markup import render_leakage, render_table
from dashboard.shared.access import is_local
from dashboard.shared.downloads import offer_table, show_figure
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown, name_diagnosis
from dashboard.shared.progress import cancel_request, is_requested, request_work, show_progress
from dashboard.shared.split import choose_split
from melanoma_core.settings import load_settings
from melanoma_core.taxonomy import read_label

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.data.augmentation import Augmentation
    from melanoma_core.data.opening import OpenedFolder
    from melanoma_core.data.oversampling import Oversampling

_NUM_PREVIEWS, _PREVIEW_WIDTH = 8, 140  # px
_VALIDATION_SHARE = 0.2  # the usual share in tutorials
_CHOICES = {
    "none": "None",
    "class-weights": "Class weights",
    "oversampling": "Augmentor oversampling",
}
_WEIGHTS = {
    "before": "Images",
    "balanced": "Balanced weight",
    "effective_number": "Effective-number weight",
}
_OPERATIONS = {
    "rotation": ("Maximum rotation (°)", "In either direction."),
    "zoom": ("Maximum zoom", "As a fraction: 0.2 enlarges by up to 20%."),
    "shear": ("Maximum shear (°)", "In either direction."),
    "skew": ("Maximum skew", "Perspective tilt, as a fraction of the longer side."),
    "distortion": (
        "Maximum elastic distortion",
        "Displacement, as a fraction of the grid spacing.",
    ),
    "contrast": ("Maximum contrast change", "As a fraction, in either direction."),
    "brightness": ("Maximum brightness change", "As a fraction, in either direction."),
}


def show_balance(opened: "OpenedFolder") -> None:
    """Show the train subset before and after the chosen balancing."""
    train = choose_split(opened).subset("train")
    choice = st.radio(
        "Balancing of the train subset",
        list(_CHOICES),
        format_func=_CHOICES.__getitem__,
        horizontal=True,
        key="balancing",
        persist_state="session",
    )
    if choice == "class-weights":
        _show_weights(train)
    elif choice == "oversampling":
        _show_oversampling(opened, train)
    else:
        _show_none(train)


def _show_none(train: "pd.DataFrame") -> None:
    from dashboard.dataset.charts import draw_classes
    from melanoma_core.data.overview import count_classes, describe_imbalance, total_counts

    counts = count_classes(train)
    st.html(f"<p>{describe_imbalance(total_counts(counts))}</p>")
    table = counts.rename_axis("diagnosis")
    show_figure(draw_classes(counts, False), table, "train-by-class")


def _show_weights(train: "pd.DataFrame") -> None:
    from dashboard.dataset.charts import draw_balance
    from melanoma_core.data.balancing import tabulate_weights

    st.html(
        "<p>No images are added. Errors on rare classes count more in the loss. Balanced weights "
        "give every class the same total weight. Effective-number weights are less extreme.</p>"
    )
    table = tabulate_weights(train["label"])
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show_figure(
            draw_balance(table, "Weight of each class in the loss", "images, weighted"),
            table,
            "class-weights",
        )
    with right:
        st.html(render_table(table[list(_WEIGHTS)].rename(columns=_WEIGHTS)))


def _show_oversampling(opened: "OpenedFolder", train: "pd.DataFrame") -> None:
    from dashboard.dataset.charts import draw_balance
    from melanoma_core.data.balancing import plan_oversampling, tabulate_plan
    from melanoma_core.data.oversampling import Oversampling

    target, seed = _choose_target(int(train["label"].value_counts().max()))
    augmentation = _choose_augmentation()
    plan = plan_oversampling(train, target)
    oversampling = Oversampling(train, plan, augmentation, seed)
    table = tabulate_plan(plan)
    st.html(
        f"<p>{plan.num_synthetic:,} synthetic images would be made from {plan.num_originals:,} "
        "images of the train subset only. All images of a class serve as parents equally often, "
        "and every synthetic image names its parent.</p>"
    )
    left, right = st.columns(2, gap="medium")
    with left:
        show_figure(draw_balance(table, "Images per class", "images"), table, "oversampling")
    with right:
        _show_leakage(opened, target, seed)
        _offer_oversampling(opened, oversampling)
    st.header("Synthetic images beside their parents", anchor=False)
    _show_previews(oversampling)


def _choose_target(largest: int) -> tuple[int, int]:
    with st.sidebar:
        st.header("Oversampling", anchor=False)
        target = st.number_input(
            "Minimum images per class",
            min_value=1,
            value=largest,
            key=f"target-{largest}",
            persist_state="session",
            help="By default the size of the largest class. No image is removed.",
        )
        seed = st.number_input(
            "Oversampling seed",
            min_value=0,
            value=0,
            key="oversampling-seed",
            persist_state="session",
            help="The same seed gives the same images.",
        )
    return int(target), int(seed)


def _choose_augmentation() -> "Augmentation":
    """Choose the augmentation in the sidebar.

    Raises:
        RecipeError: Every operation is switched off.
    """
    from melanoma_core.data.augmentation import AUGMENTATION_LIMITS, Augmentation

    chosen: dict[str, Any] = {}
    with st.sidebar:
        chosen["flip"] = st.toggle(
            "Flip",
            value=Augmentation.flip,
            key="flip",
            persist_state="session",
            help="Horizontally and vertically, each with probability 0.5.",
        )
        for name, most in AUGMENTATION_LIMITS.items():
            label, description = _OPERATIONS[name]
            chosen[name] = st.slider(
                label,
                min_value=type(most)(0),
                max_value=most,
                value=getattr(Augmentation, name),
                key=name,
                persist_state="session",
                help=f"{description} 0 switches it off.",
            )
    return Augmentation(**chosen)


def _show_leakage(opened: "OpenedFolder", target: int, seed: int) -> None:
    from melanoma_core.data.balancing import plan_oversampling, simulate_leakage

    if st.toggle(
        "Simulate oversampling before the split",
        key="leakage",
        persist_state="session",
        help="A common mistake: 20% of the original and synthetic images together are drawn for "
        "validation.",
    ):
        # As in tutorials: all files outside Test, without cleaning.
        files = opened.records[
            opened.records["sha256"].notna() & opened.records["subset"].ne("test")
        ].drop_duplicates("image_id")
        plan = plan_oversampling(files, target)
        st.html(render_leakage(simulate_leakage(files, plan, _VALIDATION_SHARE, seed)))


def _offer_oversampling(opened: "OpenedFolder", oversampling: "Oversampling") -> None:
    from melanoma_core.data.oversampling import oversample

    own = load_settings().cache_dir / "oversampled" / f"{opened.folder.name}-{opened.key[:8]}"
    typed = st.text_input(
        "Output folder",
        value=str(own),
        key=f"oversampling-folder-{opened.key}",
        disabled=not is_local(),
        help="A new folder or that of an earlier run, outside the dataset.",
    )
    folder = Path(typed) if is_local() and typed.strip() else own
    if not is_requested("oversampling"):
        st.button(
            f"Create {oversampling.plan.num_synthetic:,} images",
            on_click=request_work,
            args=("oversampling",),
            disabled=oversampling.plan.num_synthetic == 0,
            type="primary",
        )
        _show_created()
        return
    st.button("Cancel", on_click=cancel_request, args=("oversampling",), key="cancel-oversampling")
    # Withdrawn first: an error or a rerun must not start the work again.
    cancel_request("oversampling")
    with show_errors():
        st.session_state["manifest"] = oversample(
            oversampling,
            folder,
            data_folder=opened.folder,
            progress=show_progress("Creating images"),
        )
        st.rerun()


def _show_created() -> None:
    manifest = st.session_state.get("manifest")
    if manifest is not None and len(manifest):
        place = Path(manifest["path"].iloc[0]).parent.parent
        st.caption(f"Created {len(manifest):,} images in {escape_markdown(str(place))}")
        offer_table(manifest, "manifest", "Download manifest")


def _show_previews(oversampling: "Oversampling") -> None:
    from melanoma_core.data.oversampling import preview_oversampling

    previews = preview_oversampling(oversampling, _NUM_PREVIEWS)
    if not previews:
        st.caption("No class needs more images.")
    with st.container(horizontal=True, key="previews"):
        for preview in previews:
            with st.container(border=True, width=330, gap="xxsmall"):
                with st.container(horizontal=True, gap="xsmall"):
                    for pixels, name in ((preview.parent, "Parent"), (preview.child, "Synthetic")):
                        with st.container(width=_PREVIEW_WIDTH, gap="xxsmall"):
                            st.image(pixels, width=_PREVIEW_WIDTH, alt=f"{name} image")
                            st.caption(name)
                name = name_diagnosis(read_label(preview.label))
                st.caption(f"{name}, {escape_markdown(preview.image_id)}")
