"""The id of a model, which names its folder and is never used twice."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from melanoma_core.models.card import ONNX_NAME


def make_model_id(architecture: str, files: Mapping[str, str], now: datetime) -> str:
    """Return an id for a model.

    The time is part of it: the same network with another threshold is another model.

    Args:
        architecture: Name of the architecture.
        files: SHA-256 (hex) by file name, with that of the ONNX form.
        now: Time, in UTC.

    Example:
        >>> make_model_id("SmallCNN", {"model.onnx": "ab"}, datetime(2026, 1, 2))
        'smallcnn-20260102-a335ec20'
    """
    digest = hashlib.sha256(f"{files[ONNX_NAME]} {now.isoformat()}".encode()).hexdigest()
    return f"{architecture.lower()}-{now:%Y%m%d}-{digest[:8]}"
