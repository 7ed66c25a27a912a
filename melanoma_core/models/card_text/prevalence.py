"""What a probability and an alert mean at a prevalence, in natural frequencies.

A count is of 100 lesions, or of 1,000 or 10,000 where it would be below 1: Gigerenzer et al.,
"Helping Doctors and Patients Make Sense of Health Statistics" (2007). No probability is stated
without the prevalence that it assumes. Every function returns plain text. The caller escapes it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.evaluation.subsets import find_headline
from melanoma_core.models.adaptation import find_trained_prevalence
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import UNDEFINED

if TYPE_CHECKING:  # so that a page appears before NumPy is imported
    from melanoma_core.evaluation.alerts import PredictiveValues

_BASES = (100, 1000, 10_000)
# Share of melanomas: from all lesions examined in primary care to those biopsied in a referral
# centre.
_USUAL = (0.001, 0.3)
_BY_LESION = "lesion_"  # begins the names of metrics by lesion


@dataclass(frozen=True)
class AlertKind:
    """One of the two alerts, in words and in the names of its metrics.

    Attributes:
        name: Of the alert.
        title: What it looks for, in the singular.
        prefix: Of its metrics in `ModelCard.metrics`.
    """

    name: str
    title: str
    prefix: str

    def find_share(self, prevalence: Prevalence) -> float:
        """Return the share of lesions that it looks for, in [0, 1]."""
        return prevalence.skin_cancer if self.prefix else prevalence.melanoma


MELANOMA = AlertKind("melanoma alert", "melanoma", "")
SKIN_CANCER = AlertKind("skin cancer alert", "skin cancer", "skin_cancer_")


def find_alert_figures(card: ModelCard, *, by_lesion: bool = False) -> dict[str, Figure]:
    """Return the headline metrics of a card.

    These are of the test lesions whose diagnosis histopathology confirmed, where these are enough
    (`subsets.find_headline`). Empty if the card has no metrics.

    Args:
        card: Of the model.
        by_lesion: Whether the alerts are those of lesions, each read from all its photographs. A
            card without such metrics gives those by photograph.
    """
    figures = card.metrics.get(find_headline(card.metrics), {})
    return figures | _select_lesion_figures(figures) if by_lesion else figures


def _select_lesion_figures(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Return the metrics by lesion under the names of those by photograph; empty without them."""
    return {
        name.removeprefix(_BY_LESION): figure
        for name, figure in figures.items()
        if name.startswith(_BY_LESION)
    }


def describe_assumption(card: ModelCard, clinic: Prevalence | None) -> str:
    """Return which prevalence a probability assumes, as numbers.

    Args:
        card: Of the model.
        clinic: That the probability is adapted to; None if it is not adapted.
    """
    assumed = clinic or find_trained_prevalence(card)
    if assumed is None:
        return (
            "The model card does not state how frequent melanoma was in the training data, which "
            "the probabilities assume."
        )
    whose = "your clinic" if clinic else "the model's training data"
    return (
        f"These numbers assume that {format_prevalence(assumed.melanoma)} of lesions are "
        f"melanomas and {format_prevalence(assumed.skin_cancer)} are skin cancers, as in {whose}."
    )


def question_prevalence(clinic: Prevalence) -> str:
    """Return a question about a prevalence of melanoma that is unusual; "" for others.

    >>> question_prevalence(Prevalence(0.25, 0.4)), question_prevalence(Prevalence(0.02, 0.08))
    ('', '')
    >>> question_prevalence(Prevalence(0.0002, 0.08))
    'Is this right? 0.02% of lesions are melanomas: 2 of 10,000. The numbers are percentages.'
    """
    if not clinic.melanoma or _USUAL[0] <= clinic.melanoma <= _USUAL[1]:
        return ""
    base = _choose_base(clinic.melanoma)
    return (
        f"Is this right? {format_prevalence(clinic.melanoma)} of lesions are melanomas: "
        f"{base * clinic.melanoma:,.0f} of {base:,}. The numbers are percentages."
    )


def explain_unadapted(card: ModelCard) -> str:
    """Return why probabilities could not be adapted to a clinic's prevalence."""
    if card.frequencies is None:
        return (
            "The probabilities cannot be adapted to your clinic: the model card does not state how "
            "frequent each diagnosis was in the training data."
        )
    return (
        "The probabilities cannot be adapted to your clinic: it has lesions of a kind (melanoma, "
        "other skin cancer or the rest) that this model does not know or excludes here."
    )


def describe_likelihood(melanoma: float, skin_cancer: float) -> str:
    """Return probabilities as natural frequencies.

    Args:
        melanoma: Probability of melanoma, in [0, 1].
        skin_cancer: Probability of any skin cancer, in [0, 1].

    >>> describe_likelihood(0.049, 0.121)
    'Of 100 lesions like this one, about 5 are melanomas and about 12 are skin cancers of any kind.'
    >>> describe_likelihood(0.0032, 0.121).split(",", 2)[2]
    ' about 3 are melanomas and about 121 are skin cancers of any kind.'
    """
    base = _choose_base(melanoma)
    return (
        f"Of {base:,} lesions like this one, {_count(melanoma, base, 'melanoma')} and "
        f"{_count(skin_cancer, base, 'skin cancer')} of any kind."
    )


def describe_caution(
    card: ModelCard,
    alerts: tuple[bool, bool | None],
    clinic: Prevalence | None = None,
    *,
    by_lesion: bool = False,
) -> str:
    """Return what the alerts of a reading do not prove, with their predictive values.

    Args:
        card: Of the model.
        alerts: Whether the melanoma alert and the skin cancer alert are raised; the second is None
            if the model has none.
        clinic: Prevalence of the clinic; None for that of the training data.
        by_lesion: Whether a lesion was read from several photographs (`find_alert_figures`).
    """
    prevalence = clinic or find_trained_prevalence(card)
    is_melanoma, is_cancer = alerts
    caution = (
        "An alert is not a diagnosis."
        if is_melanoma or is_cancer
        else f"No alert does not rule out {'melanoma' if is_cancer is None else 'skin cancer'}."
    )
    figures = find_alert_figures(card, by_lesion=by_lesion)
    values = [_describe_value(figures, MELANOMA, is_melanoma, prevalence)]
    if is_cancer is not None and not is_melanoma:
        values.append(_describe_value(figures, SKIN_CANCER, is_cancer, prevalence))
    return " ".join(filter(None, (caution, *values)))


def describe_alert(figures: Mapping[str, Figure], kind: AlertKind, share: float) -> str:
    """Return what an alert means at a prevalence: alerts, lesions found and missed, PPV and NPV.

    Args:
        figures: Metrics of a model.
        kind: Of the alert.
        share: Prevalence of what the alert looks for, in [0, 1] or NaN.

    Returns:
        A few sentences; "" if the metrics lack those of this alert.
    """
    names = [f"{kind.prefix}{name}" for name in ("sensitivity", "specificity")]
    if not figures.keys() >= set(names):
        return ""
    values = predict_alert(figures, kind, share)
    if values is None or math.isnan(values.alert_rate.value):
        return (
            f"What a {kind.name} means is undefined: among the lesions or the images, there are no "
            f"{kind.title}s or nothing else."
        )
    base = max(1000, _choose_base(share))
    number = base * share
    found = number * figures[f"{kind.prefix}sensitivity"].value
    return (
        f"At a prevalence of {format_prevalence(share)}, {number:,.0f} of {base:,} lesions are "
        f"{kind.title}s. The model raises {base * values.alert_rate.value:,.0f} "
        f"{kind.name}s, finds {found:,.0f} {kind.title}s and misses {number - found:,.0f}: PPV "
        f"{_format_share(values.ppv)}; NPV {_format_share(values.npv)}."
    )


def describe_effects(
    card: ModelCard, clinic: Prevalence | None, *, by_lesion: bool = False
) -> list[str]:
    """Return what each alert of a model means at a prevalence, in a sentence or two each.

    Args:
        card: Of the model; an alert that it has no metrics of is left out.
        clinic: Prevalence of the clinic; None for that of the training data.
        by_lesion: Whether a lesion was read from several photographs (`find_alert_figures`).
    """
    prevalence = clinic or find_trained_prevalence(card)
    if prevalence is None:
        return []
    figures = find_alert_figures(card, by_lesion=by_lesion)
    kinds = (MELANOMA, SKIN_CANCER)
    texts = [describe_alert(figures, kind, kind.find_share(prevalence)) for kind in kinds]
    return [text for text in texts if text]


def format_prevalence(share: float) -> str:
    """Return a prevalence as a percentage, with more than one digit where it takes them.

    >>> format_prevalence(0.02), format_prevalence(0.1398), format_prevalence(0.0125)
    ('2.0%', '14.0%', '1.25%')
    """
    is_short = share >= 0.1 or math.isclose(share, round(share, 3))
    return f"{share:.1%}" if is_short else f"{100 * share:.3g}%"


def _choose_base(share: float) -> int:
    """Return of how many lesions a share is counted, so that the count is at least 1 if possible.

    >>> _choose_base(0.05), _choose_base(0.004), _choose_base(1e-9), _choose_base(0.0)
    (100, 1000, 10000, 100)
    """
    if not share > 0:
        return _BASES[0]
    return next((base for base in _BASES if base * share >= 1), _BASES[-1])


def _describe_value(
    figures: Mapping[str, Figure], kind: AlertKind, alert: bool, prevalence: Prevalence | None
) -> str:
    """Return the PPV of a raised alert, or the NPV of one that is not; "" where undefined."""
    if prevalence is None:
        return ""
    values = predict_alert(figures, kind, kind.find_share(prevalence))
    if values is None:
        return ""
    figure = values.ppv if alert else values.npv
    if math.isnan(figure.value):
        return ""
    share = figure.value if alert else 1 - figure.value
    base = _choose_base(share)
    among = f"{kind.name}s" if alert else f"lesions without a {kind.name}"
    return (
        f"Of {base:,} {among}, {_count(share, base, kind.title)} "
        f"({'PPV' if alert else 'NPV'} {_format_share(figure)})."
    )


def measure_share(figures: Mapping[str, Figure], kind: AlertKind) -> float:
    """Return the prevalence among the images of metrics; NaN without the metrics of the alert."""
    found = figures.get(f"{kind.prefix}sensitivity")
    others = figures.get(f"{kind.prefix}specificity")
    if found is None or others is None or not found.total + others.total:
        return math.nan
    return found.total / (found.total + others.total)


def predict_alert(
    figures: Mapping[str, Figure], kind: AlertKind, share: float
) -> "PredictiveValues | None":
    """Return the predictive values of an alert.

    Args:
        figures: Metrics of a model.
        kind: Of the alert.
        share: Prevalence of what the alert looks for, in [0, 1] or NaN.

    Returns:
        Them; None if the metrics lack those of this alert, or if the share is not in (0, 1).
    """
    from melanoma_core.evaluation.alerts import predict_values  # NumPy

    sensitivity = figures.get(f"{kind.prefix}sensitivity")
    specificity = figures.get(f"{kind.prefix}specificity")
    if sensitivity is None or specificity is None or not 0 < share < 1:
        return None
    return predict_values(sensitivity, specificity, share)


def _count(share: float, base: int, noun: str) -> str:
    """Return how many of so many lesions are of a kind, with the verb."""
    number = base * share
    if math.isnan(share):
        return f"{UNDEFINED} numbers are {noun}s"
    if share in (0, 1):
        return f"{'all' if share else 'none'} are {noun}s"
    if number < 1:
        return f"fewer than 1 is a {noun}"
    if round(number) == base:
        return f"more than {base - 1:,} are {noun}s"
    return f"about {number:,.0f} {f'is a {noun}' if round(number) == 1 else f'are {noun}s'}"


def _format_share(figure: Figure) -> str:
    """Return a share with its interval, with more digits where it is close to 0 or to 1."""
    if math.isnan(figure.value):
        return UNDEFINED
    rest = min(figure.value, 1 - figure.value)
    digits = min(4, 1 + max(0, math.ceil(-math.log10(100 * rest)))) if rest > 0 else 1
    if math.isnan(figure.low) or math.isnan(figure.high):
        return f"{figure.value:.{digits}%}, 95% CI {UNDEFINED}"
    return (
        f"{figure.value:.{digits}%}, 95% CI {100 * figure.low:.{digits}f}–{figure.high:.{digits}%}"
    )
