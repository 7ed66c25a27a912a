"""Whose turn it is: runs train in the order of their tickets, a few at a time.

A ticket is a lock of the operating system that the run's process holds from its start to its
end. So whoever asks sees a process that was killed as dead at once, whatever its number or its
remains in the process table say, and nobody has to write that it is gone.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from melanoma_core.errors import RunError
from melanoma_core.settings import Settings

# A new process takes its ticket within a second or two; on a machine that swaps, later.
START_SECONDS = 60.0
_WAIT_SECONDS = 30.0  # for other processes that look at the queue, each for milliseconds
# A ticket is drawn, then taken by its process, which works when it is its turn.
_DRAWN, _TAKEN, _WORKING = ".drawn", ".taken", ".working"


@dataclass(frozen=True)
class Ticket:
    """A run that works, waits for its turn or is about to start.

    Attributes:
        number: Lower ones go first.
        run_id: Of the run.
        is_working: Whether its turn has come.
    """

    number: int
    run_id: str
    is_working: bool = False


class Queue:
    """The tickets in a folder, for any number of processes and threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self) -> Iterator[list[Ticket]]:
        """Keep all others from changing the queue, within a `with` statement.

        Yields:
            The tickets of runs that are alive, in the order of their turns.

        Raises:
            RunError: Another process holds it for half a minute, or the folder cannot be written.
        """
        lock = FileLock(
            self._folder / "queue.lock",
            timeout=_WAIT_SECONDS,
            poll_interval=0.01,
            fallback_to_soft=False,
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with lock:
                yield self._list()
        except Timeout as error:
            raise RunError(
                f"Found {self._folder} locked by another process for {_WAIT_SECONDS:.0f} seconds. "
                "End the process that hangs, or start the machine anew."
            ) from error
        except OSError as error:
            raise RunError(
                f"Cannot keep the queue of runs in {self._folder} ({error.strerror}). Set "
                "MELANOMA_RUNS_DIR to a folder that can be written to, on a disk of this machine."
            ) from error

    def list_tickets(self) -> list[Ticket]:
        """Return the tickets of runs that are alive, in the order of their turns."""
        if not self._folder.is_dir():  # whoever only looks makes no folder
            return []
        with self.hold() as tickets:
            return tickets

    def begin(self, ticket: Ticket, max_runs: int) -> bool:
        """Begin to work, unless so many runs work or wait before this one."""
        with self.hold() as tickets:
            if sum(other.number < ticket.number for other in tickets) >= max_runs:
                return False
            self._path(ticket, _WORKING).touch()
            return True

    def draw(self, run_id: str) -> Ticket:
        """Put a run at the end of the queue; its process has to take the ticket soon.

        Raises:
            RunError: The run has a ticket already.
        """
        with self.hold() as tickets:
            if any(ticket.run_id == run_id for ticket in tickets):
                raise RunError(f"Found run {run_id} at work already. Wait until it is over.")
            ticket = Ticket(max((t.number for t in tickets), default=0) + 1, run_id)
            self._path(ticket, _DRAWN).touch()
            return ticket

    def give_back(self, ticket: Ticket) -> None:
        """Take a run out of the queue whose process could not be started."""
        with self.hold():
            self._path(ticket, _DRAWN).unlink(missing_ok=True)

    @contextmanager
    def take(self, run_id: str) -> Iterator[Ticket]:
        """Hold the ticket that was drawn for a run, in its own process, in a `with` statement.

        Raises:
            RunError: There is none, since the process came too late and others gave the run up.
        """
        with self.hold() as tickets:
            found = [ticket for ticket in tickets if ticket.run_id == run_id]
            if not found or not self._path(found[0], _DRAWN).exists():
                raise RunError(
                    f"Found no ticket for run {run_id}: it took more than {START_SECONDS:.0f} "
                    "seconds to start and was given up. Resume it when the machine has less to do."
                )
            (ticket,) = found
            lock = FileLock(self._path(ticket, _TAKEN), timeout=0, fallback_to_soft=False)
            lock.acquire()
            self._path(ticket, _DRAWN).unlink()
        try:
            yield ticket
        finally:
            with self.hold():
                lock.release()
                self._remove(ticket)

    def _list(self) -> list[Ticket]:
        """List the living and remove the dead."""
        tickets = []
        for path in sorted(self._folder.iterdir()):
            if path.suffix not in {_DRAWN, _TAKEN}:
                continue
            number, _, run_id = path.stem.partition("-")
            is_working = path.with_suffix(_WORKING).exists()
            ticket = Ticket(int(number), run_id, is_working)
            if _is_alive(path):
                tickets.append(ticket)
            else:
                self._remove(ticket)
        return tickets

    def _remove(self, ticket: Ticket) -> None:
        for suffix in (_DRAWN, _TAKEN, _WORKING):
            self._path(ticket, suffix).unlink(missing_ok=True)

    def _path(self, ticket: Ticket, suffix: str) -> Path:
        return self._folder / f"{ticket.number:08d}-{ticket.run_id}{suffix}"


def open_queue(settings: Settings) -> Queue:
    """Return the queue of runs."""
    return Queue(settings.runs_dir / "queue")


def _is_alive(path: Path) -> bool:
    if path.suffix == _DRAWN:
        # Of a time in the future nothing is known but that it is not long ago.
        return time.time() - path.stat().st_mtime < START_SECONDS
    try:
        with FileLock(path, timeout=0, fallback_to_soft=False):
            return False
    except Timeout:
        return True
