"""This build beside an earlier one from git, each with its own bundled network.

Both are taken from git's history or from this checkout as they are, with the packages of this
environment. So the rows stay right whichever network a later commit bundles.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.settings import PROJECT_ROOT
from tests.benchmarks.timing import Row, milliseconds

BEFORE = "b36f265"  # four views at 192 × 192 and the out-of-distribution check
_NUM_WARMUPS, _NUM_ROUNDS = 5, 60
_NUM_PHOTOGRAPHS, _NUM_BATCHES = 1000, 3
# Runs with the code of either build: names that both have, and no other.
_READER = """
import sys, time
from pathlib import Path
from melanoma_core.data.images import decode_image
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.reading import read_photograph
data = Path(sys.argv[1]).read_bytes()
classifier = load_classifier(Path(sys.argv[2]) if sys.argv[2:] else BUNDLED)
for _ in sys.stdin:
    started = time.perf_counter()
    read_photograph(classifier, decode_image(data), is_drawn=True).heatmaps()
    print(time.perf_counter() - started, flush=True)
"""


def measure(model: Path | None = None) -> Iterable[Row]:
    """One reading with every heatmap, then photographs per second on the command line.

    Args:
        model: Folder of the model of this build; None is the bundled one.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        before = folder / "before"
        check_out(BEFORE, before)
        seconds = time_alternately(
            {
                "here": stack.enter_context(_open_reader(PROJECT_ROOT, model)),
                "before": stack.enter_context(_open_reader(before, None)),
            },
            _NUM_ROUNDS,
            _NUM_WARMUPS,
        )
        yield describe(
            "one reading of a 600×450 JPEG with all 8 heatmaps, median (least)", seconds, show
        )
        paths = _copy_photographs(folder)
        seconds = time_alternately(
            {
                "here": partial(_predict, PROJECT_ROOT, paths),
                "before": partial(_predict, before, paths),
            },
            _NUM_BATCHES,
            0,
        )
        yield describe(
            f"{_NUM_PHOTOGRAPHS:,} such photographs on the command line, its start included",
            seconds,
            _show_pace,
        )


def check_out(commit: str, folder: Path) -> None:
    """Write the files of a commit to a new folder, without a trace in the repository."""
    folder.mkdir()
    archive = subprocess.run(
        ["git", "-C", PROJECT_ROOT, "archive", commit], check=True, capture_output=True
    )
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)


def time_alternately(
    actions: dict[str, Callable[[], float]], num_rounds: int, num_warmups: int
) -> dict[str, list[float]]:
    """Return the seconds that each action says it took, all of them run once in every round."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for round_number in range(num_warmups + num_rounds):
        for name, action in actions.items():
            taken = action()
            if round_number >= num_warmups:
                seconds[name].append(taken)
    return seconds


def describe(
    what: str, seconds: dict[str, list[float]], format_seconds: Callable[[list[float]], str]
) -> Row:
    """Return the row of two builds; both ratios are of `before` by `here`.

    >>> describe("it", {"here": [1.0, 2.0, 3.0], "before": [4.0, 6.0, 9.0]}, str)[-1]
    '3.0 times faster by the median, 4.0 by the least'
    """
    here, before = seconds["here"], seconds["before"]
    by_median = statistics.median(before) / statistics.median(here)
    return (
        what,
        format_seconds(here),
        f"the same at commit {BEFORE}, with its own network",
        format_seconds(before),
        f"{by_median:.1f} times faster by the median, {min(before) / min(here):.1f} by the least",
    )


def show(seconds: list[float]) -> str:
    """Return the median and the least: a busy machine changes the former more.

    >>> show([0.003, 0.001, 0.002])
    '2.0 ms (1.0 ms)'
    """
    return f"{milliseconds(statistics.median(seconds))} ({milliseconds(min(seconds))})"


def _show_pace(seconds: list[float]) -> str:
    return f"{_NUM_PHOTOGRAPHS / statistics.median(seconds):.0f} /s"


@contextmanager
def _open_reader(root: Path, model: Path | None) -> Iterator[Callable[[], float]]:
    """Start a process with the code in `root` that reads a photograph whenever it is asked to."""
    command = [sys.executable, "-c", _READER, str(DEMONSTRATION_LESIONS[0].path)]
    process = subprocess.Popen(
        command if model is None else [*command, str(model)],
        cwd=root,
        env=_make_environment(root),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    requests, answers = process.stdin, process.stdout
    assert requests is not None
    assert answers is not None

    def read() -> float:
        requests.write("\n")
        return float(answers.readline())

    try:
        yield read
    finally:
        requests.close()
        process.wait()
        answers.close()


def _predict(root: Path, paths: list[Path]) -> float:
    command = [sys.executable, "-m", "melanoma_core", "predict", "--json", *map(str, paths)]
    started = time.perf_counter()
    subprocess.run(command, cwd=root, env=_make_environment(root), check=True, capture_output=True)
    return time.perf_counter() - started


def _make_environment(root: Path) -> dict[str, str]:
    """Return an environment in which `melanoma_core` is that of `root`, with its bundled model."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MELANOMA_")}
    return kept | {"PYTHONPATH": str(root)}


def _copy_photographs(folder: Path) -> list[Path]:
    paths = [folder / f"{number}.jpg" for number in range(_NUM_PHOTOGRAPHS)]
    for number, path in enumerate(paths):
        lesion = DEMONSTRATION_LESIONS[number % len(DEMONSTRATION_LESIONS)]
        path.write_bytes(lesion.path.read_bytes())
    return paths
