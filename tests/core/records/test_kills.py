import random
from pathlib import Path

import pytest

from tests.soak.killing import kill_once, measure
from tests.soak.records import make_record_kind

NUM_KILLS = 20  # `make soak` kills 500 times

pytestmark = pytest.mark.slow


def test_whatever_a_killed_process_had_acknowledged_is_there_and_nothing_is_half_written(
    tmp_path: Path,
):
    kind = make_record_kind(NUM_KILLS)
    seconds = measure(kind, tmp_path / "whole")
    rng = random.Random(20261127)

    found = [
        (number, each)
        for number in range(NUM_KILLS)
        for each in kill_once(kind, tmp_path / str(number), seconds, rng)
    ]

    assert found == []
    reached = {
        len((tmp_path / str(number) / "acknowledged").read_text().splitlines())
        for number in range(NUM_KILLS)
        if (tmp_path / str(number) / "acknowledged").is_file()
    }
    assert len(reached) > 5, "the kills came at one moment"
