"""Tickets in real files, some of them held by other processes, some of those killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from melanoma_core.errors import RunError
from melanoma_core.runs.queue import START_SECONDS, Queue, Ticket
from melanoma_core.settings import PROJECT_ROOT

HOLD = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from melanoma_core.runs.queue import Queue\n"
    "queue = Queue(Path(sys.argv[1]))\n"
    "with queue.take(sys.argv[2]) as ticket:\n"
    "    print(queue.begin(ticket, 1), flush=True)\n"
    "    sys.stdin.read()\n"
)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "queue")


@pytest.fixture
def holder(queue: Queue, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has taken the ticket of run "a" and begun to work."""
    queue.draw("a")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "queue", "a"],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process
        process.kill()


def make_old(folder: Path) -> None:
    for path in folder.glob("*.drawn"):
        then = time.time() - START_SECONDS - 1
        os.utime(path, (then, then))


def test_reading_a_queue_creates_no_folder(queue: Queue, tmp_path: Path):
    assert queue.list_tickets() == []
    assert list(tmp_path.iterdir()) == []


def test_tickets_are_ordered_by_their_draw(queue: Queue):
    drawn = [queue.draw(run_id) for run_id in ("b", "a", "c")]

    assert queue.list_tickets() == drawn == [Ticket(1, "b"), Ticket(2, "a"), Ticket(3, "c")]


def test_a_run_has_one_ticket_at_most(queue: Queue):
    queue.draw("a")

    with pytest.raises(RunError, match="Found run a already queued or running"):
        queue.draw("a")


def test_a_process_that_is_about_to_start_counts_as_alive_for_a_minute(
    queue: Queue, tmp_path: Path
):
    queue.draw("a")
    assert len(queue.list_tickets()) == 1

    make_old(tmp_path / "queue")

    assert queue.list_tickets() == []


def test_a_process_that_starts_too_late_does_not_begin(queue: Queue, tmp_path: Path):
    queue.draw("a")
    make_old(tmp_path / "queue")

    with pytest.raises(RunError, match="its ticket expired"), queue.take("a"):
        pass


def test_a_ticket_that_is_given_back_is_gone(queue: Queue):
    queue.give_back(queue.draw("a"))

    assert queue.list_tickets() == []


def test_runs_work_one_after_another(queue: Queue):
    queue.draw("a")
    queue.draw("b")

    with queue.take("b") as second:
        with queue.take("a") as first:
            assert queue.begin(first, max_runs=1)
            assert not queue.begin(second, max_runs=1)
            assert [t.is_working for t in queue.list_tickets()] == [True, False]
        assert queue.begin(second, max_runs=1)
    assert queue.list_tickets() == []


def test_two_may_work_at_once_where_that_is_set(queue: Queue):
    for run_id in ("a", "b", "c"):
        queue.draw(run_id)

    with queue.take("a"), queue.take("b") as second, queue.take("c") as third:
        assert queue.begin(second, max_runs=2)
        assert not queue.begin(third, max_runs=2)


def test_a_ticket_of_another_process_is_alive_however_old(
    queue: Queue, holder: subprocess.Popen[str], tmp_path: Path
):
    make_old(tmp_path / "queue")

    assert holder.poll() is None
    assert queue.list_tickets() == [Ticket(1, "a", is_working=True)]
    with pytest.raises(RunError), queue.take("a"):
        pass


def test_a_killed_process_is_dead_at_once_even_as_a_zombie(
    queue: Queue, holder: subprocess.Popen[str], tmp_path: Path
):
    queue.draw("b")
    holder.kill()
    # Its parent has not collected it yet, so its process id is still taken.
    zombie = psutil.Process(holder.pid)
    while zombie.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)

    assert queue.list_tickets() == [Ticket(2, "b")]
    with queue.take("b") as ticket:
        assert queue.begin(ticket, max_runs=1)
    assert [path.name for path in (tmp_path / "queue").iterdir()] == ["queue.lock"]


def test_a_folder_that_cannot_be_written_is_named_with_a_remedy(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(RunError, match="Set MELANOMA_RUNS_DIR"):
        Queue(tmp_path / "file" / "queue").draw("a")


@pytest.mark.parametrize(
    "name", ["notes.taken", "x-a.drawn", "00000001.taken", "-a.drawn", "00000001-.drawn"]
)
def test_a_file_that_is_no_ticket_is_named(queue: Queue, tmp_path: Path, name: str):
    queue.draw("a")
    (tmp_path / "queue" / name).write_text("")

    with pytest.raises(RunError, match=rf"Found .*{name} in the queue of runs.* Remove it\."):
        queue.list_tickets()

    (tmp_path / "queue" / name).unlink()
    (tmp_path / "queue" / "notes.txt").write_text("no ticket, and not called like one")
    assert queue.list_tickets() == [Ticket(1, "a")]


def test_a_process_killed_as_it_took_its_ticket_is_dead_at_once(queue: Queue, tmp_path: Path):
    queue.draw("a")
    (tmp_path / "queue" / "00000001-a.taken").touch()  # its lock went with the process

    assert queue.list_tickets() == []
    assert [path.name for path in (tmp_path / "queue").iterdir()] == ["queue.lock"]
