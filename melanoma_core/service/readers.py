"""The processes that read photographs for the API, and the queue before them.

Each process reads one photograph at a time, in the order in which they came. A file that brings its
process down, or takes too long, is refused; its process is replaced, and no other photograph
is lost. Photographs pass through pipes and are never written to disk.
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import loky
import psutil
from loky.process_executor import BrokenProcessPool

from melanoma_core.service.job import Result, Upload, load_model, prepare_process, read_upload
from melanoma_core.service.problems import Problem

READING_SECONDS = 60.0
"""Of one photograph. One of 64 megapixels takes 3, and a decoder is stopped after 20."""
_RETRY_SECONDS = 2
T = TypeVar("T")


class _Reader:
    """One process."""

    def __init__(self) -> None:
        self._start()

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a function in the process, which is replaced if it ends or takes too long."""
        future = asyncio.wrap_future(self._executor.submit(function, *arguments))
        try:
            return await asyncio.wait_for(future, READING_SECONDS)
        except TimeoutError:
            self._restart()
            raise Problem(
                503,
                f"The photograph was not read within {READING_SECONDS:g} seconds, the limit. Save "
                "it as an ordinary JPEG, and send that.",
            ) from None
        except BrokenProcessPool:
            self._restart()
            raise Problem(
                503,
                "The process that read the photograph ended, because memory ran out or because the "
                "file is damaged. Save it as an ordinary JPEG, and send that.",
                {"Retry-After": str(_RETRY_SECONDS)},
            ) from None

    def end(self) -> None:
        """End the process, whatever it does."""
        self._executor.shutdown(wait=False, kill_workers=True)

    def _start(self) -> None:
        self._executor = loky.ProcessPoolExecutor(1, initializer=prepare_process)

    def _restart(self) -> None:
        self.end()
        self._start()


class Readers:
    """All processes, and who waits for one. Belongs to one event loop.

    Args:
        num_readers: Number of processes, at least 1.
        capacity: Largest number of photographs that arrive, wait or are read at the same time.
    """

    def __init__(self, num_readers: int, capacity: int) -> None:
        self.num_in_flight = 0
        self._capacity = capacity
        self._readers = [_Reader() for _ in range(num_readers)]
        self._idle: asyncio.Queue[_Reader] = asyncio.Queue()
        for reader in self._readers:
            self._idle.put_nowait(reader)

    @contextmanager
    def admit(self) -> Generator[None, None, None]:
        """Have a place for one photograph in a `with` statement, before it arrives.

        Raises:
            Problem: All places are taken.
        """
        if self.num_in_flight >= self._capacity:
            raise Problem(
                429,
                f"Found {self.num_in_flight} photographs that wait, the limit. Send this one again "
                f"in {_RETRY_SECONDS} seconds.",
                {"Retry-After": str(_RETRY_SECONDS)},
            )
        self.num_in_flight += 1
        try:
            yield
        finally:
            self.num_in_flight -= 1

    async def read(self, folder: Path, upload: Upload, on_start: Callable[[], object]) -> Result:
        """Read a photograph when its turn comes. Cancelled before, it is never read.

        Args:
            folder: Folder of the model.
            upload: The photograph.
            on_start: Called when its turn has come.

        Raises:
            Problem: Its process ended, or it took too long.
            ModelError: The model is missing or damaged.
        """
        reader = await self._idle.get()
        on_start()
        return await self._finish(reader, read_upload, folder, upload)

    async def load(self, folder: Path) -> str:
        """Load a model in one of the processes, and return its id.

        Raises:
            Problem: The process ended, or it took too long.
            ModelError: The model is missing or damaged.
        """
        return await self._finish(await self._idle.get(), load_model, folder)

    async def warm(self, folder: Path) -> None:
        """Load a model in all processes, so that the first readings do not wait for it.

        What goes wrong here goes wrong again, and is explained, when a photograph is read.
        """
        await asyncio.gather(*(self.load(folder) for _ in self._readers), return_exceptions=True)

    def measure_memory(self) -> int:
        """Return the resident memory of all processes that this one has started, in bytes."""
        total = 0
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):  # it has ended
                total += process.memory_info().rss
        return total

    def close(self) -> None:
        """End all processes."""
        for reader in self._readers:
            reader.end()

    async def _finish(self, reader: _Reader, function: Callable[..., T], *arguments: object) -> T:
        """Call a function in a process, which is idle again when it is done, even if cancelled."""
        task = asyncio.create_task(reader.run(function, *arguments))
        task.add_done_callback(lambda done: self._give_back(reader, done))
        return await asyncio.shield(task)

    def _give_back(self, reader: _Reader, task: "asyncio.Task[T]") -> None:
        if not task.cancelled():
            task.exception()  # seen, also if who asked has gone
        self._idle.put_nowait(reader)
