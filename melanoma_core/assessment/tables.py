"""An evaluation of a folder in sentences and tables, for pages and the command line."""

import math
from collections.abc import Mapping
from typing import Any

from melanoma_core.assessment.assessment import Assessment, Part
from melanoma_core.data.skin_tone import ESTIMATE_NOTE, ITA_TONES
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.rules import SKIN_CANCER
from melanoma_core.evaluation.slices import FEWEST_LESIONS
from melanoma_core.models.card_text.formats import format_figure
from melanoma_core.models.card_text.tables import tabulate_confirmed
from melanoma_core.models.card_text.wording import (
    describe_alert_frequencies,
    name_class,
    name_figure,
)
from melanoma_core.models.origins import read_origin
from melanoma_core.taxonomy import RiskTier

Row = dict[str, Any]
_ORIGINS = {
    "melanoma": "Melanoma operating point",
    "skin_cancer": "Skin cancer operating point",
}
_MAIN = (
    *("accuracy", "balanced_accuracy", "balanced_accuracy_even", "balanced_accuracy_seven"),
    *("melanoma_roc_auc", "melanoma_average_precision"),
    *("sensitivity", "specificity", "ppv", "npv", "alert_rate", "prevalence"),
    *("skin_cancer_roc_auc", "skin_cancer_sensitivity", "skin_cancer_specificity"),
    *("skin_cancer_ppv", "skin_cancer_npv", "skin_cancer_alert_rate", "skin_cancer_prevalence"),
    *("lesion_melanoma_roc_auc", "lesion_sensitivity", "lesion_specificity"),
    *("lesion_skin_cancer_roc_auc", "lesion_skin_cancer_sensitivity"),
    *("lesion_skin_cancer_specificity", "lesion_alerts_differ"),
    *("brier_score", "calibration_error", "coverage", "set_size"),
)
_SLICE_COLUMNS = {
    "sensitivity": "Sensitivity, images",
    "specificity": "Specificity, images",
    "melanoma_roc_auc": "Melanoma ROC AUC",
    "skin_cancer_sensitivity": "Skin cancer sensitivity, images",
    "skin_cancer_specificity": "Skin cancer specificity, images",
    "skin_cancer_roc_auc": "Skin cancer ROC AUC",
    "accuracy": "Accuracy, images",
}
_CLASS_COLUMNS = {
    "recall": "Recall",
    "precision": "Precision",
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "coverage": "Prediction set coverage",
    "set_size": "Prediction set size",
}
CONFIRMED_NOTE = (
    "An alert is right if it is raised for melanoma (or for skin cancer), or not raised for "
    "another lesion. What is biopsied looks suspicious. So specificity is lower on nevi confirmed "
    "by histopathology than on nevi that were only followed up."
)
_SLICES_NOTE = (
    "Counts in a metric are images; the columns of lesions count lesions. A subgroup needs "
    f"{FEWEST_LESIONS} melanomas and {FEWEST_LESIONS} other lesions. By the rule of three, even if "
    f"all {FEWEST_LESIONS} are correct, up to one in ten may still be wrong."
)


def describe_origin(assessment: Assessment) -> dict[str, str]:
    """Return what each row of a file says: the model, the software, and both operating points."""
    points = assessment.operating_points or {}
    found = {
        column: f"threshold {each['threshold']:.4g}, {read_origin(each).describe()}"
        for name, column in _ORIGINS.items()
        if (each := points.get(name))
    }
    return {
        "Model": assessment.model_id,
        "Software": assessment.app_version,
        **dict.fromkeys(_ORIGINS.values(), ""),
        **found,
        "Note": assessment.disclaimer,
    }


def describe_assessment(assessment: Assessment) -> list[str]:
    """Describe what was evaluated on which images, and the limitations, one sentence each."""
    evaluation = assessment.evaluation
    sentences = [
        f"{evaluation.num_images:,} of {assessment.num_selected:,} images of {assessment.folder} "
        f"(subset {assessment.subset}), of {evaluation.num_lesions:,} lesions, were evaluated with "
        f"{assessment.model_id}.",
        f"Labels: {assessment.labels}.",
    ]
    sentences += _describe_tiers(evaluation)
    if assessment.num_unlabelled:
        sentences.append(
            f"Left out: {assessment.num_unlabelled:,} images without a label that the model has."
        )
    if assessment.unreadable:
        sentences.append(f"Left out: {len(assessment.unreadable):,} images that cannot be read.")
    if assessment.num_refused:
        sentences.append(
            f"A reading would refuse {assessment.num_refused:,} of the images, of which "
            f"{_count_refused(assessment)}. They are included in the metrics."
        )
    sentences.append(_describe_headline(assessment))
    part, headline = next(iter(assessment.parts.items()))
    if frequencies := _describe_frequencies(headline.figures):
        sentences.append(f"{part}: {frequencies}")
    sentences.append(_describe_seen(assessment))
    sentences += [f"WARNING: {warning}" for warning in assessment.warnings]
    if assessment.num_relatives:
        sentences.append(
            f"{assessment.num_relatives:,} of the images share a copy, lesion or patient with the "
            "folder's own train subset. A separate column shows the metrics without them."
        )
    return [sentence for sentence in sentences if sentence]


def _describe_tiers(evaluation: Evaluation) -> list[str]:
    """Describe what images of which only the risk tier is known count for, and what stays open."""
    if not evaluation.tiers:
        return []
    num_tiers = sum(evaluation.tiers.values())
    listed = ", ".join(f"{count:,} {tier}" for tier, count in evaluation.tiers.items())
    sentences = [
        f"{num_tiers:,} of the images have a risk tier as label, which is no diagnosis ({listed}). "
        "They count in the skin cancer metrics. Those that are not malignant count in the melanoma "
        "metrics too, as other lesions."
    ]
    num_malignant = evaluation.tiers.get(RiskTier.MALIGNANT, 0)
    if num_malignant:
        sentences.append(
            f"Of the {num_malignant:,} malignant ones it is not known which are melanomas. They "
            "are not in the melanoma metrics."
        )
    if not evaluation.figures["sensitivity"].total:
        sentences.append(
            "No image is known to be a melanoma. So the sensitivity of the melanoma alert, its "
            "PPV and NPV, the ROC AUC and the calibration of melanoma are undefined."
        )
    diagnosed = [
        name_class(name)
        for name in evaluation.class_names
        if evaluation.figures[f"recall_{name}"].total
    ]
    if not diagnosed:
        sentences.append(
            "No image has a diagnosis. So accuracy, recalls, the confusion matrix and the coverage "
            "of prediction sets are undefined."
        )
    elif len(diagnosed) == 1:
        sentences.append(
            f"Every image with a diagnosis is a {diagnosed[0]}. So accuracy over several diagnoses "
            "is undefined."
        )
    if not any(name.startswith(SKIN_CANCER) for name in evaluation.figures):
        sentences.append("The model knows no other skin cancer than melanoma.")
    return [*sentences, "What is undefined is not shown."]


def is_shown(evaluation: Evaluation, name: str) -> bool:
    """Return whether a metric is shown: with labels of a tier, those that are defined are."""
    figure = evaluation.figures.get(name)
    return figure is not None and not (evaluation.tiers and math.isnan(figure.value))


def has_diagnoses(evaluation: Evaluation) -> bool:
    """Return whether the diagnosis of any image is known."""
    return sum(evaluation.tiers.values()) < evaluation.num_images


def _describe_headline(assessment: Assessment) -> str:
    """Return on which images the first metrics are, and why."""
    number, total = assessment.num_confirmed, assessment.evaluation.num_images
    if not number:
        return "How each diagnosis was confirmed is not recorded: the metrics are on all images."
    if number == total:
        return "The labels of all images were confirmed by histopathology."
    if Part.CONFIRMED is not next(iter(assessment.parts)):
        return (
            f"Histopathology confirmed {number:,} of the {total:,} images, which lack melanomas or "
            "other lesions. So the metrics on all images come first."
        )
    return (
        f"Histopathology confirmed {number:,} of the {total:,} images. The metrics on these come "
        "first, as in a model card. Those on all images are beside them. They also count lesions "
        "that look harmless and were never biopsied."
    )


def _count_refused(assessment: Assessment) -> str:
    """Return how many refused images are melanomas, or skin cancers if that is what is known."""
    num_cancers = assessment.num_refused_cancers
    if assessment.evaluation.tiers and num_cancers is not None:
        return f"{num_cancers:,} are skin cancers"
    return f"{assessment.num_refused_melanomas:,} are melanomas"


def _describe_frequencies(figures: Mapping[str, Figure]) -> str:
    """Return what the melanoma alert does; what the other does where the first is undefined."""
    melanoma = describe_alert_frequencies(figures["sensitivity"], figures["specificity"])
    pair = [figures.get(f"{SKIN_CANCER}_{name}") for name in ("sensitivity", "specificity")]
    if melanoma or pair[0] is None or pair[1] is None:
        return melanoma
    return describe_alert_frequencies(pair[0], pair[1], "skin cancer")


def _describe_seen(assessment: Assessment) -> str:
    if assessment.num_known is None:
        return (
            "WARNING: This model does not record what it was trained on. If it was trained on "
            "images of this folder, the metrics are too optimistic."
        )
    if not assessment.num_known:
        return "None of the images was seen in training."
    seen = f"{assessment.num_known:,} images were seen in training, or are related to one that was."
    if assessment.with_known:
        return f"WARNING: {seen} They are included as requested: the metrics are too optimistic."
    return (
        f"WARNING: {seen} They were left out, because they would make the metrics too optimistic."
    )


def tabulate_main(assessment: Assessment) -> list[Row]:
    """Tabulate the main metrics of every part of the images, the headline first."""
    return [
        {"Metric": name_figure(name), **_format_columns(assessment, name)}
        for name in _MAIN
        if is_shown(assessment.evaluation, name)
    ]


def _format_columns(assessment: Assessment, name: str) -> Row:
    return {
        str(part): format_figure(name, evaluation.figures.get(name))
        for part, evaluation in assessment.parts.items()
    }


def tabulate_classes(evaluation: Evaluation) -> list[Row]:
    """Tabulate the metrics of each class against the rest; no row without a diagnosis."""
    if not has_diagnoses(evaluation):
        return []
    kinds = [
        kind
        for kind in _CLASS_COLUMNS
        if f"{kind}_{evaluation.class_names[0]}" in evaluation.figures
    ]
    return [
        {
            "Diagnosis": name_class(name),
            "Images": evaluation.figures[f"recall_{name}"].total,
            "Lesions": evaluation.figures[f"recall_{name}"].num_lesions,
            **{
                _CLASS_COLUMNS[kind]: format_figure(kind, evaluation.figures[f"{kind}_{name}"])
                for kind in kinds
            },
        }
        for name in evaluation.class_names
    ]


def tabulate_slices(evaluation: Evaluation) -> list[Row]:
    """Tabulate the metrics of every subgroup, with a warning if it is too small."""
    return [
        {
            "Attribute": each.attribute.replace("_", " "),
            "Value": each.value,
            "Warning": each.warning,
            "Images": each.num_images,
            "Melanoma lesions": each.num_melanomas,
            "Other lesions": each.num_others,
            "Skin cancer lesions": each.num_skin_cancers,
        }
        | {
            title: format_figure(name, each.figures[name])
            for name, title in _SLICE_COLUMNS.items()
            if name in each.figures and is_shown(evaluation, name)
        }
        for each in evaluation.slices
    ]


def describe_slices(evaluation: Evaluation) -> list[str]:
    """Return what the numbers of the subgroups count, and what an estimated skin tone is worth."""
    is_estimated = any(each.value in ITA_TONES for each in evaluation.slices)
    return [_SLICES_NOTE, ESTIMATE_NOTE] if is_estimated else [_SLICES_NOTE]


def format_tables(assessment: Assessment) -> str:
    """Format all tables of an evaluation as Markdown.

    The diagnoses are tabulated for the headline and for all images, the rest for all images.
    """
    evaluation, parts = assessment.evaluation, assessment.parts
    texts = [_format_table(tabulate_main(assessment))]
    for part in dict.fromkeys((next(iter(parts)), Part.ALL)):
        tables = tabulate_classes(parts[part]), _tabulate_confusion(parts[part])
        texts += [f"{part}:\n\n{_format_table(rows)}" for rows in tables if rows]
    if evaluation.slices:
        slices = _format_table(tabulate_slices(evaluation))
        texts += [f"{Part.ALL}, by subgroup:\n\n{slices}", *describe_slices(evaluation)]
    if evaluation.confirmed:
        texts += [_format_table(tabulate_confirmed(evaluation)), CONFIRMED_NOTE]
    return "\n\n".join(texts)


def _tabulate_confusion(evaluation: Evaluation) -> list[Row]:
    if not has_diagnoses(evaluation):
        return []
    return [
        {"True diagnosis (row), predicted (column)": name_class(name)}
        | dict(zip(evaluation.class_names, counts, strict=True))
        for name, counts in zip(evaluation.class_names, evaluation.confusion, strict=True)
    ]


def _format_table(rows: list[Row]) -> str:
    lines = [
        list(rows[0]),
        ["---"] * len(rows[0]),
        *([str(cell) for cell in row.values()] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
