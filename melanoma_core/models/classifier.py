"""ONNX Runtime: one pass gives probabilities, embedding and class activation maps."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors

from melanoma_core.errors import ModelError
from melanoma_core.evaluation.temperature import apply_temperature
from melanoma_core.models.card import ONNX_NAME, ModelCard, load_card

INPUT_NAME = "photograph"
OUTPUT_NAMES = ("probabilities", "embedding", "activation_maps")
# Of networks that tell how unlike the known photographs one is (`models.novelty`).
NOVELTY_NAMES = ("novelty", "untuned_features")
# What ONNX Runtime raises on a file that it cannot run; they share no base but Exception.
_FOREIGN = (
    onnxruntime_errors.Fail,
    onnxruntime_errors.InvalidArgument,
    onnxruntime_errors.InvalidGraph,
    onnxruntime_errors.InvalidProtobuf,
    onnxruntime_errors.NotImplemented,
    onnxruntime_errors.RuntimeException,
)


@dataclass(frozen=True, eq=False)
class Outputs:
    """What one pass says of N photographs.

    Attributes:
        probabilities: float64 [N, C], calibrated; rows sum to 1.
        embeddings: float32 [N, D], what the last dense layer sees.
        activation_maps: float32 [N, C, h, w], each class's evidence by place, in logits.
        novelty: float32 [N], Mahalanobis distance to the photographs that were learned from, in
            standard deviations; None where the network does not tell it.
    """

    probabilities: NDArray[np.float64]
    embeddings: NDArray[np.float32]
    activation_maps: NDArray[np.float32]
    novelty: NDArray[np.float32] | None = None


class Classifier:
    """A network that reads. Safe to share between threads, as an ONNX Runtime session is.

    Attributes:
        card: The card of the model.
    """

    def __init__(self, session: onnxruntime.InferenceSession, card: ModelCard) -> None:
        self.card = card
        self._session = session
        self._names = {node.name for node in session.get_outputs()}

    def classify(self, pixels: NDArray[np.uint8]) -> Outputs:
        """Read N photographs in one pass.

        Args:
            pixels: uint8 [N, size, size, 3], RGB, `size` as the card's `image_size`.
        """
        names = [name for name in (*OUTPUT_NAMES, NOVELTY_NAMES[0]) if name in self._names]
        outputs = dict(zip(names, self._session.run(names, {INPUT_NAME: pixels}), strict=True))
        probabilities, embeddings, maps = (outputs[name] for name in OUTPUT_NAMES)
        calibrated = apply_temperature(probabilities, self.card.temperature)
        return Outputs(calibrated, embeddings, maps, outputs.get(NOVELTY_NAMES[0]))

    def describe(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what novelty is measured in, of N photographs.

        Args:
            pixels: As `classify`.

        Returns:
            float32 [N, D], the untuned features.

        Raises:
            ModelError: The network has none.
        """
        name = NOVELTY_NAMES[1]
        if name not in self._names:
            raise ModelError(
                f"The model {self.card.model_id} was made without the check for photographs that "
                "are no lesions. Train one with MobileNetV2's ImageNet weights in "
                "MELANOMA_WEIGHTS_DIR, or name another model."
            )
        features: NDArray[np.float32]
        (features,) = self._session.run([name], {INPUT_NAME: pixels})
        return features


def load_classifier(folder: Path, num_threads: int = 0) -> Classifier:
    """Load the model in `folder`, after checking that it is what its card says.

    Args:
        folder: Holds card.json and model.onnx.
        num_threads: That one pass uses; 0 takes all cores.

    Raises:
        ModelError: A file is missing, damaged, or another one than the card describes.
    """
    card = load_card(folder)
    path = folder / ONNX_NAME
    content = _read_checked(path, card)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.log_severity_level = 3
    # Threads that spin while they wait take the cores from the decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except _FOREIGN as error:
        raise ModelError(
            f"The network {path} is no ONNX network that can be run ({error}). Export it with "
            "`python -m melanoma_core train`, or name another model."
        ) from error
    _check_signature(session, card, path)
    return Classifier(session, card)


def _read_checked(path: Path, card: ModelCard) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"Cannot read the network {path}: {error.strerror}. Restore the file (in a clone: "
            f"`git checkout -- assets`), or name another model with `--model` or MELANOMA_MODEL."
        ) from error
    expected = card.files.get(path.name)
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError(
            f"The network {path} is not the file that its card describes ({len(content)} bytes "
            "were found, their SHA-256 differs): it is cut short, damaged or another network. "
            "Restore the file (in a clone: `git checkout -- assets`), or name another model."
        )
    return content


def _check_signature(session: onnxruntime.InferenceSession, card: ModelCard, path: Path) -> None:
    """Refuse a network that a hand-written card points to but that cannot serve it."""
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
        # Asked only where they are there: a network may tell more than its card uses.
        and [len(outputs[name]) for name in NOVELTY_NAMES if name in outputs] in ([], [1, 2])
    )
    if not fits:
        raise ModelError(
            f"The network {path} takes {inputs} and gives {outputs}; its card needs uint8 "
            f"[N, {size}, {size}, 3] and {num_classes} classes in {', '.join(needed)}. "
            "Export it with `python -m melanoma_core train`, or name another model."
        )
