"""What a reading says in one sentence: the most severe thing that it cannot exclude, then why.

Page, command line and tables use the same statement, so that none contradicts another. Every
function returns plain text. The caller escapes it.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import format_beside_threshold, format_percent
from melanoma_core.models.card_text.wording import describe_set
from melanoma_core.reading.verdict import Verdict
from melanoma_core.taxonomy import SKIN_CANCERS, Diagnosis, RiskTier

if TYPE_CHECKING:  # so that a page appears before NumPy is imported
    from melanoma_core.reading.lesion import LesionReading

READ_ANYWAY = (
    "Out of distribution, read anyway: how well the network reads such photographs was not "
    "measured, and the result may have no meaning."
)


class Level(StrEnum):
    """How severe the finding of a reading is, most severe first."""

    MELANOMA = "melanoma alert"
    SKIN_CANCER = "other skin cancer suspected"
    NONE = "no alert"


@dataclass(frozen=True)
class Statement:
    """The finding of a reading in words.

    Attributes:
        level: How severe it is.
        headline: A few words, such as "Melanoma alert".
        sentence: The most severe thing that cannot be excluded, and why.
    """

    level: Level
    headline: str
    sentence: str


def describe_finding(verdict: Verdict) -> Statement:
    """Return the finding of a photograph or of a lesion.

    Skin cancer is suspected on a skin cancer alert, and whenever a skin cancer is the leading
    diagnosis: a model of an older version has no such alert.
    """
    if verdict.alert:
        return Statement(Level.MELANOMA, "Melanoma alert", _explain_melanoma(verdict))
    if verdict.skin_cancer_alert or verdict.top_diagnosis in SKIN_CANCERS:
        is_melanoma = verdict.leading_skin_cancer is Diagnosis.MEL
        headline = "Skin cancer suspected" if is_melanoma else "Other skin cancer suspected"
        return Statement(Level.SKIN_CANCER, headline, _explain_skin_cancer(verdict))
    headline = "No melanoma alert" if verdict.skin_cancer_alert is None else "No alert"
    return Statement(Level.NONE, headline, _explain_none(verdict))


def describe_possible(verdict: Verdict, card: ModelCard) -> str:
    """Return the conformal prediction set in words that agree with the finding; "" without a set.

    A diagnosis that an alert names stays possible, also where the set does not contain it: the
    thresholds of the alerts are chosen to miss fewer lesions than the set.
    """
    found = verdict.prediction_set
    if found is None:
        return ""
    level = describe_finding(verdict).level
    kept = {
        Level.MELANOMA: (str(Diagnosis.MEL),),
        Level.SKIN_CANCER: (str(verdict.leading_skin_cancer),),
        Level.NONE: (),
    }[level]
    return describe_set(found, card, kept)


def describe_disagreement(lesion: "LesionReading") -> str:
    """Return in what the photographs of a lesion disagree; "" if they agree.

    Alerts and leading diagnoses are compared.
    """
    total = len(lesion.readings)
    parts = []
    for name, alerts in (
        ("melanoma alert", [reading.alert for reading in lesion.readings]),
        ("skin cancer alert", [reading.skin_cancer_alert for reading in lesion.readings]),
    ):
        count = alerts.count(True)
        if 0 < count < total:
            verb = "raises" if count == 1 else "raise"
            parts.append(f"{count} of {total} {verb} the {name}")
    leading = Counter(reading.top_diagnosis for reading in lesion.readings)
    if len(leading) > 1:
        counts = [f"{each.title} ({count})" for each, count in leading.most_common()]
        parts.append(f"the leading diagnosis is {', '.join(counts[:-1])} or {counts[-1]}")
    return f"The photographs disagree: {'; '.join(parts)}." if parts else ""


def _explain_melanoma(verdict: Verdict) -> str:
    probability, threshold = format_beside_threshold(
        verdict.melanoma_probability, verdict.threshold
    )
    top = verdict.top_diagnosis
    if top is Diagnosis.MEL:
        return f"Melanoma is the leading diagnosis ({probability}, alert threshold {threshold})."
    link = "and" if top.tier is RiskTier.MALIGNANT else "although"
    return (
        f"Melanoma cannot be excluded ({probability}, alert threshold {threshold}), {link} "
        f"{_name_leading(verdict)}."
    )


def _explain_skin_cancer(verdict: Verdict) -> str:
    cancer = verdict.leading_skin_cancer
    if cancer is verdict.top_diagnosis:
        probability, threshold = format_beside_threshold(
            verdict.melanoma_probability, verdict.threshold
        )
        return (
            f"{_capitalise(_name_leading(verdict))}; the probability of melanoma ({probability}) "
            f"is below its alert threshold ({threshold})."
        )
    probability, threshold = _format_skin_cancer(verdict)
    # Melanoma has an alert of its own, which is not raised.
    what = "Skin cancer" if cancer is Diagnosis.MEL else _capitalise(cancer.title)
    return (
        f"{what} cannot be excluded (any skin cancer {probability}, alert threshold {threshold}), "
        f"although {_name_leading(verdict)}."
    )


def _explain_none(verdict: Verdict) -> str:
    probability, threshold = format_beside_threshold(
        verdict.melanoma_probability, verdict.threshold
    )
    if verdict.skin_cancer_alert is None:
        why = f"The probability of melanoma ({probability}) is below its threshold ({threshold})"
    else:
        any_cancer, its_threshold = _format_skin_cancer(verdict)
        why = (
            f"The probabilities of melanoma ({probability}) and of any skin cancer ({any_cancer}) "
            f"are below their thresholds ({threshold} and {its_threshold})"
        )
    found = verdict.prediction_set
    members = () if found is None or found.abstention else found.members
    possible = [Diagnosis(name).title for name in members if name in SKIN_CANCERS]
    remains = f", but {' and '.join(possible)} cannot be excluded" if possible else ""
    return f"{why}{remains}; {_name_leading(verdict)}."


def _name_leading(verdict: Verdict) -> str:
    top = verdict.top_diagnosis
    tier = "" if top.tier is RiskTier.BENIGN else f", {top.tier}"
    share = format_percent(verdict.find_probability(top))
    return f"{top.title} is the leading diagnosis ({share}{tier})"


def _format_skin_cancer(verdict: Verdict) -> tuple[str, str]:
    threshold = verdict.skin_cancer_threshold
    assert threshold is not None
    return format_beside_threshold(verdict.skin_cancer_probability, threshold)


def _capitalise(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
