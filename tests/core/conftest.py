"""What the tests of the core share: photographs that a test draws for itself."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melanoma_core.models.registry import BUNDLED

Draw = Callable[..., Path]


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Write a photograph that is another one for every seed, into a folder that is made."""

    def write(path: Path, seed: int, size: tuple[int, int] = (120, 90)) -> Path:
        coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path, quality=92)
        return path

    return write


@pytest.fixture(scope="session")
def bundled() -> Path:
    """Folder of the model that comes with the project."""
    return BUNDLED
