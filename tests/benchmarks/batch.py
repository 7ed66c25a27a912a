"""A thousand photographs on the command line."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.models.card import ONNX_NAME
from melanoma_core.models.classifier import INPUT_NAME, OUTPUT_NAMES
from melanoma_core.models.registry import BUNDLED
from tests.benchmarks.timing import Row, time_in_turn

_NUM_PHOTOGRAPHS = 1000


def measure() -> Iterable[Row]:
    """The whole process with its start, beside bare forward passes plus bare decoding."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.jpg" for number in range(_NUM_PHOTOGRAPHS)]
        for number, path in enumerate(paths):
            lesion = DEMONSTRATION_LESIONS[number % len(DEMONSTRATION_LESIONS)]
            path.write_bytes(lesion.path.read_bytes())
        command = [sys.executable, "-m", "melanoma_core", "predict", "--json", *map(str, paths)]
        seconds = time_in_turn(
            {
                "here": lambda: subprocess.run(command, check=True, capture_output=True),
                "bare": lambda: _read_bare(paths),
            },
            num_rounds=5,
            num_warmups=1,
        )
    here, bare = (_NUM_PHOTOGRAPHS / seconds[name] for name in ("here", "bare"))
    yield (
        "a thousand 600×450 photographs on the command line, its start included",
        f"{here:.0f} /s",
        "bare decoding and bare forward passes on as many cores",
        f"{bare:.0f} /s",
        f"{here / bare:.2f} of it",
    )


def _read_bare(paths: list[Path]) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        BUNDLED / ONNX_NAME, sess_options=options, providers=["CPUExecutionProvider"]
    )
    size = session.get_inputs()[0].shape[1]

    def read(path: Path) -> None:
        small = Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
        session.run([OUTPUT_NAMES[0]], {INPUT_NAME: np.asarray(small)[None]})

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(read, paths))
