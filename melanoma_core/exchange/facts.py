"""What every file that leaves says of a reading: alerts with their origin, differential, limits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.exchange.occasion import MadeReading, Occasion
from melanoma_core.models.adaptation import AdaptedReading
from melanoma_core.models.card_text.formats import format_number, format_percent
from melanoma_core.models.origins import PointOrigin, find_origins
from melanoma_core.reading.differential import list_differential
from melanoma_core.reading.statement import READ_ANYWAY
from melanoma_core.reading.verdict import Verdict
from melanoma_core.records.kept_readings import find_skin_cancer_probability
from melanoma_core.records.loop import AiReading
from melanoma_core.records.texts import tidy
from melanoma_core.software import VERSION
from melanoma_core.taxonomy import Diagnosis

NOTICE = "Research, not for diagnosis"
"""What every file says, also where there is room for few words."""

SOFTWARE = "melanoma-dashboard"
_DRAWN = "A program has drawn the photographs: no patient, no skin."


@dataclass(frozen=True)
class Alert:
    """One of both alerts of a reading.

    Attributes:
        name: What it is raised for: "melanoma" or "skin cancer".
        probability: Calibrated, in [0, 1].
        threshold: The operating point; None if the model has none.
        is_raised: Whether it was raised; None if the model has no such alert.
        origin: On which data, and for which sensitivity, the threshold was chosen.
    """

    name: str
    probability: float
    threshold: float | None
    is_raised: bool | None
    origin: str


def list_alerts(reading: MadeReading) -> tuple[Alert, ...]:
    """Return both alerts of a reading; nothing if no photograph was read."""
    value, card = reading.value, reading.card
    if not value.was_read:
        return ()
    melanoma = value.find_probability(Diagnosis.MEL) or 0.0
    any_cancer = find_skin_cancer_probability(value) or 0.0
    origins = find_origins(card) if card else {}
    return (
        Alert(
            "melanoma",
            float(melanoma),
            value.melanoma_threshold,
            value.melanoma_alert,
            _describe_origin(value.melanoma_threshold, origins.get("melanoma")),
        ),
        Alert(
            "skin cancer",
            float(any_cancer),
            value.skin_cancer_threshold,
            value.skin_cancer_alert,
            _describe_origin(value.skin_cancer_threshold, origins.get("skin_cancer")),
        ),
    )


def _describe_origin(threshold: float | None, origin: PointOrigin | None) -> str:
    if threshold is None:
        return "The model has no such alert."
    if origin is None or origin.threshold != threshold:
        return "The model's card is not here, so that the origin of the threshold is not known."
    data = f" Data: {tidy(origin.data)}." if origin.data else ""
    return (
        f"The threshold was chosen on the {origin.chosen_on} subset of the model's data for a "
        f"sensitivity of {format_percent(origin.target_sensitivity)}.{data}"
    )


def list_candidates(reading: AiReading) -> tuple[Diagnosis, ...]:
    """Return the differential diagnosis of a kept reading, the most probable first.

    A record keeps no prediction set, so that it adds nothing here.
    """
    if not reading.was_read:
        return ()
    verdict = Verdict(
        model_id=reading.model_id,
        class_names=reading.class_names,
        probabilities=reading.probabilities,
        threshold=reading.melanoma_threshold,
        skin_cancer_threshold=reading.skin_cancer_threshold,
    )
    return tuple(each.diagnosis for each in list_differential(verdict, _find_adapted(reading)))


def _find_adapted(reading: AiReading) -> AdaptedReading | None:
    if not reading.adapted or reading.prevalence is None:
        return None
    as_adapted = replace(reading, probabilities=reading.adapted)
    return AdaptedReading(
        Prevalence(*reading.prevalence),
        reading.class_names,
        reading.adapted,
        as_adapted.find_probability(Diagnosis.MEL) or 0.0,
        find_skin_cancer_probability(as_adapted) or 0.0,
    )


def list_notices(occasion: Occasion) -> tuple[str, ...]:
    """Return what a person must know of the file that leaves, a sentence or more each."""
    return tuple(_list_notices(occasion))


def _list_notices(occasion: Occasion) -> Iterator[str]:
    yield f"{NOTICE}. Not a medical device. Written by {SOFTWARE} {VERSION}."
    if occasion.is_drawn:
        yield _DRAWN
    reading = occasion.reading
    if reading is None:
        return
    value = reading.value
    yield f"Read with model {value.model_id} by {SOFTWARE} {value.app_version}."
    for alert in list_alerts(reading):
        if alert.threshold is not None:
            yield (
                f"The {alert.name} alert is raised from a calibrated probability of "
                f"{format_number(alert.threshold)}. {alert.origin}"
            )
        else:
            yield f"{alert.name.capitalize()} alert: {alert.origin}"
    if any(each.read_anyway for each in value.photographs):
        yield READ_ANYWAY
    yield "No person has confirmed this reading."
    if reading.decided:
        yield (
            f"A person has signed a decision that knew this reading ({reading.decided}). It does "
            "not confirm the reading."
        )
