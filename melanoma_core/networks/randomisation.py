"""Whether a heatmap depends on what the network has learned."""

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from melanoma_core.models.methods import Method
from melanoma_core.networks.gradients import GradientMaps

# From the top of the network, which share of its layers forgets what it has learned.
STAGES = {"head": 0.0, "half": 0.5, "network": 1.0}
_ONES = {"gamma", "moving_variance"}


def compare_randomised(
    network: keras.Model,
    pixels: NDArray[np.uint8],
    class_indices: NDArray[np.int64],
    method: Method = Method.GRAD_CAM,
    seed: int = 0,
) -> dict[str, NDArray[np.float64]]:
    """Compare the maps of a network with those of the same network with random weights.

    Adebayo et al., "Sanity checks for saliency maps" (2018, arXiv:1810.03292): layers are made
    random from the top down. A map that stays as it was shows edges of the photograph, not what
    the network has learned.

    Args:
        network: uint8 [N, size, size, 3] -> probabilities [N, C], as a model folder holds it.
        pixels: uint8 [N, size, size, 3].
        class_indices: int [N], the class whose map is compared.
        method: How the maps are made.
        seed: Draws the weights.

    Returns:
        By stage (`STAGES`: the last dense layer, the upper half of the layers, all of them) the
        rank correlation of both maps over the places, float64 [N] in [-1, 1]; NaN where one of
        them is flat.
    """
    explained = GradientMaps(network)
    learned = explained.explain(pixels, class_indices, method)
    similarities = {}
    for name, share in STAGES.items():
        explained.set_weights(randomise(network, share, seed))
        maps = explained.explain(pixels, class_indices, method)
        similarities[name] = np.array(
            [correlate(*pair) for pair in zip(learned, maps, strict=True)]
        )
    return similarities


def randomise(network: keras.Model, share: float, seed: int) -> list[NDArray[np.float32]]:
    """Return the weights of a network, those of its upper layers drawn at random.

    Kernels are drawn as He et al. (2015) begin, so that activations neither die nor explode; batch
    normalisation is as it is before training.

    Args:
        network: Any.
        share: Of the layers that have weights, counted from the top; 0 is the last one alone.
        seed: Draws them.

    Returns:
        As `network.get_weights()`.
    """
    rng = np.random.default_rng(seed)
    weighted = [layer for layer in network.layers if layer.weights]
    forgotten = {
        weight.path
        for layer in weighted[-max(1, round(share * len(weighted))) :]
        for weight in layer.weights
    }
    return [
        _draw(weight, rng) if weight.path in forgotten else keras.ops.convert_to_numpy(weight)
        for weight in network.weights
    ]


def correlate(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the rank correlation of two maps (Spearman), in [-1, 1]; NaN where one is flat."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return np.nan
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def _draw(weight: keras.Variable, rng: np.random.Generator) -> NDArray[np.float32]:
    if len(weight.shape) < 2:
        return np.full(weight.shape, 1.0 if weight.name in _ONES else 0.0, dtype=np.float32)
    is_depthwise = "depthwise" in weight.path
    fan_in = np.prod(weight.shape[:-2] if is_depthwise else weight.shape[:-1])
    return np.asarray(rng.normal(0, np.sqrt(2 / fan_in), weight.shape), dtype=np.float32)
