"""Run a model with ONNX Runtime: probabilities, embeddings and class activation maps."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors

from melanoma_core.errors import ModelError
from melanoma_core.evaluation.temperature import apply_temperature
from melanoma_core.models.card import ONNX_NAME, ModelCard, load_card
from melanoma_core.models.integrity import read_network

INPUT_NAME = "photograph"
OUTPUT_NAMES = ("probabilities", "embedding", "activation_maps")
# Only of networks with an out-of-distribution check (`networks.novelty`).
NOVELTY_NAMES = ("novelty", "untuned_features")
OUTLINE_NAME = "outline"  # only of networks with an outline head (`networks.outline`)
# Errors of ONNX Runtime for a file that it cannot run. They have no common base but Exception.
_ONNX_ERRORS = (
    onnxruntime_errors.Fail,
    onnxruntime_errors.InvalidArgument,
    onnxruntime_errors.InvalidGraph,
    onnxruntime_errors.InvalidProtobuf,
    onnxruntime_errors.NotImplemented,
    onnxruntime_errors.RuntimeException,
)


@dataclass(frozen=True, eq=False)
class Outputs:
    """The outputs of the network for N photographs.

    Attributes:
        probabilities: float64 [N, C], calibrated; rows sum to 1.
        uncalibrated: float32 [N, C], before temperature scaling.
        embeddings: float32 [N, D], input of the last dense layer.
        activation_maps: float32 [N, C, h, w], evidence for each class by location, in logits.
        novelty: float32 [N], Mahalanobis distance to the training photographs, in standard
            deviations; None if the network has no out-of-distribution check.
        outline: float32 [N, s, s] in [0, 1], probability that a place of the squashed photograph
            shows the lesion; None if the network has no outline head.
    """

    probabilities: NDArray[np.float64]
    uncalibrated: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    activation_maps: NDArray[np.float32]
    novelty: NDArray[np.float32] | None = None
    outline: NDArray[np.float32] | None = None


class Classifier:
    """A loaded model. It is safe to share between threads, like an ONNX Runtime session.

    Attributes:
        card: Card of the model.
    """

    def __init__(self, session: onnxruntime.InferenceSession, card: ModelCard) -> None:
        self.card = card
        self._session = session
        self._names = {node.name for node in session.get_outputs()}

    def classify(self, pixels: NDArray[np.uint8]) -> Outputs:
        """Compute the outputs for N photographs.

        Args:
            pixels: uint8 [N, size, size, 3], RGB; `size` is the card's `image_size`.
        """
        wanted = (*OUTPUT_NAMES, NOVELTY_NAMES[0], OUTLINE_NAME)
        names = [name for name in wanted if name in self._names]
        outputs = dict(zip(names, self._session.run(names, {INPUT_NAME: pixels}), strict=True))
        probabilities, embeddings, maps = (outputs[name] for name in OUTPUT_NAMES)
        calibrated = apply_temperature(probabilities, self.card.temperature)
        novelty, outline = outputs.get(NOVELTY_NAMES[0]), outputs.get(OUTLINE_NAME)
        return Outputs(calibrated, probabilities, embeddings, maps, novelty, outline)

    def with_card(self, card: ModelCard) -> "Classifier":
        """Return a classifier of the same network with another card, that is, calibration."""
        return Classifier(self._session, card)

    def describe(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the features of the out-of-distribution check for N photographs.

        Args:
            pixels: As for `classify`.

        Returns:
            float32 [N, D], from the network before fine-tuning.

        Raises:
            ModelError: The network has no out-of-distribution check.
        """
        name = NOVELTY_NAMES[1]
        if name not in self._names:
            raise ModelError(
                f"The model {self.card.model_id} has no out-of-distribution check. Train a model "
                "with MobileNetV2's ImageNet weights in MELANOMA_WEIGHTS_DIR, or name another "
                "model."
            )
        features: NDArray[np.float32]
        (features,) = self._session.run([name], {INPUT_NAME: pixels})
        return features


def load_classifier(
    folder: Path, num_threads: int = 0, card: ModelCard | None = None
) -> Classifier:
    """Load the model in `folder`, and check that its file matches its card.

    Args:
        folder: Contains card.json and model.onnx.
        num_threads: Threads of ONNX Runtime; 0 means all cores.
        card: Card of a model that is not finished; None reads it from the folder.

    Raises:
        ModelError: A file is missing, damaged, or not the file that the card describes.
    """
    card = card or load_card(folder)
    path = folder / ONNX_NAME
    content = read_network(path, card)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.log_severity_level = 3
    # Threads that spin while they wait would slow down the decoding of images.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except _ONNX_ERRORS as error:
        raise ModelError(
            f"The network {path} is not a valid ONNX network ({error}). Export it with "
            "`python -m melanoma_core train`, or name another model."
        ) from error
    _check_signature(session, card, path)
    return Classifier(session, card)


def _check_signature(session: onnxruntime.InferenceSession, card: ModelCard, path: Path) -> None:
    """Refuse a network whose inputs or outputs do not fit its card."""
    inputs = {node.name: (node.type, node.shape[1:]) for node in session.get_inputs()}
    outputs = {node.name: node.shape for node in session.get_outputs()}
    probabilities, embeddings, maps = (outputs.get(name, []) for name in OUTPUT_NAMES)
    size, num_classes = card.image_size, len(card.class_names)
    needed = OUTPUT_NAMES if card.novelty is None else (*OUTPUT_NAMES, *NOVELTY_NAMES)
    fits = (
        inputs == {INPUT_NAME: ("tensor(uint8)", [size, size, 3])}
        and (len(probabilities), len(embeddings), len(maps)) == (2, 2, 4)
        and probabilities[1] == maps[1] == num_classes
        and set(needed) <= outputs.keys()
        # Checked only if present: a network may have more outputs than its card uses.
        and [len(outputs[name]) for name in NOVELTY_NAMES if name in outputs] in ([], [1, 2])
        and len(outputs.get(OUTLINE_NAME, [None] * 3)) == 3
        and (card.outline is None or outputs.get(OUTLINE_NAME, [])[1:] == [card.outline.side] * 2)
    )
    if not fits:
        raise ModelError(
            f"The network {path} takes {inputs} and gives {outputs}; its card needs uint8 "
            f"[N, {size}, {size}, 3] and {num_classes} classes in {', '.join(needed)}. "
            "Export it with `python -m melanoma_core train`, or name another model."
        )
