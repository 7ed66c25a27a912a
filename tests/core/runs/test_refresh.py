"""Where a run stands, from what is known of it."""

import math

import pytest

from melanoma_core.runs.refresh import decide_state
from melanoma_core.runs.run import RunState

ACTIVE = (RunState.QUEUED, RunState.RUNNING)
OVER = tuple(state for state in RunState if state not in ACTIVE)


@pytest.mark.parametrize("said", OVER)
def test_a_run_that_is_over_stays_so_whatever_lives(said: RunState):
    assert decide_state(said, is_own=True, is_alive=True, silent_seconds=0) is said
    assert decide_state(said, is_own=False, is_alive=False, silent_seconds=math.inf) is said


@pytest.mark.parametrize("said", ACTIVE)
def test_a_run_of_this_machine_lives_as_long_as_its_ticket_is_held(said: RunState):
    assert decide_state(said, is_own=True, is_alive=True, silent_seconds=math.inf) is said
    dead = decide_state(said, is_own=True, is_alive=False, silent_seconds=0)
    assert dead is RunState.INTERRUPTED


def test_a_run_of_another_machine_is_given_up_after_two_minutes_of_silence():
    def decide(said: RunState, seconds: float) -> RunState:
        return decide_state(said, is_own=False, is_alive=False, silent_seconds=seconds)

    assert decide(RunState.RUNNING, 120) is RunState.RUNNING
    assert decide(RunState.RUNNING, 121) is RunState.INTERRUPTED
    # A waiting run sends no heartbeat.
    assert decide(RunState.QUEUED, math.inf) is RunState.QUEUED
