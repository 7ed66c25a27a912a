"""An assessment in sentences and in tables, for a page and for the command line."""

import math
from collections.abc import Mapping
from typing import Any

from melanoma_core.assessment.assessment import Assessment
from melanoma_core.evaluation.alerts import predict_values
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.slices import FEWEST_LESIONS
from melanoma_core.models.card_text.formats import (
    UNDEFINED,
    format_figure,
    format_interval,
    format_percent,
)
from melanoma_core.models.card_text.wording import describe_alert_frequencies, name_class
from melanoma_core.models.card_text.wording import name_figure as name_any

Row = dict[str, Any]
_MAIN = (
    *("accuracy", "balanced_accuracy", "balanced_accuracy_even", "balanced_accuracy_seven"),
    *("melanoma_roc_auc", "melanoma_average_precision"),
    *("sensitivity", "specificity", "ppv", "npv", "alert_rate", "prevalence"),
    *("brier_score", "calibration_error", "coverage", "set_size"),
)
_OF_CLASS = ("recall", "precision", "roc_auc", "average_precision", "coverage", "set_size")


def describe_assessment(assessment: Assessment) -> list[str]:
    """Say what was measured on what, and what speaks against believing it, one sentence each."""
    read = assessment.evaluation
    sentences = [
        f"{read.num_images:,} of {assessment.num_selected:,} photographs of {assessment.folder} "
        f"(subset {assessment.subset}), of {read.num_lesions:,} lesions, were read by "
        f"{assessment.model_id}.",
        f"Labels: {assessment.labels}.",
    ]
    if assessment.num_unlabelled:
        sentences.append(
            f"{assessment.num_unlabelled:,} more have a label that the model does not know, or "
            "none: they were left out."
        )
    if assessment.unreadable:
        sentences.append(f"{len(assessment.unreadable):,} cannot be read: they were left out.")
    if assessment.num_refused:
        sentences.append(
            f"{assessment.num_refused:,} of them a reading would refuse, melanomas: "
            f"{assessment.num_refused_melanomas:,}. They are measured all the same."
        )
    sentences.append(
        describe_alert_frequencies(read.figures["sensitivity"], read.figures["specificity"])
    )
    sentences += _describe_known(assessment)
    if assessment.num_relatives:
        sentences.append(
            f"{assessment.num_relatives:,} of those that were read share a photograph, lesion or "
            "patient with the folder's own train subset: a network trained on it has met them. "
            "The figures on the others alone stand beside."
        )
    return [sentence for sentence in sentences if sentence]


def _describe_known(assessment: Assessment) -> list[str]:
    if assessment.num_known is None:
        return [
            "WARNING: this model keeps no list of what it was trained on. If photographs of this "
            "folder were among it, these figures are too good, and nobody can tell."
        ]
    if not assessment.num_known:
        return ["The model was fitted on none of them."]
    what = f"{assessment.num_known:,} photographs that the model was fitted on, or on relatives of"
    if assessment.with_known:
        return [f"WARNING: {what}, are among them, as was asked for: these figures are too good."]
    return [f"WARNING: {what}, were left out: figures on them would be too good."]


def tabulate_main(assessment: Assessment) -> list[Row]:
    """Return the main figures, on all photographs and on those without relatives."""
    return [
        {"Figure": name_any(name), **_tell_both(assessment, name)}
        for name in _MAIN
        if name in assessment.evaluation.figures
    ]


def _tell_both(assessment: Assessment, name: str) -> Row:
    row = {"All photographs": format_figure(name, assessment.evaluation.figures[name])}
    if assessment.without_relatives is not None:
        figure = assessment.without_relatives.figures[name]
        row["Without relatives in train"] = format_figure(name, figure)
    return row


def tabulate_classes(evaluation: Evaluation) -> list[Row]:
    """Return the figures of each class against the rest."""
    kinds = [
        kind for kind in _OF_CLASS if f"{kind}_{evaluation.class_names[0]}" in evaluation.figures
    ]
    return [
        {
            "Diagnosis": name_class(name),
            "Photographs": evaluation.figures[f"recall_{name}"].total,
            "Lesions": evaluation.figures[f"recall_{name}"].num_lesions,
            **{
                _CLASS_HEADS[kind]: format_figure(kind, evaluation.figures[f"{kind}_{name}"])
                for kind in kinds
            },
        }
        for name in evaluation.class_names
    ]


_CLASS_HEADS = {
    "recall": "Recall",
    "precision": "Precision",
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "coverage": "Set holds it",
    "set_size": "Diagnoses in a set",
}


SLICES_NOTE = (
    f"A slice needs {FEWEST_LESIONS} melanomas and {FEWEST_LESIONS} other lesions: where all of "
    f"{FEWEST_LESIONS} were right, up to one in ten may still be wrong (the rule of three)."
)


def tabulate_slices(evaluation: Evaluation) -> list[Row]:
    """Return the figures of every slice, with a warning where it is small."""
    return [
        {
            "By": each.attribute,
            "Which": each.value,
            "Warning": each.warning,
            "Photographs": each.num_images,
            "Melanomas": each.num_melanomas,
            "Other lesions": each.num_others,
            "Sensitivity": format_figure("sensitivity", each.figures["sensitivity"]),
            "Specificity": format_figure("specificity", each.figures["specificity"]),
            "Melanoma ROC AUC": format_figure("roc_auc", each.figures["melanoma_roc_auc"]),
            "Accuracy": format_figure("accuracy", each.figures["accuracy"]),
        }
        for each in evaluation.slices
    ]


def describe_prevalence(figures: Mapping[str, Figure], prevalence: float) -> str:
    """Say in natural frequencies what the alerts mean where melanoma is so frequent.

    Args:
        figures: With "sensitivity" and "specificity".
        prevalence: Share of melanomas, in (0, 1).
    """
    values = predict_values(figures["sensitivity"], figures["specificity"], prevalence)
    if math.isnan(values.alert_rate.value):
        return (
            "What an alert means elsewhere is undefined: sensitivity or specificity was measured "
            "on no photograph."
        )
    num_melanomas = 1000 * prevalence
    found = num_melanomas * figures["sensitivity"].value
    return (
        f"Of 1,000 lesions in a clinic where {format_percent(prevalence)} are melanomas, "
        f"{num_melanomas:.0f} are: the alert comes on {1000 * values.alert_rate.value:.0f} "
        f"lesions, finds {found:.0f} melanomas and misses {num_melanomas - found:.0f}. Of 100 "
        f"alerts, {_of_hundred(values.ppv)} are melanomas; of 100 lesions without one, "
        f"{_of_hundred(values.npv)} are not."
    )


def _of_hundred(figure: Figure) -> str:
    if math.isnan(figure.value):
        return UNDEFINED
    return f"{100 * figure.value:.1f} ({format_interval(figure)})"


def write_assessment(assessment: Assessment) -> str:
    """Return all tables as Markdown."""
    evaluation = assessment.evaluation
    tables = [tabulate_main(assessment), tabulate_classes(evaluation), _confusion(evaluation)]
    texts = [_write_table(rows) for rows in tables]
    if evaluation.slices:
        texts += [_write_table(tabulate_slices(evaluation)), SLICES_NOTE]
    return "\n\n".join(texts)


def _confusion(evaluation: Evaluation) -> list[Row]:
    return [
        {"True diagnosis, below; put first, beside": name_class(name)}
        | dict(zip(evaluation.class_names, counts, strict=True))
        for name, counts in zip(evaluation.class_names, evaluation.confusion, strict=True)
    ]


def _write_table(rows: list[Row]) -> str:
    lines = [
        list(rows[0]),
        ["---"] * len(rows[0]),
        *([str(cell) for cell in row.values()] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
