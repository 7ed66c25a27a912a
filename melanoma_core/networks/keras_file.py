"""Load the Keras form of a network, without running code that the file may hold."""

import re
from pathlib import Path

import keras

from melanoma_core.errors import ModelError

_OTHER = "Name another model, or train one with `python -m melanoma_core train`."


def load_keras(path: Path) -> keras.Model:
    """Load a network for inference or for further training.

    Only layers of Keras are built. Keras would otherwise run Python code from the file.

    Args:
        path: File in Keras' own format (".keras").

    Raises:
        ModelError: Keras cannot load the file, or the file holds code or foreign layers.
    """
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    # Keras documents no errors, and raises nearly all of Python's for files that are damaged.
    except Exception as error:
        raise ModelError(
            f"Cannot load the network {path}: {_explain(str(error))} {_OTHER}"
        ) from error


def _explain(message: str) -> str:
    """Return why in our words: those of Keras advise to switch the protection off."""
    if "safe_mode" in message or "unsafe_deserialization" in message:
        return (
            "it holds Python code of its own (such as a Lambda layer), which would run on this "
            "computer. Only networks of Keras' own layers are loaded."
        )
    foreign = re.search(r"Could not locate (?:class|function) '(\w+)'", message)
    if foreign:
        return (
            f"it needs {foreign.group(1)}, which Keras does not have. Only networks of Keras' own "
            "layers are loaded."
        )
    return "it is not a complete network in Keras' format."
