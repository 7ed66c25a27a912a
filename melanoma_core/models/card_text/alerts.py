"""What a model card says of both alerts, of all test lesions, and of combined photographs."""

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.subsets import CONFIRMED, TEST, find_headline
from melanoma_core.models.card import ModelCard, OperatingPoint
from melanoma_core.models.card_text.formats import format_interval, format_percent
from melanoma_core.models.card_text.wording import (
    describe_frequencies,
    describe_sensitivity,
    describe_specificity,
    find_figure,
    format_area,
    name_test,
)


def describe_alerts(card: ModelCard) -> list[str]:
    """Return how both alerts are raised, and how often each is right, a paragraph each."""
    paragraphs = [
        f"Melanoma alert: a calibrated probability of melanoma of "
        f"{_describe_point(card.operating_point)}",
        describe_frequencies(card),
        describe_sensitivity(card),
        describe_specificity(card),
        *_describe_skin_cancer(card),
        describe_all_lesions(card),
    ]
    return [each for each in paragraphs if each]


def _describe_point(point: OperatingPoint) -> str:
    return (
        f"{format_percent(point.threshold)} or more raises it. The threshold was chosen on the "
        f"{point.chosen_on} subset for a sensitivity of "
        f"{format_percent(point.target_sensitivity)}."
    )


def _describe_skin_cancer(card: ModelCard) -> list[str]:
    point = card.skin_cancer_operating_point
    if point is None:
        return ["This model has no alert for other skin cancers than melanoma."]
    found = find_figure(card, "skin_cancer_sensitivity")
    spared = find_figure(card, "skin_cancer_specificity")
    is_lowered = point.threshold == card.operating_point.threshold
    lowered = " It was lowered to that of the melanoma alert." if is_lowered else ""
    paragraphs = [
        "Skin cancer alert: a calibrated probability of melanoma, basal cell carcinoma or "
        f"squamous cell carcinoma together of {_describe_point(point)}{lowered} A melanoma alert "
        "is always a skin cancer alert, too."
    ]
    if found is not None and spared is not None:
        paragraphs.append(
            f"Of photographs {name_test(card)}, it alerts on {_count(found)} of skin cancers "
            f"(sensitivity), and gives no alert on {_count(spared)} of other lesions (specificity)."
        )
    return paragraphs


def _count(figure: Figure) -> str:
    return (
        f"{figure.count:,} of {figure.total:,} ({format_percent(figure.value)}, "
        f"{format_interval(figure)})"
    )


def describe_all_lesions(card: ModelCard) -> str:
    """Return the metrics on all test lesions, if the headline is on the confirmed ones; else ""."""
    figures = card.metrics.get(TEST, {})
    names = ("melanoma_roc_auc", "sensitivity", "specificity")
    if find_headline(card.metrics) != CONFIRMED or not figures.keys() >= set(names):
        return ""
    area, found, spared = (figures[name] for name in names)
    return (
        f"On all {area.total:,} test photographs of {area.num_lesions:,} lesions, however "
        f"confirmed: melanoma ROC AUC {format_area(area)}; the melanoma alert is raised for "
        f"{_count(found)} of melanomas and not raised for {_count(spared)} of other lesions."
    )


def describe_lesions(card: ModelCard) -> str:
    """Return how photographs of one lesion are combined and how often they disagree, or ""."""
    differ = find_figure(card, "lesion_alerts_differ")
    area = find_figure(card, "lesion_melanoma_roc_auc")
    single = find_figure(card, "melanoma_roc_auc")
    if differ is None or area is None or single is None:
        return ""
    temperature = card.lesion_temperature or card.temperature
    return (
        "A lesion with several photographs is read from all of them: the mean of their logits, "
        f"with the temperature {temperature:.3f}. In {_count(differ)} of such lesions, one "
        "photograph raises the melanoma alert and another does not. Melanoma ROC AUC by lesion "
        f"{format_area(area)}, by photograph {format_area(single)}."
    )
