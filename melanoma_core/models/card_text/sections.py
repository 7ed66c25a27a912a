"""A model card as sections: the one list that page, Markdown and PDF are made of.

After Mitchell et al., "Model Cards for Model Reporting" (2019); the checklist at its end is
`checklist`. What nobody knows is said to be "not provided" rather than left out.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.slices import FEWEST_LESIONS, Slice
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.checklist import GUIDES, check_items
from melanoma_core.models.card_text.formats import (
    NOT_PROVIDED,
    format_figure,
    format_number,
    format_percent,
    format_size,
    format_value,
)
from melanoma_core.models.card_text.heatmaps import describe_maps, tabulate_maps
from melanoma_core.models.card_text.section import Section, Table, tabulate_facts, tabulate_rows
from melanoma_core.models.card_text.tables import (
    tabulate_decisions,
    tabulate_labels,
    tabulate_recipe,
    tabulate_sizes,
    tabulate_sources,
    tabulate_versions,
)
from melanoma_core.models.card_text.wording import (
    describe_frequencies,
    describe_leakage,
    describe_model,
    describe_novelty,
    describe_sensitivity,
    describe_specificity,
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
    "accuracy",
    "balanced_accuracy",
    "balanced_accuracy_even",
    "balanced_accuracy_seven",
    "brier_score",
    "calibration_error",
    "coverage",
    "set_size",
)
_MOST_EPOCHS = 12
_CURVES = ("loss", "accuracy", "balanced_accuracy", "roc_auc")  # the evidence holds all of them
_SERVED_METHOD = "grad-cam"  # that of the maps which a reading shows unasked


def build_sections(card: ModelCard, evidence: Evidence | None) -> list[Section]:
    """Return all that is known of a model, in the order in which a reader asks."""
    return [
        _tell_details(card),
        _tell_use(card),
        _tell_alert(card),
        _tell_figures(card, evidence),
        _tell_classes(card, evidence),
        _tell_slices(card, evidence),
        _tell_sets(card),
        _tell_refusals(card),
        _tell_heatmaps(card),
        _tell_data(card),
        _tell_leakage(card, evidence),
        _tell_training(card, evidence),
        _tell_reproduction(card, evidence),
        _tell_checklist(card, evidence),
    ]


def _tell_details(card: ModelCard) -> Section:
    weights = card.recipe.get("weights")
    facts = {
        "Model": card.model_id,
        "Made": card.created_at,
        "Network": card.recipe.get("architecture"),
        "Input": f"dermoscopic photograph, {card.image_size} × {card.image_size} pixels, RGB",
        "Output": f"calibrated probabilities of {', '.join(map(name_class, card.class_names))}",
        "Heatmaps": card.heatmap,
        "Started from": weights.get("file") if isinstance(weights, dict) else weights,
        "Licence": card.data.get("licence_of_the_model"),
        "Contact": None,
    }
    return Section("Model details", (), (tabulate_facts("Model", facts),))


def _tell_use(card: ModelCard) -> Section:
    limits = tuple(f"Limit: {limit}" for limit in card.limitations)
    return Section("Intended use and limits", (card.intended_use, *limits))


def _tell_alert(card: ModelCard) -> Section:
    point = card.operating_point
    sentences = (
        f"It alerts from a calibrated probability of melanoma of {format_percent(point.threshold)},"
        f" chosen on the {point.chosen_on} photographs for a sensitivity of "
        f"{format_percent(point.target_sensitivity)}. Temperature {card.temperature:.3f}, fitted "
        "on the same photographs.",
        describe_frequencies(card),
        describe_sensitivity(card),
        describe_specificity(card),
    )
    return Section("When it alerts", tuple(filter(None, sentences)))


def _tell_figures(card: ModelCard, evidence: Evidence | None) -> Section:
    title = "What it achieved"
    if is_withheld(card) or not card.metrics:
        return Section(title, (describe_model(card),))
    subsets = _gather_figures(card, evidence)
    names = [name for name in _FIGURES if any(name in figures for figures in subsets.values())]
    rows = [
        (
            name_figure(name),
            *(format_figure(name, figures.get(name)) for figures in subsets.values()),
        )
        for name in names
    ]
    counts = (format_size(figures.get("accuracy")) for figures in subsets.values())
    table = Table(
        "Figures on lesions that it was not trained on",
        ("Figure", *map(name_subset, subsets)),
        (*rows, ("Photographs", *counts)),
    )
    note = (
        "In brackets 95% intervals, resampled by lesion. Undefined: no photograph of that kind was "
        "there to measure it on."
    )
    return Section(title, (describe_model(card), note), (table,))


def _tell_classes(card: ModelCard, evidence: Evidence | None) -> Section:
    title = "Each diagnosis"
    if is_withheld(card) or "test" not in card.metrics:
        return Section(title, (describe_model(card),))
    figures = _gather_figures(card, evidence)["test"]
    kinds = ("recall", "precision", "roc_auc", "average_precision")
    heads = ("Recall", "Precision", "ROC AUC", "Average precision")
    rows = tuple(
        (name_class(name), *(format_figure(kind, figures.get(f"{kind}_{name}")) for kind in kinds))
        for name in card.class_names
    )
    tables = [Table("Each diagnosis against the rest, test", ("Diagnosis", *heads), rows)]
    if evidence and "test" in evidence.evaluations:
        tables.append(_tabulate_confusion(evidence.evaluations["test"]))
    return Section(title, (), tuple(tables))


def _tabulate_confusion(evaluation: Evaluation) -> Table:
    return Table(
        "Photographs by diagnosis (row) and diagnosis put first (column), test",
        ("", *evaluation.class_names),
        tuple(
            (name_class(name), *(f"{count:,}" for count in row))
            for name, row in zip(evaluation.class_names, evaluation.confusion, strict=True)
        ),
    )


def _tell_slices(card: ModelCard, evidence: Evidence | None) -> Section:
    title = "By age, sex, site and source"
    if is_withheld(card):
        return Section(title, (describe_model(card),))
    if evidence is None or "test" not in evidence.evaluations:
        return Section(title, (f"{NOT_PROVIDED.capitalize()}.",))
    head = ("Lesions of", "Photographs", "Sensitivity", "Specificity", "ROC AUC", "Note")
    rows = tuple(_tell_slice(each) for each in evidence.evaluations["test"].slices)
    note = (
        f"A slice with fewer than {FEWEST_LESIONS} melanomas or other lesions is too small to say "
        "anything. No table tells the skin type."
    )
    return Section(title, (note,), (Table("Slices of test", head, rows),))


def _tell_slice(each: Slice) -> tuple[str, ...]:
    figures = each.figures
    return (
        f"{each.attribute} {each.value}",
        f"{each.num_images:,}",
        format_figure("sensitivity", figures.get("sensitivity")),
        format_figure("specificity", figures.get("specificity")),
        format_figure("melanoma_roc_auc", figures.get("melanoma_roc_auc")),
        each.warning,
    )


def _tell_sets(card: ModelCard) -> Section:
    title = "Sets of diagnoses"
    bounds = card.conformal
    if bounds is None:
        return Section(title, (f"{NOT_PROVIDED.capitalize()}: this model makes no sets.",))
    rows = tuple(
        (
            name_class(name),
            "not enough cases"
            if bound.lowest_probability is None
            else format_percent(bound.lowest_probability),
            f"{bound.num_lesions:,}",
        )
        for name, bound in bounds.bounds.items()
    )
    note = (
        f"Class-conditional conformal sets, made to hold the diagnosis of "
        f"{format_percent(bounds.coverage)} of the lesions of each; found on {bounds.fitted_on}."
    )
    head = ("Diagnosis", "In the set from", "Lesions that it was found on")
    return Section(title, (note,), (Table("Bounds", head, rows),))


def _tell_refusals(card: ModelCard) -> Section:
    told = (describe_novelty(card),)
    tables: tuple[Table, ...] = ()
    if card.novelty is not None:
        facts = {
            "Largest distance": f"{card.novelty.distance:.2f} standard deviations",
            "Chosen on": card.novelty.chosen_on,
            "What is compared": card.novelty.features,
        }
        rows = tuple(
            (name_subset(name), format_figure("refused", figure))
            for name, figure in card.novelty.refused.items()
        )
        head = ("Photographs", "Share refused")
        tables = (tabulate_facts("Limit", facts), Table("Real lesions that it refuses", head, rows))
    return Section("What it refuses to read", told, tables)


def _tell_heatmaps(card: ModelCard) -> Section:
    title = "Whether its heatmaps can be trusted"
    rows = tuple(
        (
            str(row["Photographs of"]),
            f"{row['Figure']} ({row['Method']})",
            format_value(row["Value"], row["95% from"], row["95% to"]),
            f"{row['Photographs']:,} of {row['Lesions']:,} lesions",
        )
        for row in tabulate_maps(card)
    )
    told = describe_maps(card, _SERVED_METHOD)
    if not rows:
        return Section(title, (f"{NOT_PROVIDED.capitalize()}. {told}",))
    head = ("Lesions", "Test (method of the map)", "Value", "Photographs")
    return Section(title, (told,), (Table("Tests of the maps", head, rows),))


def _tell_data(card: ModelCard) -> Section:
    licences = card.data.get("licences") or [NOT_PROVIDED]
    paragraphs = (
        "Labels are those of the collections: histopathology, follow-up, expert consensus or "
        "confocal microscopy, as far as their tables tell; by image it is not provided.",
        f"Licences of the photographs: {'; '.join(licences)}.",
    )
    tables = (
        tabulate_rows("Photographs and lesions", tabulate_sizes(card)),
        tabulate_rows("Photographs by diagnosis", tabulate_labels(card)),
        tabulate_rows("Photographs by collection", tabulate_sources(card)),
        tabulate_rows("Files left out or relabelled", tabulate_decisions(card)),
    )
    return Section("Data", paragraphs, tuple(table for table in tables if table.rows))


def _tell_leakage(card: ModelCard, evidence: Evidence | None) -> Section:
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
    return Section("Leaks between training and test", (describe_leakage(card),), tables)


def _tell_training(card: ModelCard, evidence: Evidence | None) -> Section:
    log = evidence.training if evidence else None
    facts = {
        "Run": log and f"{log.run_name} ({log.run_id})",
        "Data": log and log.data_name,
        "Started": log and log.started_at,
    }
    tables = [tabulate_facts("The run", facts)]
    curves = _tabulate_curves(log.curves) if log else None
    if curves:
        tables.append(curves)
    recipe = tabulate_rows("Recipe", tabulate_recipe(card))
    return Section("How it was trained", (), (*tables, recipe))


def _tabulate_curves(curves: Iterable[Mapping[str, Any]]) -> Table | None:
    by_epoch: dict[int, dict[str, float]] = {}
    for row in curves:
        if row["metric"] not in _CURVES:
            continue
        by_epoch.setdefault(row["epoch"], {})[f"{row['metric']}, {row['subset']}"] = row["value"]
    if not by_epoch:
        return None
    epochs = sorted(by_epoch)
    step = -(-len(epochs) // _MOST_EPOCHS)
    shown = [*epochs[:-1:step], epochs[-1]]
    names = sorted({name for values in by_epoch.values() for name in values})
    rows = tuple(
        (str(epoch), *(format_number(by_epoch[epoch].get(name, math.nan)) for name in names))
        for epoch in shown
    )
    names = [name.replace("_", " ") for name in names]
    return Table(f"{len(epochs)} epochs, {len(shown)} shown", ("Epoch", *names), rows)


def _tell_reproduction(card: ModelCard, evidence: Evidence | None) -> Section:
    machine = evidence.machine if evidence else None
    facts = {
        "Seed of the split": card.data.get("split_seed"),
        "Seed of the training": card.recipe.get("seed"),
        "System": machine and f"{machine.system}, {machine.processor}",
        "Cores": machine and str(machine.num_cores),
        "Memory": machine and f"{machine.memory_bytes / 2**30:.0f} GiB",
        "Accelerators": machine and (", ".join(machine.accelerators) or "none"),
        "Largest difference of the two forms": card.data.get("keras_onnx_difference"),
    }
    versions = tabulate_rows("Versions", tabulate_versions(card))
    return Section("To do it again", (), (tabulate_facts("Seeds and machine", facts), versions))


def _tell_checklist(card: ModelCard, evidence: Evidence | None) -> Section:
    items = check_items(card, evidence)
    note = (
        "The items of CLAIM 2024 (Tejani et al., doi:10.1148/ryai.240300) and CLEAR Derm "
        "(Daneshjou et al. 2022, doi:10.1001/jamadermatol.2021.4915) that a model alone can "
        "answer, and where."
    )
    tables = tuple(
        Table(
            guide,
            ("Item", "Answer"),
            tuple((item.text, item.answer) for item in items if item.guide == guide),
        )
        for guide in GUIDES
    )
    return Section("Checklist", (note,), tables)


def _gather_figures(card: ModelCard, evidence: Evidence | None) -> dict[str, dict[str, Figure]]:
    """Return the card's figures, with those that the evidence has besides."""
    measured = evidence.evaluations if evidence else {}
    return {
        subset: (dict(measured[subset].figures) if subset in measured else {}) | figures
        for subset, figures in card.metrics.items()
    }
