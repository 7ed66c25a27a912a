"""From starting the command line to its answer."""

import subprocess
import sys
from collections.abc import Iterable

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from tests.benchmarks.timing import Row, time_in_turn


def measure() -> Iterable[Row]:
    """One `predict` as a whole process, beside the bare import of what it cannot do without."""
    image = str(DEMONSTRATION_LESIONS[0].path)
    predict = [sys.executable, "-m", "melanoma_core", "predict", image, "--json"]
    bare = [sys.executable, "-c", "import numpy, onnxruntime, PIL.Image"]
    seconds = time_in_turn(
        {
            "here": lambda: subprocess.run(predict, check=True, capture_output=True),
            "bare": lambda: subprocess.run(bare, check=True, capture_output=True),
        },
        num_rounds=7,
    )
    yield (
        "`python -m melanoma_core predict`, from start to answer",
        f"{seconds['here']:.2f} s",
        "a Python that only imports numpy, onnxruntime and Pillow",
        f"{seconds['bare']:.2f} s",
        f"{seconds['here'] / seconds['bare']:.2f} times as long",
    )
