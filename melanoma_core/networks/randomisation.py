"""Test if a heatmap depends on the weights of the network, by randomising them."""

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from melanoma_core.models.methods import Method
from melanoma_core.networks.gradients import GradientMaps
from melanoma_core.networks.outline import GATE_LAYER

# Share of the layers with random weights, counted from the top.
_SHARES = {"head": 0.0, "half": 0.5, "network": 1.0}
_INITIALISED_WITH_ONES = {"gamma", "moving_variance"}


def compare_randomised(
    network: keras.Model,
    pixels: NDArray[np.uint8],
    class_indices: NDArray[np.int64],
    method: Method = Method.GRAD_CAM,
    seed: int = 0,
) -> dict[str, NDArray[np.float64]]:
    """Compare the heatmaps of a network with those of the same network with random weights.

    Adebayo et al., "Sanity checks for saliency maps" (2018, arXiv:1810.03292): layers are
    randomised from the top down. A map that does not change shows the edges of the photograph,
    not what the network has learned.

    Args:
        network: uint8 [N, size, size, 3] -> probabilities [N, C].
        pixels: uint8 [N, size, size, 3].
        class_indices: int [N], the class to explain in each photograph.
        method: The method of the heatmaps.
        seed: Seed of the random weights.

    Returns:
        By stage ("head": the last dense layer; "half": the upper half of the layers; "network":
        all layers), the rank correlation of the two maps over all positions, float64 [N] in
        [-1, 1]; NaN if one of them is constant.
    """
    maker = GradientMaps(network)
    trained_maps = maker.explain(pixels, class_indices, method)
    similarities = {}
    for name, share in _SHARES.items():
        maker.set_weights(randomise(network, share, seed))
        random_maps = maker.explain(pixels, class_indices, method)
        similarities[name] = np.array(
            [correlate(*pair) for pair in zip(trained_maps, random_maps, strict=True)]
        )
    return similarities


def randomise(network: keras.Model, share: float, seed: int) -> list[NDArray[np.float32]]:
    """Return the weights of a network, with random weights in its upper layers.

    Kernels are drawn by He initialisation (He et al. 2015), so activations neither vanish nor
    explode. Batch normalisation gets its initial values.

    Args:
        network: Any network.
        share: Share of the layers with weights, counted from the top; 0 is only the last layer.
        seed: Seed of the random weights.

    Returns:
        The weights, in the order of `network.get_weights()`.
    """
    rng = np.random.default_rng(seed)
    # The gate has no learned weights: random ones would divide by nearly 0.
    weighted = [layer for layer in network.layers if layer.weights and layer.name != GATE_LAYER]
    randomised = {
        weight.path
        for layer in weighted[-max(1, round(share * len(weighted))) :]
        for weight in layer.weights
    }
    return [
        _draw(weight, rng) if weight.path in randomised else keras.ops.convert_to_numpy(weight)
        for weight in network.weights
    ]


def correlate(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the Spearman rank correlation of two maps, in [-1, 1]; NaN if one is constant.

    Example:
        >>> ramp = np.arange(6.0).reshape(2, 3)
        >>> round(correlate(ramp, -(ramp**3)), 6)
        -1.0
    """
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return np.nan
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def _draw(weight: keras.Variable, rng: np.random.Generator) -> NDArray[np.float32]:
    if len(weight.shape) < 2:
        value = 1.0 if weight.name in _INITIALISED_WITH_ONES else 0.0
        return np.full(weight.shape, value, dtype=np.float32)
    is_depthwise = "depthwise" in weight.path
    fan_in = np.prod(weight.shape[:-2] if is_depthwise else weight.shape[:-1])
    return np.asarray(rng.normal(0, np.sqrt(2 / fan_in), weight.shape), dtype=np.float32)
