"""What a model card and a reading say, in sentences.

Sentences give natural frequencies ("of 100 melanomas, about 95") beside percentages, because people
understand them better: Gigerenzer et al., "Helping Doctors and Patients Make Sense of Health
Statistics" (2007). Every function returns plain text. The caller escapes it.
"""

import math

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.prediction_set import Abstention, PredictionSet
from melanoma_core.evaluation.subsets import CONFIRMED, TEST, find_collection, find_headline
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import UNDEFINED, format_interval, format_percent
from melanoma_core.models.card_text.prevalence import find_alert_figures
from melanoma_core.taxonomy import parse_diagnosis

_TITLES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "balanced_accuracy_even": "Balanced accuracy, equal class priors",
    "balanced_accuracy_seven": (
        "Balanced accuracy, equal class priors, AK and SCC merged (ISIC 2018 score)"
    ),
    "melanoma_roc_auc": "Melanoma ROC AUC",
    "sensitivity": "Sensitivity of the melanoma alert",
    "specificity": "Specificity of the melanoma alert",
    "calibration_error": "Calibration error (ECE), probability of melanoma",
    "brier_score": "Brier score, probability of melanoma",
    "melanoma_average_precision": "Melanoma average precision",
    "ppv": "PPV of the melanoma alert",
    "npv": "NPV of the melanoma alert",
    "alert_rate": "Rate of the melanoma alert",
    "prevalence": "Prevalence of melanoma",
    "skin_cancer_roc_auc": "Skin cancer ROC AUC",
    "skin_cancer_sensitivity": "Sensitivity of the skin cancer alert",
    "skin_cancer_specificity": "Specificity of the skin cancer alert",
    "skin_cancer_ppv": "PPV of the skin cancer alert",
    "skin_cancer_npv": "NPV of the skin cancer alert",
    "skin_cancer_alert_rate": "Rate of the skin cancer alert",
    "skin_cancer_prevalence": "Prevalence of skin cancer",
    "lesion_melanoma_roc_auc": "Melanoma ROC AUC, by lesion",
    "lesion_sensitivity": "Sensitivity of the melanoma alert, by lesion",
    "lesion_specificity": "Specificity of the melanoma alert, by lesion",
    "lesion_skin_cancer_roc_auc": "Skin cancer ROC AUC, by lesion",
    "lesion_skin_cancer_sensitivity": "Sensitivity of the skin cancer alert, by lesion",
    "lesion_skin_cancer_specificity": "Specificity of the skin cancer alert, by lesion",
    "lesion_alerts_differ": "Lesions whose photographs disagree on the melanoma alert",
    "coverage": "Coverage of the conformal prediction sets",
    "set_size": "Mean size of the conformal prediction sets",
}
_CONFIRMED = "confirmed by histopathology"
_CLASS_TITLES = {
    "recall_": "Recall of",
    "precision_": "Precision of",
    "roc_auc_": "ROC AUC of",
    "average_precision_": "Average precision of",
    "coverage_": "Set coverage of",
    "set_size_": "Mean set size of",
}


def name_figure(name: str) -> str:
    """Return the label of a metric of `metrics.evaluate_fully`.

    >>> name_figure("ppv"), name_figure("recall_MEL")
    ('PPV of the melanoma alert', 'Recall of melanoma')
    """
    if name in _TITLES:
        return _TITLES[name]
    for prefix, title in _CLASS_TITLES.items():
        if name.startswith(prefix):
            return f"{title} {name_class(name.removeprefix(prefix))}"
    return name


def name_subset(subset: str) -> str:
    """Return the label of a subset of `ModelCard.metrics`.

    >>> name_subset("test"), name_subset("test/ham10000"), name_subset("test:histopathology")
    ('test', 'test, ham10000 only', 'test, confirmed by histopathology')
    """
    if subset == CONFIRMED:
        return f"{TEST}, {_CONFIRMED}"
    collection = find_collection(subset)
    return subset if collection is None else f"{TEST}, {collection} only"


def name_class(name: str) -> str:
    """Return the clinical name of a class; its own name if it is not one of the eight diagnoses.

    >>> name_class("NV"), name_class("wart")
    ('nevus', 'wart')
    """
    diagnosis = parse_diagnosis(name)
    return diagnosis.title if diagnosis else name


def describe_sensitivity(card: ModelCard) -> str:
    """Return the headline sensitivity of the melanoma alert, with its count and interval."""
    figure = find_figure(card, "sensitivity")
    if figure is None or figure.count is None:
        return _explain_missing(card, "Sensitivity", "no melanoma")
    return (
        f"Sensitivity {format_percent(figure.value)} ({format_interval(figure)}): it alerts on "
        f"{figure.count:,} of {figure.total:,} photographs of melanomas {name_test(card)} "
        f"({figure.num_lesions:,} lesions)."
    )


def describe_specificity(card: ModelCard) -> str:
    """Return the headline specificity of the melanoma alert, with its count and interval."""
    figure = find_figure(card, "specificity")
    if figure is None or figure.count is None:
        return _explain_missing(card, "Specificity", "no lesion other than melanoma")
    return (
        f"Specificity {format_percent(figure.value)} ({format_interval(figure)}): it gives no "
        f"alert on {figure.count:,} of {figure.total:,} photographs of other lesions "
        f"{name_test(card)} ({figure.num_lesions:,} lesions)."
    )


def name_test(card: ModelCard) -> str:
    """Return on which lesions the headline metrics of a card are, after "photographs of …"."""
    is_confirmed = find_headline(card.metrics) == CONFIRMED
    return f"{_CONFIRMED} in the held-out test set" if is_confirmed else "in the held-out test set"


def describe_results(card: ModelCard, *, by_lesion: bool = False) -> str:
    """Return the headline sensitivity and specificity of the melanoma alert in one line.

    Args:
        card: Of the model.
        by_lesion: Whether the alert is that of lesions (`prevalence.find_alert_figures`).
    """
    figures = find_alert_figures(card, by_lesion=by_lesion)
    sensitivity, specificity = figures.get("sensitivity"), figures.get("specificity")
    if sensitivity is None or specificity is None or not sensitivity.total * specificity.total:
        return describe_model(card)
    is_confirmed = find_headline(card.metrics) == CONFIRMED
    if by_lesion and "lesion_sensitivity" in figures:
        confirmed = f" {_CONFIRMED}" if is_confirmed else ""
        tested = f"held-out lesions{confirmed}, each read from all its photographs"
    else:
        tested = "held-out photographs" + (f" of lesions {_CONFIRMED}" if is_confirmed else "")
    return (
        f"melanoma alert with a sensitivity of {_format_counted(sensitivity)} and a specificity of "
        f"{_format_counted(specificity)} on {tested}."
    )


def _format_counted(figure: Figure) -> str:
    return f"{format_percent(figure.value)} ({format_interval(figure)}, n = {figure.total:,})"


def _explain_missing(card: ModelCard, name: str, absent: str) -> str:
    if is_withheld(card):
        return f"{name} is withheld, because there is leakage between training and test."
    return f"{name} is {UNDEFINED}: the model was tested on {absent}."


def describe_frequencies(card: ModelCard) -> str:
    """Return how a card's threshold treats 100 melanomas and 100 other lesions, or ""."""
    sensitivity, specificity = find_figure(card, "sensitivity"), find_figure(card, "specificity")
    if sensitivity is None or specificity is None:
        return ""
    return describe_alert_frequencies(sensitivity, specificity)


def describe_alert_frequencies(
    sensitivity: Figure, specificity: Figure, condition: str = "melanoma"
) -> str:
    """Return how a threshold treats 100 melanomas and 100 other lesions; "" where undefined.

    Args:
        sensitivity: Of the alert.
        specificity: Of the alert.
        condition: What it looks for: "melanoma" or "skin cancer".

    >>> show = lambda value: Figure(value, value, value, None, 10, 10)
    >>> describe_alert_frequencies(show(0.95), show(0.66))
    'Of 100 melanomas, about 95 get an alert. Of 100 other lesions, about 34 get one.'
    """
    if math.isnan(sensitivity.value) or math.isnan(specificity.value):
        return ""
    return (
        f"Of 100 {condition}s, {_count_in_hundred(sensitivity.value)} get an alert. Of 100 other "
        f"lesions, {_count_in_hundred(1 - specificity.value)} get one."
    )


def describe_novelty(card: ModelCard) -> str:
    """Return whether a model has an out-of-distribution check, and what that check refuses."""
    limit = card.novelty
    if limit is None:
        return (
            "This model has no out-of-distribution check: it returns a diagnosis for any "
            "photograph, also of something else than a lesion."
        )
    sentences = (
        "This model refuses out-of-distribution photographs: those whose distance to the training "
        f"photographs exceeds {limit.distance:.1f}. The limit was chosen on the "
        f"{limit.chosen_on} subset, so that at most {format_percent(limit.largest_share)} of real "
        "lesions are refused."
    )
    figure = limit.refused.get(TEST)
    if figure is None or figure.count is None or math.isnan(figure.value):
        return sentences
    return (
        f"{sentences} In the held-out test set, it refuses {figure.count:,} of {figure.total:,} "
        f"photographs of lesions: {format_percent(figure.value)} ({format_interval(figure)})."
    )


def describe_set(found: PredictionSet, card: ModelCard, kept: tuple[str, ...] = ()) -> str:
    """Return a conformal prediction set in words, or why there is none.

    Args:
        found: The set of one photograph.
        card: Of the model that made it.
        kept: Class names that an alert keeps possible. The alert has a threshold of its own.
    """
    added = tuple(name for name in kept if name not in found.members)
    members = _join_titles((*added, *found.members))
    if found.abstention is not None:
        reason = {
            Abstention.MELANOMA_UNKNOWN: (
                "the model saw too few melanomas to include melanoma or to rule it out"
            ),
            Abstention.TOO_MANY: f"too many cannot be ruled out ({members})",
        }[found.abstention]
        return f"Possible diagnoses are left open: {reason}."
    sentences = [f"Possible diagnoses: {members}."]
    if added:
        sentences.append(f"The alert adds {_join_titles(added)}.")
    sentences.append(describe_coverage(card, "The set without it" if added else "Such a set"))
    if found.unknown:
        sentences.append(f"Too few cases to include or rule out: {_join_titles(found.unknown)}.")
    return " ".join(filter(None, sentences))


def describe_coverage(card: ModelCard, subject: str = "A set") -> str:
    """Return how often the conformal prediction sets of a model contain the true diagnosis.

    Args:
        card: Of the model.
        subject: What the sentence is about, in the singular.

    Returns:
        What was measured on the lesions of the headline metrics, and what the bounds were fitted
        for; "" if the model makes no sets. The two can differ: lesions that are biopsied are
        harder than those that the bounds were fitted on.
    """
    if card.conformal is None:
        return ""
    aim = f"in {_count_in_hundred(card.conformal.coverage)} of 100 lesions of each diagnosis"
    figure = find_figure(card, "coverage")
    if figure is None or figure.count is None:
        return f"{subject} is fitted to contain the true diagnosis {aim}. That was not measured."
    return (
        f"{subject} contained the true diagnosis in {figure.count:,} of {figure.total:,} "
        f"photographs {name_test(card)} ({format_percent(figure.value)}, "
        f"{format_interval(figure)}). It was fitted to contain it {aim}."
    )


def describe_model(card: ModelCard) -> str:
    """Return the headline metrics of a model, and what lesions they are on."""
    if is_withheld(card):
        return describe_leakage(card)
    roc_auc = find_figure(card, "melanoma_roc_auc")
    balanced = find_figure(card, "balanced_accuracy")
    if roc_auc is None or balanced is None:
        return "This model was not evaluated on a held-out test set."
    cancer = find_figure(card, "skin_cancer_roc_auc")
    areas = [f"Melanoma ROC AUC {format_area(roc_auc)}"]
    areas += [f"skin cancer ROC AUC {format_area(cancer)}"] if cancer else []
    measured = (
        f"{', '.join(areas)}, balanced accuracy {format_percent(balanced.value)} "
        f"({format_interval(balanced)}), on {roc_auc.total:,} held-out photographs of "
        f"{roc_auc.num_lesions:,} lesions"
    )
    if find_headline(card.metrics) == CONFIRMED:
        return f"{measured} {_CONFIRMED}."
    return f"{measured}. {_explain_unconfirmed(card)}"


def _explain_unconfirmed(card: ModelCard) -> str:
    """Return why the headline metrics are on all test lesions."""
    if CONFIRMED in card.metrics:
        return (
            "These are all test lesions, since those that are confirmed by histopathology lack "
            "melanomas or other lesions."
        )
    return "These are all test lesions: how each diagnosis was confirmed is not recorded."


def format_area(figure: Figure) -> str:
    """Return an area under a curve with its 95% confidence interval, for a sentence."""
    return f"{figure.value:.3f} (95% CI {figure.low:.3f}–{figure.high:.3f})"


def is_withheld(card: ModelCard) -> bool:
    """Return whether the card has no metrics because of leakage."""
    return card.leakage is not None and card.leakage.found > 0


def describe_leakage(card: ModelCard) -> str:
    """Return the result of the leakage check between training and test."""
    leakage = card.leakage
    if leakage is None:
        return "Leakage between training and test was not checked."
    if leakage.found:
        example = f" ({leakage.examples[0]})" if leakage.examples else ""
        return (
            f"Metrics are withheld because of leakage: {leakage.found:,} of "
            f"{leakage.num_test:,} test photographs are related to a photograph that the model "
            f"was fitted on{example}."
        )
    keys = ", ".join(leakage.checked_by) or "no key, because the tables have none"
    unchecked = f" {leakage.unchecked}" if leakage.unchecked else ""
    return (
        f"No leakage: none of the {leakage.num_test:,} test photographs is related to one of the "
        f"{leakage.num_others:,} photographs that the model was fitted on. Compared by {keys}."
        f"{unchecked}"
    )


def find_figure(card: ModelCard, name: str) -> Figure | None:
    """Return a headline metric, or None where it is undefined or missing."""
    figure = find_alert_figures(card).get(name)
    return None if figure is None or math.isnan(figure.value) else figure


def _join_titles(names: tuple[str, ...]) -> str:
    titles = [name_class(name) for name in names]
    return " or ".join(filter(None, (", ".join(titles[:-1]), *titles[-1:])))


def _count_in_hundred(share: float) -> str:
    if 0 < share < 0.005:
        return "fewer than 1"
    if 0.995 < share < 1:
        return "more than 99"
    return f"about {100 * share:.0f}"
