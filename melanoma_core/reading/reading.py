"""Read a photograph: return an explained reading, or a refusal with its reason."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.artefacts import find_artefacts
from melanoma_core.data.crop import Crop
from melanoma_core.data.decoder import decode_within
from melanoma_core.data.decoding import map_in_threads
from melanoma_core.data.drawn.shipped import is_drawn
from melanoma_core.data.images import Photograph, read_bytes, resize_to_square
from melanoma_core.data.quality import (
    QualityFinding,
    find_burned_in,
    find_choice,
    judge_quality,
    measure_quality,
)
from melanoma_core.data.scanning import hash_look
from melanoma_core.errors import ImageError
from melanoma_core.evaluation.prediction_set import make_prediction_set
from melanoma_core.models.card import ModelCard
from melanoma_core.models.classifier import Classifier, Outputs
from melanoma_core.reading.explanation import scale_evidence, shape_heatmaps
from melanoma_core.reading.outline import measure_energy, place_outline
from melanoma_core.reading.outline_measures import (
    OutlineMeasures,
    choose_size,
    measure_outline,
)
from melanoma_core.reading.verdict import Verdict


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading(Verdict):
    """A photograph that was read with a model.

    Attributes:
        evidence: float32 [C, h, w] in [0, 1], the strength of the evidence for each class by
            location, at the resolution of the network.
        width: Width of the photograph in pixels.
        height: Height of the photograph in pixels.
        quality: Quality problems that the reading comes with, ink, hair and rulers among them;
            empty if there are none.
        novelty: Mahalanobis distance to the training photographs, in standard deviations; None if
            the model has no out-of-distribution check.
        novelty_limit: Largest distance that is read; None if the model has no such limit, or if
            the check was skipped for a drawn lesion.
        is_drawn: Whether the photograph is one of the project's demonstration lesions.
        fingerprint: SHA-256 (hex) of what the network saw, the same for copies of a photograph; ""
            if unknown.
        outline: float32 [s, s] in [0, 1], probability that a place of the photograph, squashed to a
            square, shows the lesion; None if the model draws no outline.
        outline_threshold: Smallest probability inside the lesion, in (0, 1).
        outline_measures: Measures of the outline; None if the model draws no outline.
        crop: The part of the photograph that was read; None if it was read as a whole.
        embedding: float32 [D], what the last layer of the network sees, in which look-alikes are
            near (`lookalikes`); None if it was not kept.
        look: `scanning.hash_look` of what the network saw, by which near copies are known; "" if
            it was not kept.
    """

    evidence: NDArray[np.float32]
    width: int
    height: int
    quality: tuple[QualityFinding, ...] = ()
    novelty: float | None = None
    novelty_limit: float | None = None
    is_drawn: bool = False
    fingerprint: str = ""
    outline: NDArray[np.float32] | None = None
    outline_threshold: float = 0.5
    outline_measures: OutlineMeasures | None = None
    crop: Crop | None = None
    embedding: NDArray[np.float32] | None = None
    look: str = ""

    def heatmaps(self) -> NDArray[np.float32]:
        """Return every class's heatmap, float32 [C, height, width] in [0, 1]."""
        return shape_heatmaps(self.evidence, self.height, self.width)

    def heatmap(self, class_name: str) -> NDArray[np.float32]:
        """Return one class's heatmap, float32 [height, width] in [0, 1]."""
        index = self.class_names.index(class_name)
        heatmap: NDArray[np.float32]
        maps = self.evidence[index : index + 1]
        (heatmap,) = shape_heatmaps(maps, self.height, self.width)
        return heatmap

    def energy_inside(self, heatmap: NDArray[np.float32]) -> float | None:
        """Return the share of a heatmap's strength that lies inside the outline, in [0, 1].

        Args:
            heatmap: float32 [h, w] in [0, 1], of any size.

        Returns:
            None without a plausible outline, or without any evidence in the heatmap.
        """
        measures = self.outline_measures
        if self.outline is None or measures is None or measures.area_share is None:
            return None
        return measure_energy(heatmap, self.outline, self.outline_threshold)


class _OutlineFields(TypedDict, total=False):
    """Attributes of a reading with an outline."""

    outline: NDArray[np.float32]
    outline_threshold: float
    outline_measures: OutlineMeasures


class RefusalKind(StrEnum):
    """Why a photograph was not read."""

    UNREADABLE = "unreadable"  # not an image, or an image that cannot be decoded
    QUALITY = "quality"  # no lesion is visible
    UNFAMILIAR = "unfamiliar"  # out of distribution


@dataclass(frozen=True)
class Refusal:
    """A photograph that was not read.

    Attributes:
        reason: What was found, what is needed, what to do.
        kind: The kind of reason.
        quality: Quality problems, if they are the reason.
        novelty: Distance, if the photograph is out of distribution; see `Reading`.
        novelty_limit: Limit, if the photograph is out of distribution; see `Reading`.
    """

    reason: str
    kind: RefusalKind = RefusalKind.UNREADABLE
    quality: tuple[QualityFinding, ...] = ()
    novelty: float | None = None
    novelty_limit: float | None = None


def read_photograph(
    classifier: Classifier,
    photograph: Photograph,
    *,
    is_drawn: bool = False,
    read_anyway: bool = False,
) -> Reading | Refusal:
    """Read one photograph, unless no lesion is visible or it is out of distribution.

    How well the network reads an out-of-distribution photograph was not measured. A person may
    have one read anyway; the reading then carries the mark. No other refusal can be overridden.

    Args:
        classifier: The model.
        photograph: The photograph.
        is_drawn: Whether it is one of the project's demonstration lesions. These are out of
            distribution, but are read, so that people can try the page with them.
        read_anyway: Whether to read it even if it is out of distribution.
    """
    quality = judge_quality(measure_quality(photograph))
    if quality and quality[0].refused:
        return Refusal(quality[0].text, RefusalKind.QUALITY, quality)
    card = classifier.card
    squashed = resize_to_square(photograph.image, card.image_size)
    outputs = classifier.classify(squashed[None])
    distance = None if outputs.novelty is None else float(outputs.novelty[0])
    limit = None if card.novelty is None or is_drawn else card.novelty.distance
    is_unfamiliar = False
    if distance is not None and limit is not None and not distance <= limit:  # or it is NaN
        if not read_anyway:
            return refuse_unfamiliar(distance, limit)
        is_unfamiliar = True
    rules = card.rules
    probabilities = tuple(outputs.probabilities[0].tolist())
    height, width = photograph.pixels.shape[:2]
    return Reading(
        model_id=card.model_id,
        class_names=card.class_names,
        probabilities=probabilities,
        threshold=card.operating_point.threshold,
        evidence=scale_evidence(outputs.activation_maps[0], card.heatmap_scale),
        width=width,
        height=height,
        prediction_set=make_prediction_set(rules, probabilities),
        quality=(
            *find_choice(photograph),
            *find_burned_in(photograph),
            *quality,
            *find_artefacts(photograph),
        ),
        novelty=distance,
        novelty_limit=limit,
        is_drawn=is_drawn,
        skin_cancer_threshold=rules.skin_cancer_threshold,
        uncalibrated=tuple(outputs.uncalibrated[0].tolist()),
        read_anyway=is_unfamiliar,
        fingerprint=hashlib.sha256(squashed.tobytes()).hexdigest(),
        embedding=outputs.embeddings[0],
        look=hash_look(squashed),
        **_describe_outline(outputs, card, squashed, (height, width)),
    )


def _describe_outline(
    outputs: Outputs, card: ModelCard, squashed: NDArray[np.uint8], size: tuple[int, int]
) -> _OutlineFields:
    """Return what a reading says of the outline; nothing if the model draws none."""
    if outputs.outline is None or card.outline is None:
        return {}
    outline, threshold = outputs.outline[0], card.outline.threshold
    inside = place_outline(outline, threshold, *choose_size(*size))
    return {
        "outline": outline,
        "outline_threshold": threshold,
        "outline_measures": measure_outline(inside, squashed),
    }


def refuse_unfamiliar(distance: float, limit: float) -> Refusal:
    """Return the refusal of an out-of-distribution photograph.

    Args:
        distance: Mahalanobis distance to the training photographs; see `Reading.novelty`.
        limit: Largest distance that is read.
    """
    digits = 1 if f"{distance:.1f}" != f"{limit:.1f}" else 4
    return Refusal(
        "This photograph does not look like the dermoscopic photographs that the network was "
        f"trained on (distance {distance:.{digits}f}, limit {limit:.{digits}f}). It may show no "
        "lesion, or it was taken without a dermoscope. A reading would have no meaning. Take a "
        "photograph through a dermoscope, in focus, with the lesion in the centre.",
        RefusalKind.UNFAMILIAR,
        novelty=distance,
        novelty_limit=limit,
    )


def read_files(
    classifier: Classifier,
    paths: Iterable[Path],
    num_workers: int = 1,
    *,
    read_anyway: bool = False,
) -> Iterator[tuple[Path, Reading | Refusal]]:
    """Read files independently: a file that cannot be read does not stop the others.

    Args:
        classifier: The model; load it with one thread if there are several workers.
        paths: Paths of the photographs.
        num_workers: Number of photographs that are read in parallel.
        read_anyway: Whether to read also what is out of distribution; see `read_photograph`.

    Yields:
        Path and reading or refusal, in the order of `paths`. Only a few are kept in memory.
    """

    def read(path: Path) -> tuple[Path, Reading | Refusal]:
        try:
            content = read_bytes(path)
        except ImageError as error:
            return path, Refusal(str(error))
        return path, read_content(classifier, content, read_anyway=read_anyway)

    yield from map_in_threads(read, paths, num_workers)


def read_content(
    classifier: Classifier, content: bytes, *, read_anyway: bool = False
) -> Reading | Refusal:
    """Read the content of one file.

    Args:
        classifier: The model.
        content: The file.
        read_anyway: Whether to read also what is out of distribution; see `read_photograph`.
    """
    try:
        photograph, drawn = decode_within(content), is_drawn(content)
    except ImageError as error:
        return Refusal(str(error))
    return read_photograph(classifier, photograph, is_drawn=drawn, read_anyway=read_anyway)
