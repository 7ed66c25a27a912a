"""What a kept AI reading says: its level, and its probabilities with their diagnoses."""

from collections.abc import Sequence

from melanoma_core.reading.statement import Level
from melanoma_core.records.loop import AiReading
from melanoma_core.taxonomy import SKIN_CANCERS, Diagnosis


def list_probabilities(
    class_names: Sequence[str], probabilities: Sequence[float]
) -> list[tuple[Diagnosis, float]]:
    """Return diagnoses with their probabilities, the most probable first.

    >>> [each.value for each, _ in list_probabilities(["MEL", "NV"], [0.2, 0.8])]
    ['NV', 'MEL']
    """
    named = zip(map(Diagnosis, class_names), probabilities, strict=True)
    return sorted(named, key=lambda each: -each[1])


def find_skin_cancer_probability(reading: AiReading) -> float | None:
    """Return the probability of all skin cancers together, in [0, 1]; None if nothing was read."""
    if not reading.was_read:
        return None
    named = zip(reading.class_names, reading.probabilities, strict=True)
    return sum(share for name, share in named if name in SKIN_CANCERS)


def find_level(reading: AiReading) -> Level | None:
    """Return how severe a reading is, as its statement says; None if nothing was read.

    Skin cancer is suspected on its alert, and wherever a skin cancer leads, with the prevalence in
    force or without (`statement.describe_finding`).
    """
    if not reading.was_read:
        return None
    if reading.melanoma_alert:
        return Level.MELANOMA
    leading = {
        list_probabilities(reading.class_names, shares)[0][0]
        for shares in (reading.probabilities, reading.adapted)
        if shares
    }
    is_suspected = bool(reading.skin_cancer_alert) or bool(leading & set(SKIN_CANCERS))
    return Level.SKIN_CANCER if is_suspected else Level.NONE


def find_heatmap_diagnosis(reading: AiReading) -> Diagnosis:
    """Return the diagnosis of which a record keeps the heatmaps.

    It is the skin cancer that leads where the skin cancer alert alone was raised, and melanoma in
    all other readings.
    """
    if reading.melanoma_alert or not reading.skin_cancer_alert:
        return Diagnosis.MEL
    cancers = [Diagnosis(name) for name in reading.class_names if name in SKIN_CANCERS]
    return max(cancers, key=lambda each: reading.find_probability(each) or 0.0)


def find_heatmap(reading: AiReading, photograph_id: str) -> tuple[str, str]:
    """Return the SHA-256 (hex) of a photograph's kept heatmap, and the title of its diagnosis.

    Returns:
        Two empty texts if none was kept.
    """
    for each in reading.photographs:
        if each.photograph_id == photograph_id and each.heatmap_sha256:
            return each.heatmap_sha256, find_heatmap_diagnosis(reading).title
    return "", ""
