"""What all requests of one server share: how it was started, its processes and its metrics."""

import asyncio
from pathlib import Path

from melanoma_core.errors import ModelError
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.registry import Serving, find_serving
from melanoma_core.service.metrics import Metrics
from melanoma_core.service.options import Options
from melanoma_core.service.problems import Problem
from melanoma_core.service.readers import Readers
from melanoma_core.settings import load_settings


class Service:
    """What all requests of one server share.

    Attributes:
        options: How it was started.
        metrics: What it counts.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.metrics = Metrics(self._count_in_flight, self._measure_memory)
        self._readers: Readers | None = None
        self._loaded: tuple[Path, ModelCard] | None = None

    @property
    def readers(self) -> Readers:
        """The processes that read; from `start` until `close`."""
        if self._readers is None:
            raise Problem(503, "The server is starting or stopping. Try again in a few seconds.")
        return self._readers

    async def start(self) -> None:
        """Start the processes, and let them load the model that reads."""
        readers = self._readers = Readers(self.options.num_readers, self.options.capacity)
        try:
            folder = find_serving(load_settings()).folder
        except ModelError:  # `check` says what is wrong
            return
        self._warming = asyncio.create_task(readers.warm(folder))

    async def close(self) -> None:
        """End the processes."""
        readers, self._readers = self._readers, None
        if readers is not None:
            readers.close()

    async def check(self) -> Serving:
        """Return the model that reads where none is named, after it has been loaded once.

        Raises:
            ModelError: It is missing or damaged.
            Problem: The processes are not there.
        """
        serving = await asyncio.to_thread(find_serving, load_settings())
        key = serving.folder, load_card(serving.folder)
        if self._loaded != key:
            await self.readers.load(serving.folder)
            self._loaded = key
        return serving

    def _count_in_flight(self) -> int:
        return self._readers.num_in_flight if self._readers else 0

    def _measure_memory(self) -> int:
        return self._readers.measure_memory() if self._readers else 0
