"""Readings as rows: `predict --json` and the table of a worklist have the same names."""

from collections.abc import Mapping, Sequence
from typing import Any

from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.adaptation import adapt_reading
from melanoma_core.models.card import ModelCard
from melanoma_core.models.origins import describe_origins, read_origin
from melanoma_core.reading.lesion import LesionReading
from melanoma_core.reading.ranking import choose_explained
from melanoma_core.reading.reading import Reading, Refusal
from melanoma_core.reading.statement import (
    describe_disagreement,
    describe_finding,
    describe_set_aside,
)
from melanoma_core.reading.verdict import Verdict
from melanoma_core.software import DISCLAIMER, VERSION

Row = dict[str, Any]
_NO_VERDICT: Row = dict.fromkeys(
    (
        *("statement_level", "statement", "top_diagnosis", "risk_tier", "melanoma_probability"),
        *("threshold", "alert", "skin_cancer_probability", "skin_cancer_threshold"),
        *("skin_cancer_alert", "conformal_set", "probabilities"),
    )
)
# Columns of a table for what is one value in JSON.
_PREFIXES = {
    "probabilities": "probability_",
    "adapted_probabilities": "adapted_probability_",
    "prevalence": "prevalence_",
}


def describe_photograph(
    image: str,
    result: Reading | Refusal,
    card: ModelCard | None,
    prevalence: Prevalence | None = None,
) -> Row:
    """Return the row of a photograph, as JSON has it.

    Args:
        image: Its name.
        result: The reading or the refusal.
        card: Card of the model; None if no model saw the file.
        prevalence: Of the clinic; None for no adapted probabilities.
    """
    row: Row = {
        "image": image,
        "status": "read",
        "reason": None,
        "model_id": card and card.model_id,
    }
    if isinstance(result, Refusal):
        row |= {"status": "refused", "reason": result.reason} | _NO_VERDICT
    else:
        row |= _describe_verdict(result, card, prevalence)
    return row | {
        "read_anyway": isinstance(result, Reading) and result.read_anyway,
        "novelty": to_jsonable(result.novelty),
        "novelty_limit": result.novelty_limit,
        "quality": to_jsonable(result.quality),
        "outline": _describe_outline(result) if isinstance(result, Reading) else None,
        **_describe_origin(card),
    }


def describe_lesion(
    lesion_id: str,
    lesion: LesionReading | None,
    images: Mapping[str, Sequence[str]],
    card: ModelCard,
    prevalence: Prevalence | None = None,
) -> Row:
    """Return the row of a lesion, as JSON has it.

    Args:
        lesion_id: Its id.
        lesion: The reading; None if no photograph of it was read.
        images: Names of its photographs by their status, "read" and "refused".
        card: Card of the model.
        prevalence: Of the clinic; None for no adapted probabilities.
    """
    row: Row = {
        "lesion_id": lesion_id,
        "status": "read" if lesion else "refused",
        "images": list(images["read"]),
        "refused_images": list(images["refused"]),
        "model_id": card.model_id,
    }
    if lesion is None:
        row |= _NO_VERDICT | {"read_anyway": False}
        row |= {"alerts_differ": None, "diagnoses_differ": None, "disagreement": None}
        row |= {"set_aside": None}
    else:
        row |= _describe_verdict(lesion, card, prevalence) | {
            "read_anyway": lesion.read_anyway,
            "alerts_differ": lesion.alerts_differ,
            "diagnoses_differ": lesion.diagnoses_differ,
            "disagreement": describe_disagreement(lesion) or None,
            "set_aside": describe_set_aside(lesion) or None,
        }
    del row["conformal_set"]  # made for single photographs
    return row | _describe_origin(card)


def _describe_origin(card: ModelCard | None) -> Row:
    """Return what every reading says that leaves: with what it was made, and what it is not."""
    return {
        "operating_points": card and describe_origins(card),
        "confirmed_by_person": False,
        "app_version": VERSION,
        "disclaimer": DISCLAIMER,
    }


def describe_lesion_columns(name: str, lesion: LesionReading) -> Row:
    """Return what the row of a photograph says about its lesion.

    Args:
        name: Name of the lesion.
        lesion: The reading of all its photographs.
    """
    return {
        "lesion_id": name,
        "lesion_statement": describe_finding(lesion).sentence,
        "lesion_melanoma_probability": lesion.melanoma_probability,
        "lesion_alert": lesion.alert,
        "lesion_skin_cancer_probability": lesion.skin_cancer_probability,
        "lesion_skin_cancer_alert": lesion.skin_cancer_alert,
        "lesion_disagreement": describe_disagreement(lesion),
        "lesion_set_aside": describe_set_aside(lesion),
    }


def flatten_row(row: Row) -> dict[str, str | float]:
    """Return a row with one plain value in each column, for a table.

    Example:
        >>> flatten_row({"alert": True, "reason": None, "probabilities": {"MEL": 0.5}})
        {'alert': 'true', 'reason': '', 'probability_MEL': 0.5}
    """
    flat: dict[str, str | float] = {}
    for name, value in row.items():
        if name in _PREFIXES:
            flat |= {
                f"{_PREFIXES[name]}{key}": _flatten(each) for key, each in (value or {}).items()
            }
        elif name == "outline":
            flat |= {f"outline_{key}": _flatten(each) for key, each in (value or {}).items()}
            if value:
                flat["outline_colours"] = "; ".join(value["colours"] or ())
        elif name == "operating_points":
            flat |= {
                f"{key}_threshold_origin": read_origin(each).describe() if each else ""
                for key, each in (value or {}).items()
            }
        elif name == "quality":
            flat[name] = "; ".join(finding["text"] for finding in value)
        else:
            flat[name] = _flatten(value)
    return flat


def _describe_outline(reading: Reading) -> Row | None:
    """Return the measures of the outline, and of the heatmap that is shown first inside it."""
    if reading.outline_measures is None:
        return None
    measures: Row = to_jsonable(reading.outline_measures)
    explained = choose_explained(reading)
    heatmap = reading.evidence[reading.class_names.index(explained)]
    return measures | {"explained": str(explained), "energy_inside": reading.energy_inside(heatmap)}


def _flatten(value: Any) -> str | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(value) if isinstance(value, list) else value


def _describe_verdict(
    verdict: Verdict, card: ModelCard | None, prevalence: Prevalence | None
) -> Row:
    statement = describe_finding(verdict)
    found = verdict.prediction_set
    row = _NO_VERDICT | {
        "statement_level": str(statement.level),
        "statement": statement.sentence,
        "top_diagnosis": str(verdict.top_diagnosis),
        "risk_tier": str(verdict.risk_tier),
        "melanoma_probability": verdict.melanoma_probability,
        "threshold": verdict.threshold,
        "alert": verdict.alert,
        "skin_cancer_probability": verdict.skin_cancer_probability,
        "skin_cancer_threshold": verdict.skin_cancer_threshold,
        "skin_cancer_alert": verdict.skin_cancer_alert,
        "conformal_set": found and list(found.members),
        "probabilities": _name(verdict.class_names, verdict.probabilities),
    }
    if prevalence is None:
        return row
    adapted = None
    if card is not None and not verdict.read_anyway:
        adapted = adapt_reading(card, verdict.probabilities, prevalence)
    return row | {
        "prevalence": to_jsonable(prevalence),
        "adapted_statement": adapted and describe_finding(verdict, adapted).sentence,
        "adapted_top_diagnosis": adapted and str(adapted.top_diagnosis),
        "adapted_probabilities": adapted and _name(adapted.class_names, adapted.probabilities),
        "adapted_melanoma_probability": adapted and adapted.melanoma_probability,
        "adapted_skin_cancer_probability": adapted and adapted.skin_cancer_probability,
    }


def _name(class_names: Sequence[str], probabilities: Sequence[float]) -> dict[str, float]:
    return dict(zip(class_names, probabilities, strict=True))
