"""`python -m tests.benchmarks`: print the speed table of docs/, measured in one run on one machine.

Every figure is a median. What is compared is measured in turn, round after round, so that a busy
moment of the machine falls on both. Names after the command run only some of the benchmarks.
"""

import os
import platform
import sys
from datetime import UTC, datetime

from tests.benchmarks import (
    batch,
    before,
    charts,
    evaluation,
    first_start,
    formats,
    lesion,
    lookalikes,
    memory,
    neighbours,
    novelty,
    page,
    people,
    reading,
    record_pages,
    records,
    rows,
    scan,
    service,
    sessions,
    start,
    training,
)

BENCHMARKS = {
    "reading": reading.measure,
    "before": before.measure,
    "formats": formats.measure,
    "lesion": lesion.measure,
    "novelty": novelty.measure,
    "start": start.measure,
    "page": page.measure,
    "rows": rows.measure,
    "records": records.measure,
    "record_pages": record_pages.measure,
    "batch": batch.measure,
    "memory": memory.measure,
    "people": people.measure,
    "sessions": sessions.measure,
    "service": service.measure,
    "scan": scan.measure,
    "neighbours": neighbours.measure,
    "lookalikes": lookalikes.measure,
    "charts": charts.measure,
    "evaluation": evaluation.measure,
    "training": training.measure,
}
ON_REQUEST = {"first_start": first_start.measure}  # needs a network


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all, and print a Markdown table."""
    print(
        f"Measured {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}.\n"
    )
    print("| what | here | compared with | that | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for name in names or BENCHMARKS:
        for row in (BENCHMARKS | ON_REQUEST)[name]():
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
