"""One photograph of 12 megapixels from its file to the pixels that are read, in each format."""

import io
from collections.abc import Iterable

import numpy as np
import pillow_heif
from PIL import Image

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from tests.benchmarks.timing import Row, milliseconds, time_in_turn

_SIZE = 4032, 3024  # px, of a phone
_NOISE = 4.0  # standard deviation of 255, of its sensor
_NUM_ROUNDS = 10


def measure() -> Iterable[Row]:
    """HEIC and AVIF are decoded in a process of their own, and sent through a pipe."""
    with Image.open(DEMONSTRATION_LESIONS[0].path) as drawn:
        smooth = np.asarray(drawn.convert("RGB").resize(_SIZE), np.float32)
    noise = np.random.default_rng(0).normal(0, _NOISE, smooth.shape[:2]).astype(np.float32)
    image = Image.fromarray(np.clip(smooth + noise[..., None], 0, 255).astype(np.uint8))
    contents = {
        "JPEG": _save(image, "JPEG", quality=90),
        "HEIC": _save_heic(image),
        "AVIF": _save(image, "AVIF", quality=75, speed=9),
    }
    actions = {
        name: (lambda content=content: decode_within(content))  # type: ignore[misc]
        for name, content in contents.items()
    }
    seconds = time_in_turn(actions, _NUM_ROUNDS)
    for name in ("HEIC", "AVIF"):
        yield (
            f"decoding {name} of 12 megapixels, {len(contents[name]) / 2**20:.1f} MiB",
            milliseconds(seconds[name]),
            f"JPEG of the same, {len(contents['JPEG']) / 2**20:.1f} MiB",
            milliseconds(seconds["JPEG"]),
            f"{seconds[name] / seconds['JPEG']:.1f} times as long",
        )


def _save(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def _save_heic(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    made = pillow_heif.from_pillow(image)
    made.save(buffer, quality=70, enc_params={"preset": "veryfast"})
    return buffer.getvalue()
