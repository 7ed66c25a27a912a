"""Calibrate a finished network, measure it on its test subset, and write its card and evidence.

A release and a recomputation of a model share this, so that both give the same card. It does not
import TensorFlow: predictions come from the ONNX form that is used for readings.
"""

import math
import warnings
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.assessment.outlines import choose_outline_threshold, measure_outlines
from melanoma_core.assessment.robustness import NUM_LESIONS, measure_robustness
from melanoma_core.data.decoding import decode_table
from melanoma_core.errors import ExplanationError
from melanoma_core.evaluation.calibration import choose_threshold, fit_temperature
from melanoma_core.evaluation.conformal import fit_bounds
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.leakage import Leakage
from melanoma_core.evaluation.lesions import index_lesions, name_lesions
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.slices import FEWEST_LESIONS
from melanoma_core.evaluation.temperature import apply_temperature, combine_logits
from melanoma_core.models.card import (
    ExplanationFigures,
    ModelCard,
    OperatingPoint,
    OutlineFacts,
)
from melanoma_core.models.classifier import Classifier, Outputs
from melanoma_core.models.evidence import Evidence, Machine, TrainingLog, write_evidence
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.lineage import (
    PREDICTIONS_NAME,
    SPLIT_NAME,
    describe_predictions,
    describe_split,
    hash_images,
    write_table,
)
from melanoma_core.models.predictions import index_labels
from melanoma_core.networks.evidence_pack import evaluate_test, select_card_metrics
from melanoma_core.networks.explainer import Explainer
from melanoma_core.progress import Progress
from melanoma_core.reading.faithfulness import MapMaker, measure_maps
from melanoma_core.reading.flow import count_readings
from melanoma_core.training.observer import OnPhase, Phase, ignore_phase
from melanoma_core.training.preparation import TEST, VALIDATION
from melanoma_core.training.targets import select_classes

_LEAST = 1e-12  # a probability of 0 has no logarithm
_SAME = 1e-6  # relative difference up to which a threshold counts as the same


@dataclass(frozen=True, eq=False)
class Material:
    """What a network is calibrated and measured with.

    Attributes:
        table: Every row of the split, with `path` where the subset is validation or test.
        ancestor: Split (`lineage.read_split`) of the model that the training started from; None
            if it did not start from a released model.
        key: Hashes the ids of lesions and patients; None keeps them as they are in the table.
        leakage: Result of the leakage check; None if it was not done.
        training: Log of the training; None if there is none.
        machine: The computer that the network was trained on; None if unknown.
        measured: An earlier card of the same network. Its heatmap tests are kept if its
            temperature and melanoma threshold come out the same.
        on_phase: Called with the phase, the photographs that are done in it, and all of them. An
            exception that it raises stops the work.
        skips_tests: Whether the tests of heatmaps and robustness are left out. They take most of
            the time.
    """

    table: pd.DataFrame
    ancestor: pd.DataFrame | None
    key: IdKey | None
    leakage: Leakage | None
    training: TrainingLog | None
    machine: Machine | None
    measured: ModelCard | None = None
    on_phase: OnPhase = ignore_phase
    skips_tests: bool = False

    def report(self, phase: Phase) -> Progress:
        """Return the progress callback of a phase."""
        self.on_phase(phase, 0, 0)
        return partial(self.on_phase, phase)

    def subset(self, name: str) -> pd.DataFrame:
        """Return the rows of one subset."""
        return self.table[self.table["subset"] == name].reset_index(drop=True)


def measure_model(classifier: Classifier, material: Material, draft: Path) -> ModelCard:
    """Calibrate and measure a network, and write card, split, predictions and evidence.

    Args:
        classifier: The network, with a card whose operating points name the target sensitivities.
        material: What it is measured with.
        draft: Folder with both forms of the network.

    Returns:
        The card, complete.

    Raises:
        DatasetError: Validation has no melanoma.
        ImageError: A file was removed or changed.
    """
    card = _calibrate(classifier, material)
    card, evidence = _evaluate(classifier.with_card(card), material, draft)
    card.save(draft)
    write_evidence(draft, card, evidence)
    return card


def classify_table(
    classifier: Classifier, table: pd.DataFrame, progress: Progress | None = None
) -> Outputs:
    """Return the outputs of a classifier for the photographs of a table, in its order.

    Raises:
        ImageError: A file was removed or changed since the table was made.
    """
    size = classifier.card.image_size
    batches = [
        classifier.classify(pixels) for _, pixels in decode_table(table, size, progress=progress)
    ]
    distances = [batch.novelty for batch in batches if batch.novelty is not None]
    outlines = [batch.outline for batch in batches if batch.outline is not None]
    return Outputs(
        np.concatenate([batch.probabilities for batch in batches]),
        np.concatenate([batch.uncalibrated for batch in batches]),
        np.concatenate([batch.embeddings for batch in batches]),
        np.concatenate([batch.activation_maps for batch in batches]),
        np.concatenate(distances) if distances else None,
        np.concatenate(outlines) if outlines else None,
    )


def _calibrate(classifier: Classifier, material: Material) -> ModelCard:
    """Return the card with everything that is fitted on the validation subset."""
    card, validation = classifier.card, material.subset(VALIDATION)
    labels = index_labels(validation, card.class_names)
    outputs = classify_table(classifier, validation, material.report(Phase.CALIBRATING))
    uncalibrated = outputs.uncalibrated.astype(np.float64)
    temperature = fit_temperature(np.log(uncalibrated.clip(_LEAST)), labels)
    probabilities = apply_temperature(outputs.uncalibrated, temperature)
    predictions = LabelledPredictions(probabilities, labels, validation["group"].to_numpy())
    # The median over photographs of the peak of the top-1 diagnosis. The peak of melanoma is about
    # half of it on most alerts: a larger scale would leave them without a visible heatmap.
    top1 = probabilities.argmax(axis=1)
    peaks = outputs.activation_maps[np.arange(len(top1)), top1].max(axis=(1, 2))
    scale = float(np.median(peaks))
    point, skin_cancer_point = choose_points(card, predictions)
    return replace(
        card,
        temperature=temperature,
        lesion_temperature=_fit_lesions(uncalibrated, labels, name_lesions(validation)),
        # If no position is evidence for any class, all maps are dark at any scale.
        heatmap_scale=scale if scale > 0 else 1.0,
        operating_point=point,
        skin_cancer_operating_point=skin_cancer_point,
        conformal=fit_bounds(predictions, card.class_names, VALIDATION),
        outline=card.outline and _cut_outlines(card.outline, outputs, validation),
    )


def _cut_outlines(facts: OutlineFacts, outputs: Outputs, validation: pd.DataFrame) -> OutlineFacts:
    """Return the facts with the threshold that is best on validation."""
    assert outputs.outline is not None
    threshold = choose_outline_threshold(outputs.outline, validation)
    return replace(facts, threshold=threshold, fitted_on=VALIDATION)


def _fit_lesions(
    uncalibrated: NDArray[np.float64], labels: NDArray[np.int64], names: NDArray[np.str_]
) -> float | None:
    """Return the temperature for the mean logits of a lesion's photographs.

    It is fitted on the lesions that it is used for, those with two or more photographs. A lesion
    with one is read as that photograph. On validation of the bundled model, the former need 1.23
    and the latter 1.07, so that a fit on both would suit neither.

    Returns:
        None if there are too few such lesions: the temperature of photographs serves them too.
    """
    first, lesion = index_lesions(names, labels)
    has_several = np.bincount(lesion) > 1
    if has_several.sum() < FEWEST_LESIONS:
        return None
    combined = combine_logits(uncalibrated, 1.0, lesion)[has_several]
    return fit_temperature(np.log(combined.clip(_LEAST)), labels[first][has_several])


def choose_points(
    card: ModelCard, predictions: LabelledPredictions
) -> tuple[OperatingPoint, OperatingPoint | None]:
    """Choose the thresholds of both alerts for their target sensitivities.

    The skin cancer threshold is never above that of melanoma. Else a lesion could raise the
    melanoma alert, and none for any skin cancer.

    Args:
        card: With the target sensitivities.
        predictions: For the validation subset, calibrated.

    Returns:
        The operating points of melanoma and of any skin cancer; None for the second if the card
        has none.
    """
    rules = card.rules
    melanoma = _choose_point(
        card.operating_point,
        predictions.probabilities[:, rules.melanoma_index],
        predictions.labels == rules.melanoma_index,
    )
    if card.skin_cancer_operating_point is None:
        return melanoma, None
    skin_cancer = _choose_point(
        card.skin_cancer_operating_point,
        # Three probabilities can add up to a last bit more than 1.
        predictions.skin_cancer_probability(rules).clip(max=1),
        predictions.is_skin_cancer(rules),
    )
    threshold = min(melanoma.threshold, skin_cancer.threshold)
    return melanoma, replace(skin_cancer, threshold=threshold)


def _choose_point(
    point: OperatingPoint, probabilities: NDArray[np.float64], is_positive: NDArray[np.bool_]
) -> OperatingPoint:
    threshold = choose_threshold(probabilities, is_positive, point.target_sensitivity)
    return replace(point, threshold=threshold, chosen_on=VALIDATION)


def _evaluate(
    classifier: Classifier, material: Material, draft: Path
) -> tuple[ModelCard, Evidence]:
    """Write split and test predictions, and return the finished card and its evidence.

    Metrics and heatmap tests are withheld if there is leakage into the test subset.
    """
    card, test = classifier.card, material.subset(TEST)
    outputs = classify_table(classifier, test, material.report(Phase.TESTING))
    predictions = describe_predictions(test, outputs.probabilities, card.class_names)
    split = describe_split(material.table, material.ancestor)
    if material.key is not None:
        split = material.key.hash_ids(split)
    files = card.files | {
        PREDICTIONS_NAME: write_table(predictions, draft / PREDICTIONS_NAME),
        SPLIT_NAME: write_table(split, draft / SPLIT_NAME),
    }
    tested = split[split["subset"] == TEST].merge(predictions, on="image_id", validate="one_to_one")
    leaks = material.leakage is not None and material.leakage.found > 0
    is_untested = leaks or material.skips_tests
    evaluations = {} if leaks else evaluate_test(tested, material.table, card.rules)
    outlines = None if leaks else _measure_outlines(card, test, outputs)
    card = replace(
        card,
        files=files,
        outline=card.outline and replace(card.outline, dice=_select_dice(outlines)),
        metrics=select_card_metrics(evaluations),
        leakage=material.leakage,
        explanation=None if is_untested else _test_heatmaps(classifier, material, draft),
        robustness=(
            None
            if is_untested
            else measure_robustness(
                classifier,
                select_classes(test, card.class_names),
                NUM_LESIONS,
                material.report(Phase.ROBUSTNESS),
            )
        ),
    )
    evidence = Evidence(
        evaluations=evaluations,
        test_sha256=hash_images(tested),
        split={str(name): int(count) for name, count in split["subset"].value_counts().items()},
        training=material.training,
        machine=material.machine,
        flow=None if leaks else count_readings(card, test, outputs),
        outlines=outlines,
    )
    return card, evidence


def _measure_outlines(
    card: ModelCard, test: pd.DataFrame, outputs: Outputs
) -> dict[str, dict[str, Figure]] | None:
    if card.outline is None or outputs.outline is None:
        return None
    return measure_outlines(outputs.outline, test, card.outline.threshold)


def _select_dice(outlines: dict[str, dict[str, Figure]] | None) -> dict[str, Figure]:
    return {subset: figures["dice"] for subset, figures in (outlines or {}).items()}


def _test_heatmaps(
    classifier: Classifier, material: Material, draft: Path
) -> dict[str, ExplanationFigures] | None:
    """Run the faithfulness tests of heatmaps on test photographs that have an outline.

    If the process with TensorFlow fails, the tests are skipped with a warning: a finished training
    must not be lost for it.
    """
    measured = material.measured
    if measured is not None and measured.explanation and _alert_alike(measured, classifier.card):
        return measured.explanation
    explainer = Explainer()
    try:
        maker = MapMaker(classifier, draft, explainer)
        figures = measure_maps(
            maker, material.subset(TEST), progress=material.report(Phase.HEATMAPS)
        )
    except ExplanationError as error:
        warnings.warn(f"The heatmaps were not tested. {error}", stacklevel=2)
        return None
    finally:
        explainer.close()
    return None if figures is None else {str(maker.method): figures}


def _alert_alike(one: ModelCard, other: ModelCard) -> bool:
    """Return whether two cards of one network give the same probabilities and melanoma alerts."""
    pairs = (
        (one.temperature, other.temperature),
        (one.operating_point.threshold, other.operating_point.threshold),
    )
    return all(math.isclose(*pair, rel_tol=_SAME) for pair in pairs)
