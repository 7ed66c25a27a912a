"""Compare a candidate with the deployed model on the same lesions, each at its own threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.mcnemar import McNemar, compare_hits
from melanoma_core.evaluation.metrics import compare, evaluate
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.identifiers import IdKey, explain_unchecked
from melanoma_core.models.lineage import (
    hash_images,
    read_predictions,
    read_split,
    was_trained_on,
)
from melanoma_core.models.predictions import (
    get_probabilities,
    index_truths,
    list_classes,
)

_COMPARED = (
    *("sensitivity", "specificity", "melanoma_roc_auc", "accuracy"),
    *("skin_cancer_sensitivity", "skin_cancer_specificity", "skin_cancer_roc_auc"),
)
_MISSED = "melanoma missed by the candidate only"
_FOUND = "melanoma found by the candidate only"
_RAISED = "false alert of the candidate only"
_SPARED = "false alert of the deployed model only"
_ORDER = (_MISSED, _FOUND, _RAISED, _SPARED)  # the most important disagreement first


@dataclass(frozen=True, eq=False)
class ComparedModel:
    """A model with what its folder keeps of its training and its test.

    Attributes:
        card: Its card.
        split: As returned by `lineage.read_split`, with hashed ids (`models.identifiers`).
        predictions: As returned by `lineage.read_predictions`, with hashed ids.
    """

    card: ModelCard
    split: pd.DataFrame | None
    predictions: pd.DataFrame | None

    @property
    def rules(self) -> DecisionRules:
        """How the model raises its alerts."""
        return self.card.rules


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two models, evaluated on the same photographs.

    These are the photographs of the candidate's test subset that the deployed model has not seen
    in training either.

    Attributes:
        candidate_id, deployed_id: Ids of the two models.
        num_test: Photographs in the candidate's test subset.
        num_learned: How many of them the deployed model saw in training (same bytes or lesion).
        num_unread: How many of the others have no prediction of the deployed model.
        num_images, num_lesions, num_melanomas, num_melanoma_lesions: What was compared.
        images_sha256: Hash of the compared photographs and their labels.
        expected_sha256: Hash of all photographs that should be compared: those that the deployed
            model has not seen in training.
        knows_learned: Whether the deployed model keeps a list of its training photographs.
        differences: Candidate minus deployed model (`metrics.compare`). Those of the skin cancer
            alert only if both models have one.
        candidate, deployed: Metrics of each model on these photographs (`metrics.evaluate`).
        mcnemar: "sensitivity" and "specificity", and those of the skin cancer alert if both models
            have one; the first network is the candidate.
        disagreements: Photographs on which exactly one model alerts, the most important first:
            image_id, sha256, label, kind, candidate, deployed (probabilities of melanoma).
        unchecked: Which lesions could not be compared with those that the deployed model saw in
            training, in a sentence; empty if all could be.
    """

    candidate_id: str
    deployed_id: str
    num_test: int
    num_learned: int
    num_unread: int
    num_images: int
    num_lesions: int
    num_melanomas: int
    num_melanoma_lesions: int
    images_sha256: str
    expected_sha256: str
    knows_learned: bool
    differences: dict[str, Figure]
    candidate: dict[str, Figure]
    deployed: dict[str, Figure]
    mcnemar: dict[str, McNemar]
    disagreements: pd.DataFrame
    unchecked: str = ""


def load_compared_model(folder: Path, key: IdKey) -> ComparedModel:
    """Load a model's card, split and test predictions.

    Args:
        folder: Folder of the model.
        key: Key of this installation. Plain ids of older models are hashed with it.

    Raises:
        ModelError: There is no such model, or a table that its card names is missing or damaged.
    """
    split, predictions = read_split(folder), read_predictions(folder)
    return ComparedModel(
        load_card(folder),
        None if split is None else key.hash_ids(split),
        None if predictions is None else key.hash_ids(predictions),
    )


def list_unread(
    candidate: ComparedModel, deployed: ComparedModel, read_again: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the candidate's test photographs that the deployed model still has to read.

    Args:
        candidate: The model that may be promoted.
        deployed: The model that it would replace.
        read_again: Further predictions of the deployed model, as in `compare_models`.

    Returns:
        Rows of the candidate's predictions that the deployed model has not seen in training and
        has no prediction of. Empty where the candidate has no predictions.
    """
    if candidate.predictions is None:
        return pd.DataFrame(columns=["image_id", "sha256"])
    unseen = _select_unseen(candidate.predictions, deployed)
    return unseen[~unseen["sha256"].isin(_gather_predictions(deployed, read_again).index)]


def compare_models(
    candidate: ComparedModel, deployed: ComparedModel, read_again: pd.DataFrame | None = None
) -> Comparison | str:
    """Compare two models on the candidate's test photographs, from the predictions they keep.

    Args:
        candidate: The model that may be promoted.
        deployed: The model that it would replace.
        read_again: Further predictions of the deployed model (`models.predictions`, by sha256).

    Returns:
        The comparison; or, in a sentence, why there is none.
    """
    predictions = candidate.predictions
    candidate_id, deployed_id = candidate.card.model_id, deployed.card.model_id
    if predictions is None:
        return (
            f"{candidate_id} keeps no predictions of its test photographs, because an older "
            "version made it. Train it again."
        )
    unseen = _select_unseen(predictions, deployed)
    others = _gather_predictions(deployed, read_again)
    compared = unseen[unseen["sha256"].isin(others.index)].sort_values("image_id")
    class_names = list_classes(predictions)
    if compared.empty or class_names != candidate.card.class_names:
        return (
            f"Found no prediction of {deployed_id} for the {len(predictions):,} test photographs "
            f"of {candidate_id}. Name the folder that holds these photographs, so that "
            f"{deployed_id} can read them."
        )
    if not set(class_names) <= set(list_classes(others)):
        return (
            f"{deployed_id} and {candidate_id} have different diagnoses. Only models of the same "
            "diagnoses can be compared."
        )
    probabilities = (
        get_probabilities(compared),
        get_probabilities(others.loc[compared["sha256"]], class_names),
    )
    return _compare(candidate, deployed, unseen, compared, probabilities)


def _compare(
    candidate: ComparedModel,
    deployed: ComparedModel,
    unseen: pd.DataFrame,
    compared: pd.DataFrame,
    probabilities: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Comparison:
    card = candidate.card
    melanoma = card.melanoma_index
    labels = index_truths(compared, card.class_names)
    lesions = compared["group"].to_numpy(np.int64)
    is_melanoma = labels == melanoma
    scores = [each[:, melanoma] for each in probabilities]
    predictions = [LabelledPredictions(each, labels, lesions) for each in probabilities]
    # Of the deployed model only its thresholds: its classes can have another order.
    rules = [
        DecisionRules(
            card.class_names,
            melanoma,
            each.threshold,
            skin_cancer_threshold=each.skin_cancer_threshold,
        )
        for each in (candidate.rules, deployed.rules)
    ]
    is_cancer = predictions[0].is_skin_cancer(rules[0])
    is_other = predictions[0].is_known(card.class_names[melanoma]) & ~is_melanoma
    alerts = [each.alerts(rule) for each, rule in zip(predictions, rules, strict=True)]
    metrics = [evaluate(each, rule) for each, rule in zip(predictions, rules, strict=True)]
    num_test = 0 if candidate.predictions is None else len(candidate.predictions)
    return Comparison(
        candidate_id=card.model_id,
        deployed_id=deployed.card.model_id,
        num_test=num_test,
        num_learned=num_test - len(unseen),
        num_unread=len(unseen) - len(compared),
        num_images=len(compared),
        num_lesions=len(np.unique(lesions)),
        num_melanomas=int(is_melanoma.sum()),
        num_melanoma_lesions=len(np.unique(lesions[is_melanoma])),
        images_sha256=hash_images(compared),
        expected_sha256=hash_images(unseen),
        knows_learned=deployed.split is not None,
        differences=compare(predictions[0], predictions[1], rules[0], rules[1]),
        candidate={name: metrics[0][name] for name in _COMPARED if name in metrics[0]},
        deployed={name: metrics[1][name] for name in _COMPARED if name in metrics[1]},
        mcnemar=_compare_alerts("", alerts, (is_melanoma, is_other), lesions)
        | _compare_alerts(
            "skin_cancer_",
            [each.skin_cancer_alerts(rule) for each, rule in zip(predictions, rules, strict=True)],
            (is_cancer, ~is_cancer),
            lesions,
        ),
        disagreements=_list_disagreements(compared, (is_melanoma, is_other), alerts, scores),
        unchecked=_explain_unchecked(candidate, deployed),
    )


def _compare_alerts(
    prefix: str,
    alerts: Sequence[NDArray[np.bool_] | None],
    known: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    lesions: NDArray[np.int64],
) -> dict[str, McNemar]:
    """Return McNemar's tests of both models' alerts; none if a model has no such alert."""
    one, other = alerts
    is_positive, is_negative = known
    if one is None or other is None:
        return {}
    return {
        f"{prefix}sensitivity": compare_hits(
            one[is_positive], other[is_positive], lesions[is_positive]
        ),
        f"{prefix}specificity": compare_hits(
            ~one[is_negative], ~other[is_negative], lesions[is_negative]
        ),
    }


def _list_disagreements(
    compared: pd.DataFrame,
    known: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    alerts: list[NDArray[np.bool_]],
    scores: list[NDArray[np.float64]],
) -> pd.DataFrame:
    is_melanoma, is_other = known
    kinds = np.where(
        is_melanoma, np.where(alerts[0], _FOUND, _MISSED), np.where(alerts[0], _RAISED, _SPARED)
    )
    rows = compared[["image_id", "sha256", "label"]].assign(
        kind=kinds, candidate=scores[0], deployed=scores[1]
    )[(alerts[0] != alerts[1]) & (is_melanoma | is_other)]
    rank = rows["kind"].map({kind: rank for rank, kind in enumerate(_ORDER)})
    gap = (rows["candidate"] - rows["deployed"]).abs()
    order = np.lexsort((rows["image_id"], -gap, rank))
    ordered: pd.DataFrame = rows.iloc[order].reset_index(drop=True)
    return ordered


def _gather_predictions(deployed: ComparedModel, read_again: pd.DataFrame | None) -> pd.DataFrame:
    """Return all predictions of the deployed model, indexed by the photograph's SHA-256."""
    parts = [part for part in (deployed.predictions, read_again) if part is not None]
    if not parts:
        return pd.DataFrame(index=pd.Index([], name="sha256"))
    return pd.concat(parts).drop_duplicates("sha256").set_index("sha256")


def _explain_unchecked(candidate: ComparedModel, deployed: ComparedModel) -> str:
    if candidate.predictions is None or deployed.split is None:
        return ""
    trained = deployed.split[was_trained_on(deployed.split)]
    return explain_unchecked(candidate.predictions, trained)


def _select_unseen(rows: pd.DataFrame, model: ComparedModel) -> pd.DataFrame:
    """Return the rows whose photograph and lesion a model has not seen in training."""
    if model.split is None:
        return rows
    trained = model.split[was_trained_on(model.split)]
    lesions = trained["lesion_id"].dropna()
    is_seen = rows["sha256"].isin(trained["sha256"]) | rows["lesion_id"].isin(lesions)
    return rows[~is_seen]
