"""A candidate beside the deployed model, on the same lesions, each at its own threshold."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.mcnemar import McNemar, compare_hits
from melanoma_core.evaluation.metrics import compare, evaluate
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.lineage import (
    get_probabilities,
    hash_images,
    list_classes,
    read_predictions,
    read_split,
    was_learned,
)

COMPARED = ("sensitivity", "specificity", "melanoma_roc_auc", "accuracy")
MISSED = "melanoma that the candidate alone misses"
FOUND = "melanoma that the candidate alone finds"
RAISED = "other lesion that the candidate alone alerts on"
SPARED = "other lesion that the candidate alone lets pass"
_ORDER = (MISSED, FOUND, RAISED, SPARED)


@dataclass(frozen=True, eq=False)
class Readings:
    """A model and what it keeps of its past.

    Attributes:
        card: Of the model.
        split: As `lineage.read_split` gives it.
        predictions: As `lineage.read_predictions` gives them.
    """

    card: ModelCard
    split: pd.DataFrame | None
    predictions: pd.DataFrame | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """What the same photographs say of two models.

    They are those of the candidate's test subset that are news to the deployed model as well.

    Attributes:
        candidate_id, deployed_id: The two.
        num_test: Photographs in the candidate's test subset.
        num_learned: Of these, how many the deployed model has learned from, by bytes or lesion.
        num_unread: Of the others, how many nobody knows its reading of.
        num_images, num_lesions, num_melanomas, num_melanoma_lesions: What was compared.
        images_sha256: Hash of the photographs and labels that were compared.
        expected_sha256: Hash of those that should have been: all that the deployed model has not
            learned from.
        knows_learned: Whether the deployed model names what it learned from.
        differences: The candidate's figures less the deployed model's (`metrics.compare`).
        candidate, deployed: The figures of each on these photographs (`metrics.evaluate`).
        mcnemar: "sensitivity" and "specificity"; the one network is the candidate.
        disagreements: Where just one of the two alerts, the most important first: image_id,
            sha256, label, kind, candidate, deployed (probability of melanoma).
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


def gather_readings(folder: Path) -> Readings:
    """Return what the model in `folder` keeps of its past.

    Raises:
        ModelError: There is no such model, or a table that its card names is gone or damaged.
    """
    return Readings(load_card(folder), read_split(folder), read_predictions(folder))


def list_unread(candidate: Readings, deployed: Readings) -> pd.DataFrame:
    """Return the candidate's test photographs that the deployed model should read again.

    Returns:
        Rows of the candidate's predictions that are news to the deployed model, and that its own
        predictions do not hold; none where the candidate has no predictions.
    """
    if candidate.predictions is None:
        return pd.DataFrame(columns=["image_id", "sha256"])
    news = candidate.predictions[~_find_learned(candidate.predictions, deployed.split)]
    if deployed.predictions is None:
        return news
    return news[~news["sha256"].isin(deployed.predictions["sha256"])]


def compare_readings(
    candidate: Readings, deployed: Readings, read_again: pd.DataFrame | None = None
) -> Comparison | str:
    """Compare two models on the candidate's test photographs, by what both said of them.

    Args:
        candidate: The one.
        deployed: The other.
        read_again: sha256 and `p_<CODE>` of photographs that the deployed model has read again.

    Returns:
        The comparison, or in a sentence why there is none.
    """
    said = candidate.predictions
    if said is None:
        return (
            f"{candidate.card.model_id} keeps no readings of its test photographs (it was made by "
            "an older version). Train it anew."
        )
    news = said[~_find_learned(said, deployed.split)]
    others = _gather_others(deployed, read_again)
    both = news[news["sha256"].isin(others.index)].sort_values("image_id")
    if both.empty or list_classes(said) != candidate.card.class_names:
        return (
            f"Found no reading by {deployed.card.model_id} of the {len(said):,} test photographs "
            f"of {candidate.card.model_id}. Name the folder that holds these photographs, so that "
            "it can read them."
        )
    columns = [f"p_{name}" for name in list_classes(said)]
    if not set(columns) <= set(others):
        return (
            f"{deployed.card.model_id} and {candidate.card.model_id} name other diagnoses. Only "
            "networks of the same diagnoses can be compared."
        )
    answers = get_probabilities(both), others.loc[both["sha256"], columns].to_numpy(np.float64)
    return _compare(candidate, deployed, both, news, answers, len(said))


def _compare(
    candidate: Readings,
    deployed: Readings,
    both: pd.DataFrame,
    news: pd.DataFrame,
    answers: tuple[NDArray[np.float64], NDArray[np.float64]],
    num_test: int,
) -> Comparison:
    cards = candidate.card, deployed.card
    names, melanoma = cards[0].class_names, cards[0].melanoma_index
    thresholds = cards[0].operating_point.threshold, cards[1].operating_point.threshold
    labels = np.array([names.index(label) for label in both["label"]])
    lesions = both["group"].to_numpy(np.int64)
    is_melanoma = labels == melanoma
    alerts = [
        each[:, melanoma] >= threshold for each, threshold in zip(answers, thresholds, strict=True)
    ]
    own = [
        evaluate(each, labels, lesions, names, melanoma, threshold)
        for each, threshold in zip(answers, thresholds, strict=True)
    ]
    return Comparison(
        candidate_id=cards[0].model_id,
        deployed_id=cards[1].model_id,
        num_test=num_test,
        num_learned=num_test - len(news),
        num_unread=len(news) - len(both),
        num_images=len(both),
        num_lesions=len(np.unique(lesions)),
        num_melanomas=int(is_melanoma.sum()),
        num_melanoma_lesions=len(np.unique(lesions[is_melanoma])),
        images_sha256=hash_images(both),
        expected_sha256=hash_images(news),
        knows_learned=deployed.split is not None,
        differences=compare(*answers, labels, lesions, melanoma, thresholds),
        candidate={name: own[0][name] for name in COMPARED},
        deployed={name: own[1][name] for name in COMPARED},
        mcnemar={
            "sensitivity": compare_hits(
                alerts[0][is_melanoma], alerts[1][is_melanoma], lesions[is_melanoma]
            ),
            "specificity": compare_hits(
                ~alerts[0][~is_melanoma], ~alerts[1][~is_melanoma], lesions[~is_melanoma]
            ),
        },
        disagreements=_list_disagreements(
            both, is_melanoma, alerts, [each[:, melanoma] for each in answers]
        ),
    )


def _list_disagreements(
    both: pd.DataFrame,
    is_melanoma: NDArray[np.bool_],
    alerts: list[NDArray[np.bool_]],
    said: list[NDArray[np.float64]],
) -> pd.DataFrame:
    kinds = np.where(
        is_melanoma, np.where(alerts[0], FOUND, MISSED), np.where(alerts[0], RAISED, SPARED)
    )
    rows = both[["image_id", "sha256", "label"]].assign(
        kind=kinds, candidate=said[0], deployed=said[1]
    )[alerts[0] != alerts[1]]
    rank = rows["kind"].map({kind: rank for rank, kind in enumerate(_ORDER)})
    gap = (rows["candidate"] - rows["deployed"]).abs()
    order = np.lexsort((rows["image_id"], -gap, rank))
    ordered: pd.DataFrame = rows.iloc[order].reset_index(drop=True)
    return ordered


def _gather_others(deployed: Readings, read_again: pd.DataFrame | None) -> pd.DataFrame:
    """Return what the deployed model said, by the photograph's SHA-256."""
    parts = [part for part in (deployed.predictions, read_again) if part is not None]
    if not parts:
        return pd.DataFrame(index=pd.Index([], name="sha256"))
    return pd.concat(parts).drop_duplicates("sha256").set_index("sha256")


def _find_learned(rows: pd.DataFrame, split: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Return which rows show a photograph or a lesion that a model has learned from."""
    if split is None:
        return np.zeros(len(rows), dtype=bool)
    learned = split[was_learned(split)]
    lesions = learned["lesion_id"].dropna()
    met = rows["sha256"].isin(learned["sha256"]) | rows["lesion_id"].isin(lesions)
    return met.to_numpy()
