"""Heatmaps that need TensorFlow, of any network that is released here, with tf-keras-vis.

Only `explainer_process` imports this, in a process of its own.
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
from melanoma_core.models.card import KERAS_NAME, load_card
from melanoma_core.models.methods import Method
from melanoma_core.networks.export import name_last_activation

# Score-CAM asks the network once per filter. Of 1280 filters, those that differ most from place to
# place say nearly the same: "Faster Score-CAM". All of them need 20 times the time and 2 GB.
_NUM_FILTERS = 64
_NUM_NOISY = 16  # copies with noise, of which SmoothGrad (Smilkov et al. 2017) takes the mean
_NOISE = 0.1  # of the photograph's range


class GradientMaps:
    """Makes the maps of one network.

    tf-keras-vis finds no gradient through whole numbers and stumbles over a softmax: it is given
    the network up to the logits, cloned onto an input of floats.

    Args:
        network: uint8 [N, size, size, 3] -> probabilities [N, C], as a model folder holds it, with
            the layers "embedding" and "logits".
    """

    def __init__(self, network: keras.Model) -> None:
        floats = keras.models.clone_model(
            network, input_tensors=keras.Input(network.input_shape[1:])
        )
        floats.set_weights(network.get_weights())
        self._network = floats
        self._logits = keras.Model(floats.input, floats.get_layer("logits").output)
        self._layer = name_last_activation(network)
        height, width = floats.get_layer(self._layer).output.shape[1:3]
        self._num_places = height * width

    def set_weights(self, weights: Sequence[NDArray[np.float32]]) -> None:
        """Explain the same network with other weights, which is much faster than another one."""
        self._network.set_weights(weights)

    def explain(
        self, pixels: NDArray[np.uint8], class_indices: NDArray[np.int64], method: Method
    ) -> NDArray[np.float32]:
        """Make one map per photograph.

        Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) is on the scale of the activation maps
        that a reading shows, in logits: weighted by the sum of the gradient over all places, not
        by its mean. Grad-CAM++ (Chattopadhyay et al. 2018, arXiv:1710.11063), Score-CAM (Wang et
        al. 2020, arXiv:1910.01279) and saliency (Simonyan et al. 2014, arXiv:1312.6034, smoothed)
        have no unit that two photographs share.

        Args:
            pixels: uint8 [N, size, size, 3].
            class_indices: int [N], the class to explain in each.
            method: How.

        Returns:
            float32 [N, h, w], at or above 0, as coarse as the method is; not stretched.
        """
        if method is Method.SCORE_CAM:  # of a batch it keeps the filters of all photographs
            maps = [
                self._make(pixels[i : i + 1], class_indices[i : i + 1], method)
                for i in range(len(pixels))
            ]
            return np.concatenate(maps)
        return self._make(pixels, class_indices, method)

    def _make(
        self, pixels: NDArray[np.uint8], class_indices: NDArray[np.int64], method: Method
    ) -> NDArray[np.float32]:
        with warnings.catch_warnings():  # tf-keras-vis puts the photographs into a list
            warnings.filterwarnings("ignore", "The structure of `inputs` doesn't match")
            return self._call(pixels, class_indices, method)

    def _call(
        self, pixels: NDArray[np.uint8], class_indices: NDArray[np.int64], method: Method
    ) -> NDArray[np.float32]:
        score, photographs = CategoricalScore(class_indices.tolist()), pixels.astype(np.float32)
        # The layer itself: else tf-keras-vis moves on to the convolution before it. No map is
        # stretched to [0, 1]: one without evidence has to stay dark.
        places = {
            "penultimate_layer": self._layer,
            "seek_penultimate_conv_layer": False,
            "normalize_cam": False,
            "expand_cam": False,
        }
        if method is Method.SALIENCY:
            return self._smooth_gradients(score, photographs)
        if method is Method.GRAD_CAM:
            maps = Gradcam(self._logits, clone=False)(score, photographs, **places)
            return np.asarray(maps * np.float32(self._num_places))
        if method is Method.GRAD_CAM_PLUS_PLUS:
            maps = GradcamPlusPlus(self._logits, clone=False)(score, photographs, **places)
            return np.asarray(maps, dtype=np.float32)
        num_filters = self._logits.get_layer(self._layer).output.shape[-1]
        maps = Scorecam(self._logits, clone=False)(
            score, photographs, max_N=min(_NUM_FILTERS, num_filters), **places
        )
        return np.asarray(maps, dtype=np.float32)

    def _smooth_gradients(
        self, score: CategoricalScore, photographs: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        before = np.random.get_state()
        np.random.seed(0)  # tf-keras-vis draws the noise from it; the same map at each call
        try:
            maps = Saliency(self._logits, clone=False)(
                score,
                photographs,
                smooth_samples=_NUM_NOISY,
                smooth_noise=_NOISE,
                normalize_map=False,
            )
        finally:
            np.random.set_state(before)
        return np.asarray(maps, dtype=np.float32)


def load_network(folder: Path) -> keras.Model:
    """Load the Keras form of a model, after checking that it is its card's.

    Raises:
        ModelError: It is missing, damaged or another one.
    """
    path = folder / KERAS_NAME
    expected = load_card(folder).files.get(KERAS_NAME)
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected:
        raise ModelError(
            f"{path} is missing or is not the file that its card describes. Maps other than "
            "Grad-CAM are made with it. Restore the file (in a clone: `git checkout -- assets`)."
        )
    return keras.models.load_model(path, compile=False)
