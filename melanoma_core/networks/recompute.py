"""Compute card and evidence of a released model again, with the same weights.

What a card reports grows with the project, and tables say more of the photographs later: how a
diagnosis was confirmed, for example.
"""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from melanoma_core.files import make_draft
from melanoma_core.models.card import KERAS_NAME, ONNX_NAME, ModelCard, OperatingPoint, load_card
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.evidence import read_evidence
from melanoma_core.models.identity import make_model_id
from melanoma_core.models.integrity import check_network
from melanoma_core.networks.found import Photographs, find_split
from melanoma_core.networks.measurement import Material, measure_model
from melanoma_core.training.description import (
    INTENDED_USE,
    count_confirmations,
    count_skin_tones,
    describe_images,
    list_limitations,
)
from melanoma_core.training.preparation import TEST, VALIDATION
from melanoma_core.training.recipe import Recipe

_ADVICE = "or set MELANOMA_MODELS_DIR to another folder"
_SETTLED = ("licences", "licence_of_the_model")
_MEASURED = (VALIDATION, TEST)  # subsets whose photographs are read


def recompute_model(folder: Path, photographs: Photographs, models_dir: Path) -> Path:
    """Write a released model as a new one: same weights, everything else computed again.

    Temperatures, operating points, prediction sets and heatmap scale are fitted on its validation
    subset, metrics and evidence computed on its test subset, as a release does. What rests on its
    weights, its training or its split alone is kept: the leakage check, the out-of-distribution
    limit, the training log, and the heatmap tests if no alert changes.

    Args:
        folder: Folder of the model.
        photographs: Where its photographs are.
        models_dir: Folder of models. The new model gets its own folder, named by its id.

    Returns:
        The new folder.

    Raises:
        ModelError: The model is damaged or keeps no split, or a photograph of its validation or
            test subset is missing.
        FolderError: The new folder cannot be written.
    """
    card, evidence = load_card(folder), read_evidence(folder)
    found = find_split(folder, card, photographs, _MEASURED)
    for name in (KERAS_NAME, ONNX_NAME):
        check_network(folder / name, card)
    material = Material(
        table=found.table,
        ancestor=found.ancestor,
        key=None,  # with another key, they could no longer be compared
        leakage=card.leakage,
        training=evidence.training if evidence else None,
        machine=evidence.machine if evidence else None,
        measured=card,
        on_phase=photographs.on_phase,
    )
    with make_draft(models_dir, _ADVICE) as draft:
        for name in (KERAS_NAME, ONNX_NAME):
            shutil.copyfile(folder / name, draft / name)
        renewed = _renew_card(card, found.table)
        measure_model(load_classifier(draft, card=renewed), material, draft)
        return draft.rename(models_dir / renewed.model_id)


def _renew_card(card: ModelCard, table: pd.DataFrame) -> ModelCard:
    """Return a card with a new id, and with its sentences and data as they are written today."""
    now = datetime.now(UTC)
    origin = card.data.get("recomputed_from", card.model_id)  # of a recomputed model, the first
    data = card.data | _describe(table) | {"recomputed_from": origin}
    # The licence was settled when the network was trained, also where no table states it.
    data |= {name: card.data[name] for name in _SETTLED if name in card.data}
    target = card.recipe.get(
        "skin_cancer_target_sensitivity", Recipe("").skin_cancer_target_sensitivity
    )
    return replace(
        card,
        model_id=make_model_id(card.recipe.get("architecture", "model"), card.files, now),
        created_at=now.isoformat(timespec="seconds"),
        files={name: card.files[name] for name in (KERAS_NAME, ONNX_NAME)},
        data=data,
        intended_use=INTENDED_USE,
        limitations=list_limitations(data, has_check=card.novelty is not None),
        skin_cancer_operating_point=OperatingPoint(0.5, target, VALIDATION),
        conformal=None,
    )


def _describe(table: pd.DataFrame) -> dict[str, Any]:
    """Return what is known of the images; of photographs that are not there, nothing new."""
    own = table[table["parent_image_id"].isna()]
    if own["path"].notna().all():
        return describe_images(own)
    incomplete = set(own["subset"][own["path"].isna()])
    complete = own[~own["subset"].isin(incomplete)]
    return {
        "images_by_confirmation": count_confirmations(complete),
        "images_by_skin_tone": count_skin_tones(complete),
    }
