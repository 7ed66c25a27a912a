"""Photographs that take long are decoded in a process of their own, which is ended at a limit."""

import io
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest
from PIL import Image

from melanoma_core.data import decoder_pool
from melanoma_core.data.decoder import QUICK, decode_within
from melanoma_core.data.formats.budget import BUDGET, Budget
from melanoma_core.data.images import decode_image
from melanoma_core.errors import ImageError
from melanoma_core.settings import PROJECT_ROOT

NOTHING = Budget(pixels=0, samples=0, parts=0, tag_bytes=0)  # so that all goes to a process


def encode(width: int, height: int, image_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    gradient = Image.linear_gradient("L").resize((width, height))
    Image.merge("RGB", [gradient, gradient.rotate(180), gradient]).save(buffer, image_format)
    return buffer.getvalue()


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
def test_a_process_decodes_the_same(image_format: str):
    data = encode(300, 200, image_format)
    here, there = decode_image(data), decode_within(data, quick=NOTHING)
    np.testing.assert_array_equal(here.pixels, there.pixels)
    assert not there.pixels.flags.writeable
    assert (there.original_width, there.original_height) == (300, 200)
    assert there.image_format == image_format


def test_several_threads_decode_at_once():
    files = [encode(100 + number, 80) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda data: decode_within(data, quick=NOTHING), files))
    assert [photograph.original_width for photograph in found] == list(range(100, 112))


@pytest.mark.parametrize("data", [b"", b"no image", encode(200, 100)[:300], encode(20, 20)])
def test_a_process_refuses_with_the_same_reason(data: bytes):
    with pytest.raises(ImageError) as here:
        decode_image(data)
    with pytest.raises(ImageError) as there:
        decode_within(data, quick=NOTHING)
    assert str(there.value) == str(here.value)


def test_a_photograph_beyond_the_limit_is_refused_and_the_next_is_decoded():
    slow, good = encode(3000, 2000), encode(100, 80)
    decode_within(good, quick=NOTHING)  # so that the process has started
    started = time.monotonic()
    with pytest.raises(ImageError) as caught:
        decode_within(slow, seconds=0.002, quick=NOTHING)
    assert time.monotonic() - started < 5
    assert str(caught.value) == (
        "The photograph was not decoded within 0.002 seconds, the limit. Open it in an image "
        "program and save it as an ordinary JPEG."
    )
    assert decode_within(good, quick=NOTHING).original_width == 100


def test_a_process_that_was_ended_from_outside_is_replaced():
    data = encode(100, 80)
    decode_within(data, quick=NOTHING)
    process = decoder_pool.take()
    psutil.Process(process.pid).kill()
    with pytest.raises(ImageError, match="The process that decodes photographs ended"):
        process.decode(data, 20, 2048)
    process.end()
    assert decode_within(data, quick=NOTHING).original_width == 100


def test_no_process_outlives_the_one_that_asked():
    script = (
        "import os, sys\n"
        "from melanoma_core.data import decoder, decoder_pool\n"
        "from melanoma_core.data.formats.budget import Budget\n"
        "decoder.decode_within(sys.stdin.buffer.read(), quick=Budget(samples=0))\n"
        "print(decoder_pool._idle.queue[0].pid, flush=True)\n"
        "os._exit(0)\n"  # without any cleaning up, as if killed
    )
    output = subprocess.run(
        [sys.executable, "-c", script],
        input=encode(100, 80),
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    deadline = time.monotonic() + 20
    while psutil.pid_exists(int(output)) and time.monotonic() < deadline:
        if psutil.Process(int(output)).status() == psutil.STATUS_ZOMBIE:  # not collected, but ended
            return
        time.sleep(0.05)
    assert not psutil.pid_exists(int(output))


def test_what_is_decoded_here_is_a_small_part_of_what_is_allowed():
    assert QUICK.samples * 50 < BUDGET.samples
    assert QUICK.parts * 50 <= BUDGET.parts
