"""Freed memory goes back to the operating system."""

import subprocess
import sys

import psutil
import pytest

_FREE_MUCH = """
import psutil
from melanoma_core.memory import return_freed_memory
kept = [bytes([number % 255 + 1]) * 100_000 for number in range(1000)]
last = bytes([1]) * 100_000  # behind them, so that the C library cannot simply end earlier
kept.clear()
before = psutil.Process().memory_info().rss
return_freed_memory()
print(before - psutil.Process().memory_info().rss > 50 * 2**20)
"""


@pytest.mark.skipif(not psutil.LINUX, reason="only the C library of Linux can be asked")
def test_100_megabytes_of_photographs_are_returned_when_they_are_freed():
    found = subprocess.run(
        [sys.executable, "-c", _FREE_MUCH], check=True, capture_output=True, text=True
    )
    assert found.stdout == "True\n"
