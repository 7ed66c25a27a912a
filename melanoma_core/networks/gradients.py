"""Heatmaps of a released network that need TensorFlow, computed with tf-keras-vis.

Only `explainer_process` imports this module, in a separate process.
"""

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
from tf_keras_vis.saliency import Saliency
from tf_keras_vis.scorecam import Scorecam
from tf_keras_vis.utils.scores import CategoricalScore

from melanoma_core.errors import ModelError
from melanoma_core.models.card import KERAS_NAME
from melanoma_core.models.methods import Method
from melanoma_core.networks.export import find_last_activation
from melanoma_core.networks.keras_file import load_keras
from melanoma_core.networks.network import LOGITS_LAYER

# Score-CAM runs the network once per filter. The filters with the largest spatial variance give
# nearly the same map ("Faster Score-CAM"). All 1280 filters take 20 times as long, and 2 GB.
_NUM_FILTERS = 64
_NUM_NOISY = 16  # noisy copies that SmoothGrad (Smilkov et al. 2017) averages
_NOISE = 0.1  # standard deviation of the noise, as a share of the pixel range


class GradientMaps:
    """Computes the heatmaps of one network.

    tf-keras-vis needs a float input to find gradients, and logits as output. It gets the network
    up to the logits, cloned onto a float input.

    Args:
        network: uint8 [N, size, size, 3] -> probabilities [N, C], with the layers "embedding" and
            "logits".
    """

    def __init__(self, network: keras.Model) -> None:
        floats = keras.models.clone_model(
            network, input_tensors=keras.Input(network.input_shape[1:])
        )
        floats.set_weights(network.get_weights())
        self._network = floats
        self._logits = keras.Model(floats.input, floats.get_layer(LOGITS_LAYER).output)
        self._layer = find_last_activation(network)
        height, width = floats.get_layer(self._layer).output.shape[1:3]
        self._num_positions = height * width

    def set_weights(self, weights: Sequence[NDArray[np.float32]]) -> None:
        """Replace the weights of the network, which is much faster than cloning another one."""
        self._network.set_weights(weights)

    def explain(
        self, pixels: NDArray[np.uint8], class_indices: NDArray[np.int64], method: Method
    ) -> NDArray[np.float32]:
        """Compute one heatmap per photograph.

        Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) is in logits, on the scale of the
        activation maps of a reading: filters are weighted by the sum of the gradient over all
        positions, not by its mean. Grad-CAM++ (Chattopadhyay et al. 2018, arXiv:1710.11063),
        Score-CAM (Wang et al. 2020, arXiv:1910.01279) and smoothed saliency (Simonyan et al. 2014,
        arXiv:1312.6034) have no scale that is comparable between photographs.

        Args:
            pixels: uint8 [N, size, size, 3].
            class_indices: int [N], the class to explain in each photograph.
            method: The method.

        Returns:
            float32 [N, h, w], at least 0, not normalised, at the resolution of the method.
        """
        if method is Method.SCORE_CAM:  # in a batch it would select filters across photographs
            maps = [
                self._compute(pixels[i : i + 1], class_indices[i : i + 1], method)
                for i in range(len(pixels))
            ]
            return np.concatenate(maps)
        return self._compute(pixels, class_indices, method)

    def _compute(
        self, pixels: NDArray[np.uint8], class_indices: NDArray[np.int64], method: Method
    ) -> NDArray[np.float32]:
        with warnings.catch_warnings():  # tf-keras-vis passes the photographs as a list
            warnings.filterwarnings("ignore", "The structure of `inputs` doesn't match")
            return self._run_method(pixels, class_indices, method)

    def _run_method(
        self, pixels: NDArray[np.uint8], class_indices: NDArray[np.int64], method: Method
    ) -> NDArray[np.float32]:
        score, photographs = CategoricalScore(class_indices.tolist()), pixels.astype(np.float32)
        # Without these options, tf-keras-vis uses the convolution before this layer, and normalises
        # maps to [0, 1]. A map without evidence must stay dark.
        options = {
            "penultimate_layer": self._layer,
            "seek_penultimate_conv_layer": False,
            "normalize_cam": False,
            "expand_cam": False,
        }
        if method is Method.SALIENCY:
            return self._smooth_gradients(score, photographs)
        if method is Method.GRAD_CAM:
            maps = Gradcam(self._logits, clone=False)(score, photographs, **options)
            return np.asarray(maps * np.float32(self._num_positions))
        if method is Method.GRAD_CAM_PLUS_PLUS:
            maps = GradcamPlusPlus(self._logits, clone=False)(score, photographs, **options)
            return np.asarray(maps, dtype=np.float32)
        num_filters = self._logits.get_layer(self._layer).output.shape[-1]
        maps = Scorecam(self._logits, clone=False)(
            score, photographs, max_N=min(_NUM_FILTERS, num_filters), **options
        )
        return np.asarray(maps, dtype=np.float32)

    def _smooth_gradients(
        self, score: CategoricalScore, photographs: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        state = np.random.get_state()
        np.random.seed(0)  # tf-keras-vis draws noise from it; this makes maps repeatable
        try:
            maps = Saliency(self._logits, clone=False)(
                score,
                photographs,
                smooth_samples=_NUM_NOISY,
                smooth_noise=_NOISE,
                normalize_map=False,
            )
        finally:
            np.random.set_state(state)
        return np.asarray(maps, dtype=np.float32)


def load_network(folder: Path, sha256: str) -> keras.Model:
    """Load the Keras form of a model, after verifying its hash.

    Args:
        folder: Folder of the model.
        sha256: Expected hash of the file (hex), from the model card.

    Raises:
        ModelError: The file is missing, its hash differs, or Keras cannot load it.
    """
    path = folder / KERAS_NAME
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise ModelError(
            f"{path} is missing or is not the file that its card describes. Heatmaps other than "
            "Grad-CAM need it. Restore the file (in a clone: `git checkout -- assets`)."
        )
    return load_keras(path)
