"""What is counted and measured, in the text format of Prometheus.

No label holds a name of a person, a file or a token: labels are routes, methods, statuses, kinds of
refusals, and nothing that a request can choose.
"""

from collections.abc import Callable, Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from melanoma_core.reading.tally import READ, list_counts
from melanoma_core.software import VERSION

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class _Pages(Collector):
    """Collects what the pages beside the API have read, in the same process."""

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Return the photographs that were read, and those refused by their kind."""
        counts = list_counts()
        yield CounterMetricFamily(
            "melanoma_page_readings", "Photographs that were read on the pages.", counts.pop(READ)
        )
        refusals = CounterMetricFamily(
            "melanoma_page_refusals", "Photographs that were refused there.", labels=["kind"]
        )
        for kind, number in sorted(counts.items()):
            refusals.add_metric([str(kind)], number)
        yield refusals


class Metrics:
    """The metrics of one server.

    Args:
        count_in_flight: Returns how many photographs arrive, wait or are read now.
        measure_memory: Returns the memory of the processes that read, in bytes.
    """

    def __init__(
        self, count_in_flight: Callable[[], float], measure_memory: Callable[[], float]
    ) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._readings = self._count("readings", "Photographs that were read.")
        self._refusals = self._count("refusals", "Photographs that were refused.", "kind")
        self._requests = self._count("requests", "Answers.", "method", "route", "status")
        self._cancelled = self._count("cancelled", "Requests whose sender left before the answer.")
        self._waited = self._time("waiting_seconds", "From the arrival of a photograph to its turn")
        self._read = self._time("reading_seconds", "From the turn of a photograph to its reading")
        self._answered = self._time("answer_seconds", "From a request to its answer", "route")
        gauges = {
            "in_flight": ("Photographs that arrive, wait or are read.", count_in_flight),
            "reader_memory_bytes": ("Memory of the processes that read.", measure_memory),
        }
        for name, (text, measure) in gauges.items():
            gauge = Gauge(f"melanoma_{name}", text, registry=self._registry)
            gauge.set_function(measure)
        self._registry.register(_Pages())
        build = Gauge("melanoma_build_info", "Version.", ["version"], registry=self._registry)
        build.labels(VERSION).set(1)

    def count_result(self, refusal: str | None) -> None:
        """Count a photograph, by its kind of refusal; None if it was read."""
        if refusal is None:
            self._readings.inc()
        else:
            self._refusals.labels(refusal).inc()

    def time_reading(self, waited: float, read: float) -> None:
        """Observe the seconds that a photograph waited for its turn, and those of its reading."""
        self._waited.observe(waited)
        self._read.observe(read)

    def count_answer(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer, and observe the seconds that it took."""
        self._requests.labels(method, route, str(status)).inc()
        self._answered.labels(route).observe(seconds)

    def count_cancelled(self) -> None:
        """Count a request whose sender left before the answer."""
        self._cancelled.inc()

    def write(self) -> bytes:
        """Return all of it as text."""
        return generate_latest(self._registry)

    def _count(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"melanoma_{name}", text, labels, registry=self._registry)

    def _time(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(
            f"melanoma_{name}", f"{text}.", labels, registry=self._registry, buckets=_SECONDS
        )
