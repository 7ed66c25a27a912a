"""Figures and probabilities in the words that people act on.

Natural frequencies ("of 100 melanomas, about 95") are understood where percentages of
percentages are not: Gigerenzer et al., "Helping Doctors and Patients Make Sense of Health
Statistics" (2007). Every function takes plain values and returns plain text: who shows it escapes
it.
"""

import math

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.prediction_set import Abstention, PredictionSet
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import format_interval, format_percent
from melanoma_core.taxonomy import parse_diagnosis

WITHHELD = "withheld"
TEST = "test"

_TITLES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "balanced_accuracy_even": "Balanced accuracy, every diagnosis taken as equally frequent",
    "balanced_accuracy_seven": "Balanced accuracy likewise, AK and SCC as one (ISIC 2018's score)",
    "melanoma_roc_auc": "Melanoma ROC AUC",
    "sensitivity": "Sensitivity of the alert",
    "specificity": "Specificity of the alert",
    "calibration_error": "Calibration error of the probability of melanoma",
    "brier_score": "Brier score of the probability of melanoma",
    "melanoma_average_precision": "Melanoma average precision",
    "ppv": "Melanomas among the alerts",
    "npv": "Other lesions among those without an alert",
    "alert_rate": "Share alerted on",
    "prevalence": "Melanomas among the photographs",
    "coverage": "Photographs whose set holds the diagnosis",
    "set_size": "Diagnoses in a set",
}
_CLASS_TITLES = {
    "recall_": "Recall of",
    "precision_": "Precision of",
    "roc_auc_": "ROC AUC of",
    "average_precision_": "Average precision of",
    "coverage_": "Set holds the diagnosis, of",
    "set_size_": "Diagnoses in a set, of",
}


def name_figure(name: str) -> str:
    """Return what a person calls a figure of `evaluate`, as "Recall of nevus"."""
    if name in _TITLES:
        return _TITLES[name]
    for prefix, title in _CLASS_TITLES.items():
        if name.startswith(prefix):
            return f"{title} {name_class(name.removeprefix(prefix))}"
    return name


def name_subset(subset: str) -> str:
    """Return what a person calls a subset of `ModelCard.metrics`, as "test, ham10000 alone"."""
    whole, _, source = subset.partition("/")
    return f"{whole}, {source} alone" if source else whole


def describe_sensitivity(card: ModelCard) -> str:
    """Say how many held-out melanomas the threshold found, with count and interval."""
    figure = _find(card, "sensitivity")
    if figure is None or figure.count is None:
        missing = "undefined: it was measured on no held-out melanoma"
        return f"Its sensitivity is {WITHHELD if is_withheld(card) else missing}."
    return (
        f"Of {figure.total:,} photographs of melanomas that it had never seen, it alerted on "
        f"{figure.count:,}: sensitivity {format_percent(figure.value)} ({format_interval(figure)}; "
        f"{figure.num_lesions:,} lesions)."
    )


def describe_specificity(card: ModelCard) -> str:
    """Say how many held-out lesions other than melanoma the threshold let pass."""
    figure = _find(card, "specificity")
    if figure is None or figure.count is None:
        missing = "undefined: it was measured on no other held-out lesion"
        return f"Its specificity is {WITHHELD if is_withheld(card) else missing}."
    return (
        f"Of {figure.total:,} photographs of other lesions, it gave no alert on "
        f"{figure.count:,}: specificity {format_percent(figure.value)} ({format_interval(figure)}; "
        f"{figure.num_lesions:,} lesions)."
    )


def describe_frequencies(card: ModelCard) -> str:
    """Say what the threshold does to 100 melanomas and to 100 other lesions."""
    found, passed = _find(card, "sensitivity"), _find(card, "specificity")
    return "" if found is None or passed is None else describe_alert_frequencies(found, passed)


def describe_alert_frequencies(found: Figure, passed: Figure) -> str:
    """Say what alerts do to 100 melanomas and to 100 other lesions; empty where undefined.

    Args:
        found: The sensitivity.
        passed: The specificity.
    """
    if math.isnan(found.value) or math.isnan(passed.value):
        return ""
    return (
        f"Of 100 melanomas, this threshold alerts on {_of_hundred(found.value)}; of 100 other "
        f"lesions, on {_of_hundred(1 - passed.value)}."
    )


def describe_novelty(card: ModelCard) -> str:
    """Say whether a model refuses photographs that are no lesions, and how many that are."""
    limit = card.novelty
    if limit is None:
        return (
            "It does not check whether a photograph shows a lesion: it names a diagnosis for "
            "whatever it is shown."
        )
    sentence = (
        "It refuses photographs that are unlike those that it learned from: beyond a distance of "
        f"{limit.distance:.1f}, chosen on the {limit.chosen_on} photographs so that at most "
        f"{format_percent(limit.largest_share)} of real lesions are refused."
    )
    figure = limit.refused.get(TEST)
    if figure is None or figure.count is None or math.isnan(figure.value):
        return sentence
    return (
        f"{sentence} Of {figure.total:,} photographs of lesions that it had never seen, it refuses "
        f"{figure.count:,}: {format_percent(figure.value)} ({format_interval(figure)})."
    )


def describe_caution(card: ModelCard, alert: bool) -> str:
    """Say what an answer does not mean, with how many of 100 lesions get it, where measured."""
    found, passed = _find(card, "sensitivity"), _find(card, "specificity")
    caution = "An alert is not a diagnosis" if alert else "No alert does not rule out melanoma"
    if found is None or passed is None:
        return f"{caution}."
    if alert:
        shares, answer = (found.value, 1 - passed.value), "get one"
    else:
        shares, answer = (1 - found.value, passed.value), "get none"
    return (
        f"{caution}: of 100 melanomas, {_of_hundred(shares[0])} {answer}; of 100 other lesions, "
        f"{_of_hundred(shares[1])} {answer}."
    )


def describe_probability(probability: float) -> str:
    """Say what a calibrated probability of melanoma means among the lesions it was made for."""
    return (
        f"Of 100 lesions that read like this one, {_of_hundred(probability)} are melanomas, where "
        "melanoma is as frequent as among the photographs it was calibrated on."
    )


def describe_set(found: PredictionSet, alert: bool) -> str:
    """Say what a photograph may show, or why that cannot be said.

    Args:
        found: The set of the photograph.
        alert: Whether it is alerted on, which another threshold decides.
    """
    members = _list_titles(found.members)
    if found.abstention is Abstention.MELANOMA_UNKNOWN:
        return (
            "Which diagnoses it may be is left open: the network had not enough melanomas to name "
            "melanoma or rule it out."
        )
    if found.abstention is Abstention.EMPTY:
        return (
            "Which diagnosis it may be is left open: it reads like none of those that the network "
            "knows."
        )
    if found.abstention is Abstention.TOO_MANY:
        return f"Which diagnosis it may be is left open: too many cannot be ruled out ({members})."
    sentences = [
        f"It may be {members}: the list is made to hold the diagnosis of "
        f"{_of_hundred(found.coverage)} of 100 lesions of each kind."
    ]
    if alert and found.melanoma not in found.members:
        sentences.append(
            "Melanoma is not on it, and the alert stands: it is set to miss fewer melanomas."
        )
    if found.unknown:
        sentences.append(f"Not enough cases to name or rule out: {_list_titles(found.unknown)}.")
    return " ".join(sentences)


def describe_model(card: ModelCard) -> str:
    """Return the figures of a model in one line."""
    if is_withheld(card):
        return describe_leakage(card)
    auc, balanced = _find(card, "melanoma_roc_auc"), _find(card, "balanced_accuracy")
    if auc is None or balanced is None:
        return "It was not measured on held-out lesions."
    return (
        f"Melanoma ROC AUC {auc.value:.3f} (95% interval {auc.low:.3f}–{auc.high:.3f}), balanced "
        f"accuracy {format_percent(balanced.value)} ({format_interval(balanced)}), on "
        f"{auc.total:,} held-out photographs of {auc.num_lesions:,} lesions."
    )


def is_withheld(card: ModelCard) -> bool:
    """Return whether the card has no figures since they would be too good."""
    return card.leakage is not None and card.leakage.found > 0


def describe_leakage(card: ModelCard) -> str:
    """Say whether test photographs have relatives among those that the network was fitted on."""
    leakage = card.leakage
    if leakage is None:
        return "Nobody looked for leaks between training and test."
    if leakage.found:
        return (
            f"Its figures are {WITHHELD}: {leakage.found:,} of its {leakage.num_test:,} test "
            f"photographs have a relative among those that it was fitted on "
            f"({leakage.examples[0]})."
        )
    return (
        f"None of its {leakage.num_test:,} test photographs has a relative among the "
        f"{leakage.num_others:,} that it was fitted on. Compared by "
        f"{', '.join(leakage.checked_by) or 'nothing, since no table tells anything'}."
    )


def _find(card: ModelCard, name: str) -> Figure | None:
    """Return a figure of the test subset, or None where it is undefined or was not measured."""
    figure = card.metrics.get(TEST, {}).get(name)
    return None if figure is None or math.isnan(figure.value) else figure


def _list_titles(names: tuple[str, ...]) -> str:
    titles = [name_class(name) for name in names]
    return " or ".join(filter(None, (", ".join(titles[:-1]), titles[-1]))) if titles else ""


def name_class(name: str) -> str:
    """Return what a clinician calls a class, or its own name where it is none of the eight."""
    diagnosis = parse_diagnosis(name)
    return diagnosis.title if diagnosis else name


def _of_hundred(share: float) -> str:
    if 0 < share < 0.005:
        return "fewer than 1"
    if 0.995 < share < 1:
        return "more than 99"
    return f"about {100 * share:.0f}"
