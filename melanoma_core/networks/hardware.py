"""What the machine has to compute with, on every backend of keras."""

import logging

import keras

from melanoma_core.training.recipe import Recipe

_log = logging.getLogger(__name__)


def has_gpu() -> bool:
    """Return whether the backend computes on something faster than the processor."""
    if keras.backend.backend() == "torch":  # the one that keras does not ask for its devices
        import torch

        return bool(torch.cuda.is_available() or torch.backends.mps.is_available())
    return not all(device.startswith("cpu") for device in keras.distribution.list_devices())


def list_accelerators() -> tuple[str, ...]:
    """Return what keras calls the devices that are faster than the processor."""
    if keras.backend.backend() == "torch":
        return ("gpu",) if has_gpu() else ()
    devices = keras.distribution.list_devices()
    return tuple(device for device in devices if not device.startswith("cpu"))


def choose_jit() -> bool | str:
    """Return how keras shall compile: as it likes, but for TensorFlow on a processor.

    There XLA takes 14 times as long as without.
    """
    return False if keras.backend.backend() == "tensorflow" and not has_gpu() else "auto"


def choose_precision(recipe: Recipe) -> str:
    """Return keras' policy for `Recipe.mixed_precision`: 16 bits where a GPU is there for them."""
    if recipe.mixed_precision and has_gpu():
        return "mixed_float16"
    if recipe.mixed_precision:
        _log.info("Found no GPU: mixed precision is left out.")
    return "float32"
