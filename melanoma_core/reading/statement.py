"""What a reading says in one sentence: the most severe thing that it cannot exclude, then why.

Page, command line and tables use the same statement, so that none contradicts another. Every
function returns plain text. The caller escapes it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from melanoma_core.evaluation.prediction_set import PredictionSet
from melanoma_core.models.adaptation import AdaptedReading
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
LIKELY = 0.1  # a probability that no differential diagnosis leaves out
UNLIKELY = 0.01  # below it, a differential diagnosis has only malignant ones


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
        summary: The sentence without its reasons, in a few words.
    """

    level: Level
    headline: str
    sentence: str
    summary: str = ""


def describe_finding(verdict: Verdict, adapted: AdaptedReading | None = None) -> Statement:
    """Return the finding of a photograph or of a lesion.

    Skin cancer is suspected on a skin cancer alert, and whenever a skin cancer is the leading
    diagnosis: a model of an older version has no such alert.

    Args:
        verdict: The reading.
        adapted: Its probabilities in the clinic; None without a prevalence. The leading diagnosis
            is then the adapted one. Alerts stay those of the unadapted probabilities.
    """
    leading = (adapted or verdict).top_diagnosis
    after = " Alerts use unadapted probabilities." if adapted else ""
    if verdict.alert:
        sentence = _explain_melanoma(verdict, adapted)
        summary = _summarise(Diagnosis.MEL, leading)
        return Statement(Level.MELANOMA, "Melanoma alert", f"{sentence}{after}", summary)
    if verdict.skin_cancer_alert or {leading, verdict.top_diagnosis} & set(SKIN_CANCERS):
        cancer = leading if leading in SKIN_CANCERS else verdict.leading_skin_cancer
        headline = "Skin cancer" if cancer is Diagnosis.MEL else "Other skin cancer"
        sentence = _explain_skin_cancer(verdict, adapted, cancer)
        summary = _summarise(cancer, leading)
        return Statement(Level.SKIN_CANCER, f"{headline} suspected", f"{sentence}{after}", summary)
    headline = "No melanoma alert" if verdict.skin_cancer_alert is None else "No alert"
    summary = (
        "The probability of melanoma is below its threshold."
        if verdict.skin_cancer_alert is None
        else "Both probabilities below threshold."
    )
    return Statement(Level.NONE, headline, f"{_explain_none(verdict, adapted)}{after}", summary)


def name_suspected(verdict: Verdict, level: Level) -> tuple[Diagnosis, ...]:
    """Return the diagnoses that a finding of this level names: at most one."""
    return {
        Level.MELANOMA: (Diagnosis.MEL,),
        Level.SKIN_CANCER: (verdict.leading_skin_cancer,),
        Level.NONE: (),
    }[level]


def describe_possible(
    verdict: Verdict, card: ModelCard, adapted: AdaptedReading | None = None
) -> str:
    """Return the conformal prediction set in words that agree with the finding; "" without a set.

    A diagnosis that an alert names stays possible, also where the set does not contain it: the
    thresholds of the alerts are chosen to miss fewer lesions than the set. So does the leading
    diagnosis in a clinic, and what is at least 10% probable. A larger set contains the true
    diagnosis at least as often.

    Args:
        verdict: The reading.
        card: Of the model that read it.
        adapted: Its probabilities in the clinic; None without a prevalence.
    """
    found = verdict.prediction_set
    if found is None:
        return ""
    shown, level = adapted or verdict, describe_finding(verdict).level
    kept = tuple(map(str, name_suspected(verdict, level)))
    likely = [
        name
        for name in verdict.class_names
        if name not in kept and shown.find_probability(Diagnosis(name)) >= LIKELY
    ]
    leading = [adapted.top_diagnosis] if adapted else []
    added = tuple(str(name) for name in (*leading, *likely) if name not in found.members)
    if added:
        found = replace(
            found,
            members=tuple(dict.fromkeys((*added, *found.members))),
            unknown=tuple(name for name in found.unknown if name not in added),
            ruled_out=tuple(name for name in found.ruled_out if name not in added),
        )
    below = "" if level is not Level.NONE or found.abstention else _name_below(verdict, found)
    unlikely = "" if found.abstention else _name_unlikely(shown, found)
    return " ".join(filter(None, (describe_set(found, card, kept), below, unlikely)))


def _name_unlikely(shown: Verdict | AdaptedReading, found: PredictionSet) -> str:
    """Return which members of a set the differential diagnosis leaves out as too improbable."""
    diagnoses = [Diagnosis(name) for name in found.members]
    titles = [
        each.title
        for each in diagnoses
        if each.tier is not RiskTier.MALIGNANT and shown.find_probability(each) < UNLIKELY
    ]
    if not titles:
        return ""
    verb = "is" if len(titles) == 1 else "are"
    return (
        f"Below {UNLIKELY:.0%}, {' and '.join(titles)} {verb} not listed in the differential "
        "diagnosis."
    )


def _name_below(verdict: Verdict, found: PredictionSet) -> str:
    """Return which skin cancers of a set raise no alert, as their probability is too small."""
    has_alert = (Diagnosis.MEL,) if verdict.skin_cancer_alert is None else SKIN_CANCERS
    titles = [Diagnosis(name).title for name in found.members if name in has_alert]
    if not titles:
        return ""
    verb = "is" if len(titles) == 1 else "are"
    return f"Of these, {' and '.join(titles)} {verb} below the alert threshold."


def describe_disagreement(lesion: "LesionReading", adapted: Sequence[AdaptedReading] = ()) -> str:
    """Return in what the photographs of a lesion disagree, or the lesion with all; "" if nothing.

    Alerts and leading diagnoses are compared, of the photographs that count.

    Args:
        lesion: The reading.
        adapted: Of each photograph that counts, its probabilities in the clinic; empty without a
            prevalence.
    """
    together, parts = [], []
    total = len(lesion.counted)
    for name, own, alerts in (
        ("melanoma alert", lesion.alert, [each.alert for each in lesion.counted]),
        (
            "skin cancer alert",
            lesion.skin_cancer_alert,
            [each.skin_cancer_alert for each in lesion.counted],
        ),
    ):
        count = alerts.count(True)
        if own and not count:
            together.append(f"The photographs together raise the {name}; none does alone.")
        elif count == total and own is False:
            together.append(f"Each photograph raises the {name}; together they do not.")
        elif 0 < count < total:
            verb = "raises" if count == 1 else "raise"
            but = ", but together they do not" if own is False else ""
            parts.append(f"{count} of {total} {verb} the {name}{but}")
    leading = Counter(shown.top_diagnosis for shown in adapted or lesion.counted)
    if len(leading) > 1:
        counts = [f"{each.title} ({count})" for each, count in leading.most_common()]
        parts.append(f"the leading diagnosis is {', '.join(counts[:-1])} or {counts[-1]}")
    disagreement = [f"The photographs disagree: {'; '.join(parts)}."] if parts else []
    return " ".join(together + disagreement)


def describe_set_aside(lesion: "LesionReading") -> str:
    """Return which photographs of a lesion do not count for its reading; "" if all do."""
    total = len(lesion.readings)
    sentences = []
    if count := lesion.num_copies:
        verb = "is a copy" if count == 1 else "are copies"
        sentences.append(f"{count} of {total} photographs {verb} of another and counted once.")
    if count := lesion.num_set_aside:
        verb = "is" if count == 1 else "are"
        sentences.append(
            f"{count} of {total} photographs {verb} out of distribution, read anyway, and left out "
            "of the reading of the lesion."
        )
    return " ".join(sentences)


def _summarise(suspected: Diagnosis, leading: Diagnosis) -> str:
    what = "is the leading diagnosis" if suspected is leading else "cannot be excluded"
    return f"{_capitalise(suspected.title)} {what}."


def _explain_melanoma(verdict: Verdict, adapted: AdaptedReading | None) -> str:
    reason = _compare(verdict.melanoma_probability, verdict.threshold, adapted)
    top = (adapted or verdict).top_diagnosis
    if top is Diagnosis.MEL:
        first = f"{_format_leading(adapted)}; " if adapted else ""
        return f"Melanoma is the leading diagnosis ({first}{reason})."
    link = "and" if top.tier is RiskTier.MALIGNANT else "although"
    return f"Melanoma cannot be excluded ({reason}), {link} {_name_leading(verdict, adapted)}."


def _explain_skin_cancer(
    verdict: Verdict, adapted: AdaptedReading | None, cancer: Diagnosis
) -> str:
    leading = _name_leading(verdict, adapted)
    if cancer is (adapted or verdict).top_diagnosis:
        probability, threshold = format_beside_threshold(
            verdict.melanoma_probability, verdict.threshold
        )
        return (
            f"{_capitalise(leading)}; the {_mark(adapted)}probability of melanoma ({probability}) "
            f"is below its alert threshold ({threshold})."
        )
    if verdict.skin_cancer_alert:
        assert verdict.skin_cancer_threshold is not None
        any_cancer = verdict.skin_cancer_probability
        reason = f"any skin cancer {_compare(any_cancer, verdict.skin_cancer_threshold, adapted)}"
    else:  # it leads before probabilities are adapted
        reason = f"{_mark(adapted)}{format_percent(verdict.find_probability(cancer))}"
    # Melanoma has an alert of its own, which is not raised.
    what = "Skin cancer" if cancer is Diagnosis.MEL else _capitalise(cancer.title)
    return f"{what} cannot be excluded ({reason}), although {leading}."


def _explain_none(verdict: Verdict, adapted: AdaptedReading | None) -> str:
    probability, threshold = format_beside_threshold(
        verdict.melanoma_probability, verdict.threshold
    )
    if verdict.skin_cancer_threshold is None:
        why = (
            f"{_mark(adapted)}probability of melanoma ({probability}) is below its threshold "
            f"({threshold})"
        )
    else:
        any_cancer, its_threshold = format_beside_threshold(
            verdict.skin_cancer_probability, verdict.skin_cancer_threshold
        )
        why = (
            f"{_mark(adapted)}probabilities of melanoma ({probability}) and of any skin cancer "
            f"({any_cancer}) are below their thresholds ({threshold} and {its_threshold})"
        )
    return f"The {why}; {_name_leading(verdict, adapted)}."


def _name_leading(verdict: Verdict, adapted: AdaptedReading | None) -> str:
    shown = adapted or verdict
    return f"{shown.top_diagnosis.title} is the leading diagnosis ({_format_leading(shown)})"


def _format_leading(shown: Verdict | AdaptedReading) -> str:
    """Return the largest probability, where it holds, and the risk tier unless it is benign."""
    top = shown.top_diagnosis
    where = " at your prevalence" if isinstance(shown, AdaptedReading) else ""
    tier = "" if top.tier is RiskTier.BENIGN else f", {top.tier}"
    return f"{format_percent(shown.find_probability(top))}{where}{tier}"


def _compare(probability: float, threshold: float, adapted: AdaptedReading | None) -> str:
    shown, limit = format_beside_threshold(probability, threshold)
    return f"{_mark(adapted)}{shown}, alert threshold {limit}"


def _mark(adapted: AdaptedReading | None) -> str:
    """Return what a probability of the model is called beside adapted ones."""
    return "unadapted " if adapted else ""


def _capitalise(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
