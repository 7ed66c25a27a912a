"""Build the sections of a model card, from which page, Markdown and PDF are made.

The sections follow Mitchell et al., "Model Cards for Model Reporting" (2019). Missing facts are
shown as "not provided".
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from melanoma_core.data.skin_tone import ESTIMATE_NOTE, ITA_TONES
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.slices import FEWEST_LESIONS, Slice
from melanoma_core.evaluation.subsets import TEST, find_headline
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.alerts import (
    describe_alerts,
    describe_all_lesions,
    describe_lesions,
)
from melanoma_core.models.card_text.checklists.guides import build_checklists
from melanoma_core.models.card_text.flow import build_flow
from melanoma_core.models.card_text.formats import (
    NOT_PROVIDED,
    format_figure,
    format_number,
    format_percent,
    format_size,
)
from melanoma_core.models.card_text.heatmaps import build_heatmaps
from melanoma_core.models.card_text.outline import build_outline
from melanoma_core.models.card_text.robustness import build_robustness
from melanoma_core.models.card_text.section import (
    Section,
    Table,
    Title,
    tabulate_facts,
    tabulate_rows,
)
from melanoma_core.models.card_text.tables import (
    tabulate_confirmations,
    tabulate_confirmed,
    tabulate_decisions,
    tabulate_labels,
    tabulate_recipe,
    tabulate_sizes,
    tabulate_skin_tones,
    tabulate_sources,
    tabulate_versions,
)
from melanoma_core.models.card_text.wording import (
    describe_coverage,
    describe_leakage,
    describe_model,
    describe_novelty,
    is_withheld,
    name_class,
    name_figure,
    name_subset,
)
from melanoma_core.models.evidence import Evidence

_FIGURES = (
    "melanoma_roc_auc",
    "melanoma_average_precision",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "alert_rate",
    "skin_cancer_roc_auc",
    "skin_cancer_sensitivity",
    "skin_cancer_specificity",
    "skin_cancer_ppv",
    "skin_cancer_npv",
    "skin_cancer_alert_rate",
    "lesion_melanoma_roc_auc",
    "lesion_sensitivity",
    "lesion_specificity",
    "lesion_skin_cancer_roc_auc",
    "lesion_skin_cancer_sensitivity",
    "lesion_skin_cancer_specificity",
    "lesion_alerts_differ",
    "accuracy",
    "balanced_accuracy",
    "balanced_accuracy_even",
    "balanced_accuracy_seven",
    "brier_score",
    "calibration_error",
    "coverage",
    "set_size",
)
_MAX_EPOCHS = 12  # rows of the learning curves
_CURVES = ("loss", "accuracy", "balanced_accuracy", "roc_auc")  # the evidence contains all metrics


def build_sections(card: ModelCard, evidence: Evidence | None) -> list[Section]:
    """Return the sections of a model card, in the order of `Title`."""
    return [
        _build_details(card),
        _build_use(card),
        _build_alert(card),
        build_flow(card, evidence),
        _build_performance(card, evidence),
        _build_classes(card, evidence),
        _build_subgroups(card, evidence),
        _build_sets(card),
        _build_novelty(card),
        build_robustness(card.robustness),
        build_outline(card, evidence),
        build_heatmaps(card),
        _build_data(card),
        _build_leakage(card, evidence),
        _build_training(card, evidence),
        _build_reproduction(card, evidence),
        build_checklists(card, evidence),
    ]


def _build_details(card: ModelCard) -> Section:
    weights = card.recipe.get("weights")
    facts = {
        "Model": card.model_id,
        "Created": card.created_at,
        "Architecture": card.recipe.get("architecture"),
        "Input": f"dermoscopic photograph, {card.image_size} × {card.image_size} pixels, RGB",
        "Output": f"calibrated probabilities of {', '.join(map(name_class, card.class_names))}",
        "Heatmaps": card.heatmap,
        "Initial weights": weights.get("file") if isinstance(weights, dict) else weights,
        "Licence": _describe_licence(card),
        "Recomputed from": card.data.get("recomputed_from") or "not recomputed",
        "Contact": None,
    }
    return Section(Title.DETAILS, (), (tabulate_facts("Model", facts),))


def _describe_licence(card: ModelCard) -> str | None:
    weights, licence = card.recipe.get("weights"), card.data.get("licence_of_the_model")
    parent = weights.get("model_id") if isinstance(weights, dict) else None
    if not parent:
        return licence
    return f"{licence or NOT_PROVIDED}; that of {parent}, from which it was trained, applies too"


def _build_use(card: ModelCard) -> Section:
    limitations = tuple(f"Limitation: {limitation}" for limitation in card.limitations)
    return Section(Title.USE, (card.intended_use, *limitations))


def _build_alert(card: ModelCard) -> Section:
    temperature = (
        f"Calibration temperature: {card.temperature:.3f}, fitted on the photographs of the "
        f"{card.operating_point.chosen_on} subset."
    )
    return Section(Title.ALERT, (*describe_alerts(card), temperature))


def _build_performance(card: ModelCard, evidence: Evidence | None) -> Section:
    if is_withheld(card) or not card.metrics:
        return Section(Title.PERFORMANCE, (describe_model(card),))
    subsets = _gather_figures(card, evidence)
    names = [name for name in _FIGURES if any(name in figures for figures in subsets.values())]
    rows = [
        (
            name_figure(name),
            *(format_figure(name, figures.get(name)) for figures in subsets.values()),
        )
        for name in names
    ]
    sizes = (format_size(figures.get("accuracy")) for figures in subsets.values())
    table = Table(
        "Metrics on the held-out test set",
        ("Metric", *map(name_subset, subsets)),
        (*rows, ("Photographs", *sizes)),
    )
    note = (
        "In brackets: 95% confidence intervals (95% CI), resampled by lesion. A metric is "
        "undefined if the subset has no photograph of that kind."
    )
    paragraphs = (describe_model(card), describe_all_lesions(card), describe_lesions(card), note)
    return Section(Title.PERFORMANCE, tuple(filter(None, paragraphs)), (table,))


def _build_classes(card: ModelCard, evidence: Evidence | None) -> Section:
    if is_withheld(card) or TEST not in card.metrics:
        return Section(Title.CLASSES, (describe_model(card),))
    figures, evaluations = _gather_figures(card, evidence), evidence.evaluations if evidence else {}
    kinds = ("recall", "precision", "roc_auc", "average_precision")
    heads = ("Recall", "Precision", "ROC AUC", "Average precision")
    tables = []
    for key in dict.fromkeys((find_headline(card.metrics), TEST)):
        rows = tuple(
            (
                name_class(name),
                *(format_figure(kind, figures[key].get(f"{kind}_{name}")) for kind in kinds),
            )
            for name in card.class_names
        )
        title = f"One diagnosis against the rest; {name_subset(key)}"
        tables.append(Table(title, ("Diagnosis", *heads), rows))
        if key in evaluations:
            tables.append(_tabulate_confusion(evaluations[key], name_subset(key)))
    return Section(Title.CLASSES, (), tuple(tables))


def _tabulate_confusion(evaluation: Evaluation, subset: str) -> Table:
    return Table(
        f"Confusion matrix: ground truth (rows), most probable diagnosis (columns); {subset}",
        ("Ground truth", *evaluation.class_names),
        tuple(
            (name_class(name), *(f"{count:,}" for count in row))
            for name, row in zip(evaluation.class_names, evaluation.confusion, strict=True)
        ),
    )


def _build_subgroups(card: ModelCard, evidence: Evidence | None) -> Section:
    if is_withheld(card):
        return Section(Title.SUBGROUPS, (describe_model(card),))
    if evidence is None or TEST not in evidence.evaluations:
        return Section(Title.SUBGROUPS, (f"{NOT_PROVIDED.capitalize()}.",))
    evaluation = evidence.evaluations[TEST]
    note = (
        f"A subgroup with fewer than {FEWEST_LESIONS} melanomas or {FEWEST_LESIONS} other lesions "
        "is too small for a conclusion: the notes count lesions, the metrics photographs."
    )
    is_estimated = any(each.value in ITA_TONES for each in evaluation.slices)
    notes = (note, ESTIMATE_NOTE) if is_estimated else (note,)
    tables = [_tabulate_subgroups("Melanoma", "", evaluation.slices)]
    if any("skin_cancer_roc_auc" in each.figures for each in evaluation.slices):
        tables.append(_tabulate_subgroups("Any skin cancer", "skin_cancer_", evaluation.slices))
    tables.append(tabulate_rows("How often the alerts are right", tabulate_confirmed(evaluation)))
    return Section(Title.SUBGROUPS, notes, tuple(table for table in tables if table.rows))


def _tabulate_subgroups(title: str, prefix: str, slices: Iterable[Slice]) -> Table:
    shares = ("Sensitivity, photographs", "Specificity, photographs")
    head = ("Subgroup", "Photographs", *shares, "ROC AUC", "Note")
    area = f"{prefix or 'melanoma_'}roc_auc"
    names = (f"{prefix}sensitivity", f"{prefix}specificity", area)
    rows = tuple(_format_subgroup(each, names) for each in slices)
    return Table(f"{title}: subgroups of test", head, rows)


def _format_subgroup(subgroup: Slice, names: Sequence[str]) -> tuple[str, ...]:
    return (
        f"{subgroup.attribute.replace('_', ' ')} {subgroup.value}",
        f"{subgroup.num_images:,}",
        *(format_figure(name, subgroup.figures.get(name)) for name in names),
        subgroup.warning,
    )


def _build_sets(card: ModelCard) -> Section:
    bounds = card.conformal
    if bounds is None:
        absent = f"{NOT_PROVIDED.capitalize()}: this model makes no conformal prediction sets."
        return Section(Title.SETS, (absent,))
    rows = tuple(
        (
            name_class(name),
            "too few cases"
            if bound.lowest_probability is None
            else format_percent(bound.lowest_probability),
            f"{bound.num_lesions:,}",
        )
        for name, bound in bounds.bounds.items()
    )
    note = (
        f"Class-conditional conformal prediction sets. For each diagnosis, the set should contain "
        f"it for {format_percent(bounds.coverage)} of the lesions. The bounds were fitted on the "
        f"{bounds.fitted_on} subset."
    )
    head = ("Diagnosis", "In the set from a probability of", "Lesions")
    return Section(Title.SETS, (note, describe_coverage(card)), (Table("Bounds", head, rows),))


def _build_novelty(card: ModelCard) -> Section:
    tables: tuple[Table, ...] = ()
    if card.novelty is not None:
        facts = {
            "Largest distance": f"{card.novelty.distance:.2f} standard deviations",
            "Chosen on": card.novelty.chosen_on,
            "Features": card.novelty.features,
        }
        rows = tuple(
            (name_subset(name), format_figure("refused", figure))
            for name, figure in card.novelty.refused.items()
        )
        refused = Table("Refused photographs of lesions", ("Photographs", "Share refused"), rows)
        tables = (tabulate_facts("Limit", facts), refused)
    return Section(Title.NOVELTY, (describe_novelty(card),), tables)


def _build_data(card: ModelCard) -> Section:
    licences = card.data.get("licences") or [NOT_PROVIDED]
    paragraphs = (
        f"The labels are those of the collections. {_describe_confirmation(card)}",
        f"Licences of the photographs: {'; '.join(licences)}.",
        f"Attribution: {'; '.join(card.data.get('images_by_attribution', [NOT_PROVIDED]))}.",
    )
    tables = (
        tabulate_rows("Photographs and lesions", tabulate_sizes(card)),
        tabulate_rows("Photographs by diagnosis", tabulate_labels(card)),
        tabulate_rows("Photographs by collection", tabulate_sources(card)),
        tabulate_rows("Photographs by confirmation", tabulate_confirmations(card)),
        tabulate_rows("Photographs by skin tone", tabulate_skin_tones(card)),
        tabulate_rows("Files left out or relabelled", tabulate_decisions(card)),
    )
    return Section(Title.DATA, paragraphs, tuple(table for table in tables if table.rows))


def _describe_confirmation(card: ModelCard) -> str:
    if not card.data.get("images_by_confirmation"):
        return f"How each was confirmed, by histopathology or otherwise, is {NOT_PROVIDED}."
    return "How each was confirmed is counted below, as far as a table states it."


def _build_leakage(card: ModelCard, evidence: Evidence | None) -> Section:
    facts = {
        "Data": card.data.get("sha256"),
        "Test photographs and labels": evidence.test_sha256 if evidence else None,
        **{f"File {name}": digest for name, digest in card.files.items()},
    }
    split = evidence.split if evidence else {}
    sizes = Table(
        "Rows of the split", ("Subset", "Rows"), tuple((k, f"{v:,}") for k, v in split.items())
    )
    tables = (tabulate_facts("SHA-256", facts), *([sizes] if split else []))
    return Section(Title.LEAKAGE, (describe_leakage(card),), tables)


def _build_training(card: ModelCard, evidence: Evidence | None) -> Section:
    log = evidence.training if evidence else None
    facts = {
        "Run": log and f"{log.run_name} ({log.run_id})",
        "Data": log and log.data_name,
        "Started": log and log.started_at,
    }
    tables = [tabulate_facts("Run", facts)]
    curves = _tabulate_curves(log.curves) if log else None
    if curves:
        tables.append(curves)
    recipe = tabulate_rows("Recipe", tabulate_recipe(card))
    return Section(Title.TRAINING, (), (*tables, recipe))


def _tabulate_curves(curves: Iterable[Mapping[str, Any]]) -> Table | None:
    by_epoch: dict[int, dict[str, float]] = {}
    for row in curves:
        if row["metric"] not in _CURVES:
            continue
        by_epoch.setdefault(row["epoch"], {})[f"{row['metric']}, {row['subset']}"] = row["value"]
    if not by_epoch:
        return None
    epochs = sorted(by_epoch)
    step = -(-len(epochs) // _MAX_EPOCHS)
    shown = [*epochs[:-1:step], epochs[-1]]
    names = sorted({name for values in by_epoch.values() for name in values})
    rows = tuple(
        (str(epoch), *(format_number(by_epoch[epoch].get(name, math.nan)) for name in names))
        for epoch in shown
    )
    names = [name.replace("_", " ") for name in names]
    title = f"Learning curves: {len(shown)} of {len(epochs)} epochs"
    return Table(title, ("Epoch", *names), rows)


def _build_reproduction(card: ModelCard, evidence: Evidence | None) -> Section:
    machine = evidence.machine if evidence else None
    facts = {
        "Seed of the split": card.data.get("split_seed"),
        "Seed of the training": card.recipe.get("seed"),
        "System": machine and f"{machine.system}, {machine.processor}",
        "CPU cores": machine and str(machine.num_cores),
        "Memory": machine and f"{machine.memory_bytes / 2**30:.0f} GiB",
        "Accelerators": machine and (", ".join(machine.accelerators) or "none"),
        "Largest difference between Keras and ONNX": card.data.get("keras_onnx_difference"),
    }
    versions = tabulate_rows("Library versions", tabulate_versions(card))
    return Section(Title.REPRODUCTION, (), (tabulate_facts("Seeds and machine", facts), versions))


def _gather_figures(card: ModelCard, evidence: Evidence | None) -> dict[str, dict[str, Figure]]:
    """Return the card's metrics, with further ones from the evidence."""
    evaluations = evidence.evaluations if evidence else {}
    return {
        subset: (dict(evaluations[subset].figures) if subset in evaluations else {}) | figures
        for subset, figures in card.metrics.items()
    }
