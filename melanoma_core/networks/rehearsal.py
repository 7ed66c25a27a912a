"""Rehearse the release of a network before its training, so that no training is in vain."""

import tempfile
from pathlib import Path

import keras
import numpy as np

from melanoma_core.models.card import KERAS_NAME, ONNX_NAME
from melanoma_core.networks.export import check_agreement, export_onnx
from melanoma_core.networks.keras_file import load_keras
from melanoma_core.networks.network import add_softmax, build_network
from melanoma_core.training.recipe import Recipe


def rehearse_release(recipe: Recipe, num_classes: int) -> None:
    """Write the untrained network of a recipe in both forms, read them, and compare them.

    Args:
        recipe: Its network and its number of views are used.
        num_classes: Number of outputs.

    Raises:
        ModelError: The network cannot become a model.
    """
    network = add_softmax(build_network(recipe, num_classes, None))
    side = recipe.image_size
    pixels = np.random.default_rng(recipe.seed).integers(0, 256, (1, side, side, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        network.save(Path(folder) / KERAS_NAME)
        saved = load_keras(Path(folder) / KERAS_NAME)
        export_onnx(network, Path(folder) / ONNX_NAME, num_views=recipe.num_views)
        check_agreement(saved, Path(folder) / ONNX_NAME, pixels, num_views=recipe.num_views)
    keras.utils.clear_session()  # else layers of the training get other names
