"""The hardware that Keras computes on, for each of its backends."""

import logging

import keras

from melanoma_core.training.recipe import Recipe

_log = logging.getLogger(__name__)


def list_accelerators() -> tuple[str, ...]:
    """Return the names of the devices other than the CPU, as Keras reports them."""
    if keras.backend.backend() == "torch":  # Keras does not list the devices of this backend
        import torch

        return ("gpu",) if torch.cuda.is_available() or torch.backends.mps.is_available() else ()
    devices = keras.distribution.list_devices()
    return tuple(device for device in devices if not device.startswith("cpu"))


def choose_jit() -> bool | str:
    """Return the `jit_compile` argument of `keras.Model.compile`.

    It is "auto", except for TensorFlow on a CPU: there XLA made training 14 times slower.
    """
    is_slow = keras.backend.backend() == "tensorflow" and not list_accelerators()
    return False if is_slow else "auto"


def choose_precision(recipe: Recipe) -> str:
    """Return the dtype policy for `Recipe.mixed_precision`: 16 bits only on a GPU."""
    if recipe.mixed_precision and list_accelerators():
        return "mixed_float16"
    if recipe.mixed_precision:
        _log.info("Found no GPU. Training computes in 32 bits instead of mixed precision.")
    return "float32"
