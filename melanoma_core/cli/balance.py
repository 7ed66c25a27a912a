"""`python -m melanoma_core dataset balance`: balance the training subset."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from melanoma_core.changes import change_fields
from melanoma_core.cli.files import draw_split, print_table
from melanoma_core.cli.terminal import make_counter, print_json
from melanoma_core.errors import RecipeError
from melanoma_core.jsonable import to_jsonable

if TYPE_CHECKING:
    from melanoma_core.data.augmentation import Augmentation

_VALIDATION_SHARE = 0.2  # of a split image by image, as in many published projects


def balance(options: argparse.Namespace) -> int:
    """Compute class weights for the training subset, or oversample its rare classes."""
    document = (
        _compute_weights(options) if options.method == "class-weights" else _oversample(options)
    )
    if options.json:
        print_json(document)
        return 0
    print_table(document["classes"])
    if "before_split" in document:
        _print_leakage(document["before_split"])
    return 0


def _compute_weights(options: argparse.Namespace) -> dict[str, Any]:
    given = [f"--{name}" for name in ("target", "out") if getattr(options, name) is not None]
    given += ["--set"] if options.changes else []
    if given:
        raise RecipeError(
            f"Found {', '.join(given)} with --method class-weights, which creates no images. "
            "Remove it, or choose --method oversampling."
        )
    from melanoma_core.data.balancing import class_weights

    train = draw_split(options).subset("train")
    counts = train["label"].value_counts()
    classes = {
        label: {"num_images": int(counts[label]), "weight": weight}
        for label, weight in class_weights(train["label"]).items()
    }
    return {"method": options.method, "seed": options.seed, "classes": classes}


def _oversample(options: argparse.Namespace) -> dict[str, Any]:
    augmentation = _make_augmentation(options.changes)
    import pandas as pd

    from melanoma_core.data.balancing import (
        check_parents,
        plan_oversampling,
        simulate_leakage,
    )
    from melanoma_core.data.oversampling import MANIFEST_NAME, Oversampling, oversample

    split = draw_split(options)
    train = split.subset("train")
    plan = plan_oversampling(train, options.target)
    known = pd.concat([train, split.subset("validation")], ignore_index=True)
    leakage = simulate_leakage(
        known, plan_oversampling(known, options.target), _VALIDATION_SHARE, options.seed
    )
    if options.out:
        manifest = oversample(
            Oversampling(train, plan, augmentation, options.seed),
            options.out,
            data_folder=options.folder,
            progress=make_counter("Creating images"),
        )
        check_parents(manifest, split.table)
    return {
        "method": options.method,
        "seed": options.seed,
        "augmentation": to_jsonable(augmentation),
        "classes": {
            each.label: {
                "num_originals": each.num_originals,
                "num_synthetic": each.num_synthetic,
                "num_after": each.num_after,
            }
            for each in plan.classes
        },
        "num_synthetic": plan.num_synthetic,
        "manifest": str(options.out / MANIFEST_NAME) if options.out else None,
        "before_split": to_jsonable(leakage),
    }


def _print_leakage(leakage: Mapping[str, int]) -> None:
    print(
        "\nOversampling before a split image by image, as in many published projects, would leak: "
        f"{leakage['num_relative_in_train']:,} of {leakage['num_validation']:,} validation images "
        "would have a parent, child or sibling in the training subset."
    )


def _make_augmentation(changes: list[str]) -> "Augmentation":
    """Return the default augmentation with changes given as `key=value` strings."""
    from melanoma_core.data.augmentation import Augmentation

    return change_fields(Augmentation(), changes, "operation")
