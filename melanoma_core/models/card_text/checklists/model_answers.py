"""Answers about model, test and results, from card and evidence."""

from collections.abc import Mapping

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.subsets import CONFIRMED, TEST, find_collection
from melanoma_core.models.card import OperatingPoint
from melanoma_core.models.card_text.checklists.data_answers import (
    count_subsets,
    describe_availability_of_data,
    describe_skin_tones,
)
from melanoma_core.models.card_text.checklists.item import Known, see
from melanoma_core.models.card_text.formats import NOT_PROVIDED, format_figure, format_percent
from melanoma_core.models.card_text.robustness import describe_robustness
from melanoma_core.models.card_text.section import Title
from melanoma_core.models.card_text.wording import name_class
from melanoma_core.models.lineage import PREDICTIONS_NAME

CODE = f"the project that wrote this card; where it is published: {NOT_PROVIDED}"
USERS = (
    f"{see(Title.USE)}; a person chooses the photograph, and sees probabilities, alerts and "
    f"heatmaps; the expertise that this needs is {NOT_PROVIDED}"
)
OBJECTIVE = "to develop one diagnostic model, and to measure its accuracy"
NOT_AN_ARTICLE = "not applicable: a model card is no article"
_ALERTS = {"melanoma": "", "skin cancer": "skin_cancer_"}  # prefixes of their metrics
_SUBSETS = {CONFIRMED: "Lesions confirmed by histopathology", TEST: "All test photographs"}


def describe_thresholds(known: Known) -> str:
    """Return both operating points, and what they were chosen on."""
    points = {
        "melanoma": known.card.operating_point,
        "skin cancer": known.card.skin_cancer_operating_point,
    }
    return "; ".join(f"{name} alert: {_describe_point(point)}" for name, point in points.items())


def _describe_point(point: OperatingPoint | None) -> str:
    if point is None:
        return "this model has none"
    return (
        f"from a probability of {format_percent(point.threshold)}, chosen on the "
        f"{point.chosen_on} subset for a sensitivity of "
        f"{format_percent(point.target_sensitivity)}, without the test subset"
    )


def describe_output(known: Known) -> str:
    """Return what the model outputs, and its thresholds."""
    return f"probabilities of {len(known.card.class_names)} diagnoses; {describe_thresholds(known)}"


def describe_accuracy(known: Known) -> str:
    """Return sensitivity, specificity and ROC AUC of both alerts with 95% CI."""
    if not known.has_metrics:
        return NOT_PROVIDED
    parts = [
        f"{title}: {listed}"
        for key, title in _SUBSETS.items()
        if (listed := _list_figures(known.card.metrics.get(key, {})))
    ]
    return ". ".join([*parts, "95% CI in brackets"])


def _list_figures(figures: Mapping[str, Figure]) -> str:
    parts = []
    for condition, prefix in _ALERTS.items():
        names = {
            "sensitivity": f"{prefix}sensitivity",
            "specificity": f"{prefix}specificity",
            "ROC AUC": f"{prefix or 'melanoma_'}roc_auc",
        }
        shown = [
            f"{title} {format_figure(name, figures[name])}"
            for title, name in names.items()
            if name in figures
        ]
        parts += [f"{condition} {', '.join(shown)}"] if shown else []
    return "; ".join(parts)


def describe_statistics(known: Known) -> str:
    """Return how metrics and intervals are computed."""
    if not known.has_metrics:
        return NOT_PROVIDED
    number = f", {known.evaluation.num_resamples:,} resamples" if known.evaluation else ""
    return (
        f"shares and areas under curves with 95% CI from a bootstrap of lesions{number}; "
        f"calibration, decision curve and plots: {see(Title.PERFORMANCE)} and the evidence"
    )


def describe_indeterminate(known: Known) -> str:
    """Return how many test photographs were refused, and how they count."""
    flow = known.flow
    if flow is None:
        return f"refused photographs count as read; their number by ground truth: {NOT_PROVIDED}"
    refused = sum(flow.refused.values())
    return (
        f"{refused:,} of {flow.num_images:,} test photographs were refused; they count as read, "
        f"and beside it as excluded and as wrong: {see(Title.FLOW)}"
    )


def describe_cross_table(known: Known) -> str:
    """Return where results and ground truth are crossed."""
    return see(Title.FLOW, known.has_metrics)


def describe_development(known: Known) -> str:
    """Return how the model was made, with the sample sizes."""
    return f"{see(Title.TRAINING)}; {count_subsets(known)}"


def describe_building(known: Known) -> str:
    """Return the type of network, its training, and how settings were chosen."""
    return (
        f"{describe_architecture(known)}; {see(Title.TRAINING)}; chosen {describe_selection(known)}"
    )


def describe_training(known: Known) -> str:
    """Return where the recipe and the learning curves are."""
    return see(Title.TRAINING, bool(known.card.recipe))


def describe_devices(known: Known) -> str:
    """Return that devices are unknown, and the libraries with their versions."""
    return f"devices: {NOT_PROVIDED}; software: {describe_software(known)}"


def describe_software(known: Known) -> str:
    """Return the libraries with their versions."""
    versions = ", ".join(f"{name} {version}" for name, version in known.card.versions.items())
    return versions or NOT_PROVIDED


def describe_architecture(known: Known) -> str:
    """Return the network, and where more is said of it."""
    name = known.card.recipe.get("architecture") or NOT_PROVIDED
    return f"{name}; {see(Title.DETAILS)}; the network is beside the card"


def describe_initialisation(known: Known) -> str:
    """Return where the initial weights are named."""
    return see(Title.DETAILS, bool(known.card.recipe.get("weights")))


def describe_ensemble(known: Known) -> str:
    """Return how many networks and views make one prediction."""
    views = known.card.recipe.get("num_views")
    return "one network" + (f"; mean of {views} turned views of the photograph" if views else "")


def describe_balance(known: Known) -> str:
    """Return how rare diagnoses were treated in training, and how this was undone."""
    recipe = known.card.recipe
    names = ("rebalancing", "class_balance", "source_balance")
    used = [f"{name.replace('_', ' ')} {recipe[name]}" for name in names if name in recipe]
    if not used:
        return NOT_PROVIDED
    return (
        f"{', '.join(used)}; corrected in the output of the network, then calibrated with a "
        f"temperature of {known.card.temperature:.3f}"
    )


def describe_selection(known: Known) -> str:
    """Return what the final model was chosen on."""
    return f"by the recipe, on the {known.card.operating_point.chosen_on} subset"


def describe_updating(known: Known) -> str:
    """Return whether the model was changed after its test."""
    parent = known.card.data.get("recomputed_from")
    if not parent:
        return "none"
    return f"calibration and thresholds of {parent} recomputed, with the same weights"


def describe_subgroups(known: Known) -> str:
    """Return which subgroups were compared."""
    evaluation = known.evaluation
    names = {each.attribute: None for each in evaluation.slices} if evaluation else {}
    if not names:
        return NOT_PROVIDED
    listed = ", ".join(name.replace("_", " ") for name in names)
    return f"by {listed}, the same for every model: {see(Title.SUBGROUPS)}"


def describe_fairness(known: Known) -> str:
    """Return which subgroups of people were compared; nothing was adjusted for them."""
    return f"{describe_subgroups(known)}; skin tones: {describe_skin_tones(known)}"


def describe_changes(known: Known) -> str:
    """Return how results change with the collection and with artefacts."""
    return f"{describe_clusters(known)}; artefacts: {describe_artefacts(known)}"


def describe_artefacts(known: Known) -> str:
    """Return how results change with ink, rulers and hair."""
    robustness = known.card.robustness
    if not robustness or not known.has_metrics:
        return NOT_PROVIDED
    return f"{describe_robustness(robustness)} Details: {see(Title.ROBUSTNESS)}"


def describe_clusters(known: Known) -> str:
    """Return the differences between collections."""
    sources = [name for key in known.card.metrics if (name := find_collection(key))]
    if not known.has_metrics or not sources:
        return NOT_PROVIDED
    return f"by collection ({', '.join(sources)}): {see(Title.PERFORMANCE)}"


def describe_failures(known: Known) -> str:
    """Return where errors by diagnosis are."""
    return see(Title.CLASSES, known.has_metrics)


def describe_calibration(known: Known) -> str:
    """Return the calibration error of the probability of melanoma."""
    figure = known.card.metrics.get(TEST, {}).get("calibration_error")
    if figure is None or not known.has_metrics:
        return NOT_PROVIDED
    return f"calibration error {format_figure('calibration_error', figure)}"


def describe_uncertainty(known: Known) -> str:
    """Return the uncertainty of metrics and of a single prediction."""
    sets = see(Title.SETS, known.card.conformal is not None)
    return f"95% CI of every metric; of a single prediction: {sets}"


def describe_heatmaps(known: Known) -> str:
    """Return how heatmaps were made and tested."""
    tested = see(Title.HEATMAPS, bool(known.card.explanation) and known.has_metrics)
    return f"heatmaps ({known.card.heatmap}); their tests: {tested}"


def describe_internal_test(known: Known) -> str:
    """Return where results on the held-out test subset are."""
    return see(Title.PERFORMANCE, known.has_metrics)


def describe_leakage_check(known: Known) -> str:
    """Return where the check for relatives of test photographs is."""
    return see(Title.LEAKAGE, known.card.leakage is not None)


def describe_classes(known: Known) -> str:
    """Return the diagnoses that the model knows."""
    names = ", ".join(map(name_class, known.card.class_names))
    return f"{names}; other diseases are a limitation"


def describe_poor_input(known: Known) -> str:
    """Return what happens to photographs of poor quality or of something else."""
    check = see(Title.NOVELTY) if known.card.novelty else "this model has no such check"
    return f"refused, or read with a warning; out-of-distribution check: {check}"


def describe_availability_of_model(known: Known) -> str:
    """Return where the network is, and under which licence."""
    licence = known.card.data.get("licence_of_the_model") or NOT_PROVIDED
    return (
        f"its files are beside the card; licence: {licence}; where they are published: "
        f"{NOT_PROVIDED}"
    )


def describe_availability(known: Known) -> str:
    """Return the availability of code, model and data."""
    return (
        f"code: {CODE}. Model: {describe_availability_of_model(known)}. Data: "
        f"{describe_availability_of_data(known)}"
    )


def describe_outputs(known: Known) -> str:
    """Return which predictions are stored with the model."""
    if PREDICTIONS_NAME not in known.card.files:
        return NOT_PROVIDED
    return f"the test predictions are in {PREDICTIONS_NAME}, whose SHA-256 the card contains"


def describe_use_of_model(known: Known) -> str:
    """Return the files and their hashes with which predictions are made."""
    names = [name for name in known.card.files if name.startswith("model.")]
    return f"with {' or '.join(names)}; SHA-256: {see(Title.LEAKAGE)}" if names else NOT_PROVIDED
