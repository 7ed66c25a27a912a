"""The queue of runs: they train in the order of their tickets, a few at a time.

The process of a run holds a lock of the operating system on its ticket from start to end. So
other processes see at once that a killed run is dead, whatever its process id or its entry in the
process table says, and no process has to record its own end.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from melanoma_core.errors import RunError
from melanoma_core.settings import Settings

# A new process takes its ticket within a second or two, or later if the machine swaps.
START_SECONDS = 60.0
_LOCK_SECONDS = 30.0  # wait for other processes that read the queue, each for milliseconds
# A ticket is drawn, then taken by its process, which marks it when its turn has come.
_DRAWN, _TAKEN, _WORKING = ".drawn", ".taken", ".working"


@dataclass(frozen=True)
class Ticket:
    """The place of a run in the queue.

    Attributes:
        number: Runs with lower numbers go first.
        run_id: Id of the run.
        is_working: Whether its turn has come.
    """

    number: int
    run_id: str
    is_working: bool = False


class Queue:
    """The tickets in a folder, for any number of processes and threads.

    Args:
        folder: The folder, which is created when the first ticket is drawn.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def hold(self) -> Iterator[list[Ticket]]:
        """Lock the queue within a `with` statement, and remove the tickets of dead runs.

        Yields:
            The tickets of live runs, in the order of their turns.

        Raises:
            RunError: Another process holds the lock, the folder cannot be written, or a file in it
                is no ticket.
        """
        lock = FileLock(
            self._folder / "queue.lock",
            timeout=_LOCK_SECONDS,
            poll_interval=0.01,
            fallback_to_soft=False,
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with lock:
                yield self._list()
        except Timeout as error:
            raise RunError(
                f"Found {self._folder} locked by another process for {_LOCK_SECONDS:.0f} seconds. "
                "End the process that hangs, or restart the machine."
            ) from error
        except OSError as error:
            raise RunError(
                f"Cannot keep the queue of runs in {self._folder} ({error}). Set "
                "MELANOMA_RUNS_DIR to a writable folder on a disk of this machine."
            ) from error

    def list_tickets(self) -> list[Ticket]:
        """Return the tickets of live runs, in the order of their turns."""
        if not self._folder.is_dir():  # reading creates no folder
            return []
        with self.hold() as tickets:
            return tickets

    def begin(self, ticket: Ticket, max_runs: int) -> bool:
        """Mark the ticket as working and return True, unless `max_runs` runs are before it."""
        with self.hold() as tickets:
            if sum(other.number < ticket.number for other in tickets) >= max_runs:
                return False
            self._path(ticket, _WORKING).touch()
            return True

    def draw(self, run_id: str) -> Ticket:
        """Add a run to the end of the queue. Its process must take the ticket soon.

        Raises:
            RunError: The run already has a ticket.
        """
        with self.hold() as tickets:
            if any(ticket.run_id == run_id for ticket in tickets):
                raise RunError(
                    f"Found run {run_id} already queued or running. Wait until it is over."
                )
            ticket = Ticket(max((t.number for t in tickets), default=0) + 1, run_id)
            self._path(ticket, _DRAWN).touch()
            return ticket

    def give_back(self, ticket: Ticket) -> None:
        """Remove a run from the queue whose process could not be started."""
        with self.hold():
            self._path(ticket, _DRAWN).unlink(missing_ok=True)

    @contextmanager
    def take(self, run_id: str) -> Iterator[Ticket]:
        """Hold the ticket of a run within a `with` statement, in the process of the run.

        Raises:
            RunError: The run has no ticket, because its process started too late.
        """
        with self.hold() as tickets:
            found = [ticket for ticket in tickets if ticket.run_id == run_id]
            if not found or not self._path(found[0], _DRAWN).exists():
                raise RunError(
                    f"Found no ticket for run {run_id}: its process took more than "
                    f"{START_SECONDS:.0f} seconds to start, so its ticket expired. Resume the run "
                    "when the machine is less busy."
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
        """List the tickets of live runs and remove those of dead runs."""
        paths: dict[Ticket, list[Path]] = {}
        for path in sorted(self._folder.iterdir()):
            if path.suffix in {_DRAWN, _TAKEN}:
                paths.setdefault(_read_ticket(path), []).append(path)
        # A process that was killed as it took its ticket leaves it as drawn and as taken.
        alive = {ticket: _is_alive(files[-1]) for ticket, files in paths.items()}
        for ticket in paths:
            if not alive[ticket]:
                self._remove(ticket)
        return [ticket for ticket in paths if alive[ticket]]

    def _remove(self, ticket: Ticket) -> None:
        for suffix in (_DRAWN, _TAKEN, _WORKING):
            self._path(ticket, suffix).unlink(missing_ok=True)

    def _path(self, ticket: Ticket, suffix: str) -> Path:
        return self._folder / f"{ticket.number:08d}-{ticket.run_id}{suffix}"


def open_queue(settings: Settings) -> Queue:
    """Return the queue of runs."""
    return Queue(settings.runs_dir / "queue")


def _read_ticket(path: Path) -> Ticket:
    number, dash, run_id = path.stem.partition("-")
    if not (number.isdecimal() and dash and run_id and path.is_file()):
        raise RunError(
            f"Found {path} in the queue of runs, which holds tickets alone: files called "
            f'"NUMBER-RUN{path.suffix}". Remove it.'
        )
    return Ticket(int(number), run_id, path.with_suffix(_WORKING).exists())


def _is_alive(path: Path) -> bool:
    if path.suffix == _DRAWN:
        # A time in the future, after the clock was set back, counts as recent.
        return time.time() - path.stat().st_mtime < START_SECONDS
    try:
        with FileLock(path, timeout=0, fallback_to_soft=False):
            return False
    except Timeout:
        return True
