"""The tracking store of all runs, kept by MLflow, so that `mlflow ui` and other tools read it.

Only this module imports MLflow, and only when it is used, because the import takes seconds.
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from melanoma_core.errors import RunError
from melanoma_core.runs.patience import Pause, wait_for
from melanoma_core.runs.run import RunState
from melanoma_core.settings import Settings, set_environment_defaults

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

_EXPERIMENT = "melanoma"
_ARTIFACTS = "artifacts"
_VARIABLES = {
    # MLflow sends usage statistics unless these are set.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # MLflow would wait for a server for 120 s, seven times; a page cannot.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "60",
}
_OPEN_SECONDS = 15.0  # for a server or its driver to answer when it is opened
_LOCK_SECONDS = 60.0  # for other processes that open the store, the first of which may create it
_STATUS = {
    RunState.QUEUED: "SCHEDULED",
    RunState.RUNNING: "RUNNING",
    RunState.FINISHED: "FINISHED",
    RunState.FAILED: "FAILED",
    RunState.STOPPED: "KILLED",
    RunState.INTERRUPTED: "KILLED",
}
_OVER = ("FINISHED", "FAILED", "KILLED")
_ACTIVE = " and ".join(f"attributes.status != '{s}'" for s in _OVER)
_REFRESH_SECONDS = 10.0  # until changes of finished runs by other processes are seen
_METRICS_PER_CALL = 500  # MLflow accepts 1,000
_MAX_PART = 100  # characters of a part of a metric's name, which may have 250
_opening = threading.Lock()
LEARNING_RATE, BATCH_LOSS = "learning_rate", "batch/loss"  # metric names


@dataclass(frozen=True)
class Measurement:
    """One value of a metric.

    Attributes:
        name: Such as "validation/loss"; see `name_metric`.
        step: Position on the curve.
        value: The value; may be NaN.
        time_ms: Time of the measurement, in ms since 1970.
    """

    name: str
    step: int
    value: float
    time_ms: int


@dataclass(frozen=True)
class RecordedRun:
    """The entry of a run in the tracking store, without its curves.

    Attributes:
        run_id: MLflow's run id.
        name: Display name.
        created_at: UTC, ISO 8601.
        params: The fields of its recipe, as text.
        tags: Everything else.
        is_open: Whether MLflow's own status is that of a run that is not over.
        latest: Last step of each metric and its time in ms since 1970.
    """

    run_id: str
    name: str
    created_at: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    is_open: bool
    latest: Mapping[str, tuple[int, int]]


class Record:
    """An MLflow tracking store, for any number of threads. Every method may raise RunError.

    Args:
        client: MLflow's client.
        experiment_id: Id of the experiment that holds the runs.
        uri: The address of the store.
    """

    def __init__(self, client: "MlflowClient", experiment_id: str, uri: str) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._uri = uri
        self._lock = threading.Lock()
        self._known: dict[str, RecordedRun] = {}
        self._active: set[str] = set()
        self._refreshed_at = -_REFRESH_SECONDS

    def create(self, name: str, params: Mapping[str, str], tags: Mapping[str, str]) -> str:
        """Record a new queued run, and return its id."""
        from mlflow.entities import Param

        with self.explain_errors():
            known = {key: _as_text(value) for key, value in tags.items()}
            run = self._client.create_run(self._experiment_id, run_name=_as_text(name), tags=known)
            run_id: str = run.info.run_id
            fields = [Param(key, _as_text(value)) for key, value in params.items()]
            self._client.log_batch(run_id, params=fields)
            self._client.update_run(run_id, _STATUS[RunState.QUEUED])
        self._forget()
        return run_id

    def search(self) -> list[RecordedRun]:
        """Return all runs, the newest first.

        Runs that are over are cached for some seconds, because a page asks every two seconds and
        reading a hundred runs takes a fifth of a second.
        """
        with self._lock, self.explain_errors():
            active = {run.run_id: run for run in self._query(_ACTIVE)}
            is_old = time.monotonic() - self._refreshed_at > _REFRESH_SECONDS
            if is_old or active.keys() != self._active:
                self._known = {run.run_id: run for run in self._query("")}
                self._refreshed_at = time.monotonic()
            else:
                self._known |= active
            self._active = set(active)
            return list(self._known.values())

    def get(self, run_id: str) -> RecordedRun:
        """Return one run as it is now."""
        with self.explain_errors(run_id):
            run = self._client.get_run(run_id)
            if run.info.lifecycle_stage != "active":
                raise _no_run(run_id)
            return _read_run(run)

    def set_state(self, run_id: str, state: RunState, tags: Mapping[str, str]) -> None:
        """Change the state of a run and its tags, and MLflow's own status."""
        self.log(run_id, (), {"state": state, **tags})
        with self.explain_errors(run_id):
            if state.is_over:
                self._client.set_terminated(run_id, _STATUS[state])
            else:
                self._client.update_run(run_id, _STATUS[state])
        self._forget()

    def log(
        self, run_id: str, measurements: Sequence[Measurement], tags: Mapping[str, str]
    ) -> None:
        """Add measurements to the curves of a run and change its tags."""
        from mlflow.entities import Metric, RunTag

        metrics = [Metric(m.name, m.value, m.time_ms, m.step) for m in measurements]
        with self.explain_errors(run_id):
            for i in range(0, len(metrics), _METRICS_PER_CALL):
                self._client.log_batch(run_id, metrics=metrics[i : i + _METRICS_PER_CALL])
            if tags:
                changed = [RunTag(key, _as_text(value)) for key, value in tags.items()]
                self._client.log_batch(run_id, tags=changed)

    def read_history(
        self, run_id: str, name: str, stamp: object
    ) -> Sequence[tuple[int, int, float]]:
        """Return the time (ms since 1970), step and value of all measurements of a metric.

        Args:
            run_id: Id of the run.
            name: Name of the metric.
            stamp: A value that changes when there are new measurements. Results are cached by it.
        """
        with self.explain_errors(run_id):
            return _read_history(self._client, run_id, name, stamp)

    def delete(self, run_id: str) -> None:
        """Mark a run as deleted; `mlflow gc` removes it from the database."""
        with self.explain_errors(run_id):
            self._client.delete_run(run_id)
        self._forget()

    def keep_file(self, run_id: str, path: Path) -> None:
        """Store a copy of a file as an artifact of the run."""
        with self.explain_errors(run_id):
            self._client.log_artifact(run_id, str(path))

    def fetch_file(self, run_id: str, name: str) -> Path:
        """Return a copy of an artifact of the run."""
        with self.explain_errors(run_id):
            if not any(file.path == name for file in self._client.list_artifacts(run_id)):
                raise RunError(
                    f"Found no {name} of run {run_id}. A run stores it when its training is over. "
                    "Wait for that, or resume the run."
                )
            return Path(self._client.download_artifacts(run_id, name))

    def _query(self, condition: str) -> Iterator[RecordedRun]:
        token: str | None = None
        while token != "":
            page = self._client.search_runs(
                [self._experiment_id], condition, max_results=1000, page_token=token
            )
            yield from map(_read_run, page)
            token = page.token or ""

    def _forget(self) -> None:
        with self._lock:
            self._refreshed_at = -_REFRESH_SECONDS

    @property
    def client(self) -> "MlflowClient":
        """MLflow's client, for the model registry in the same store (`deployment.versions`)."""
        return self._client

    @contextmanager
    def explain_errors(self, run_id: str | None = None) -> Iterator[None]:
        """Turn exceptions of MLflow into a `RunError`, within a `with` statement."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        with _find_pause(self._uri).watch():
            try:
                yield
            except MlflowException as error:
                if run_id and error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    raise _no_run(run_id) from error
                raise _unusable(self._uri, error) from error
            # The others come from damaged pages of a database and from a folder of artifacts.
            except (SQLAlchemyError, OSError, UnicodeError) as error:
                raise _unusable(self._uri, error) from error


def has_record(settings: Settings) -> bool:
    """Return whether there may be runs, without importing MLflow."""
    file = settings.tracking_uri.removeprefix("sqlite:///")
    return file == settings.tracking_uri or Path(file.partition("?")[0]).exists()


def open_record(settings: Settings) -> Record:
    """Return the tracking store, opened once per process.

    Raises:
        RunError: The folder cannot be written, or the store cannot be used.
    """
    with _opening, _find_pause(settings.tracking_uri).watch():
        return _open(settings.tracking_uri, settings.runs_dir)


@cache
def _find_pause(uri: str) -> Pause:  # noqa: ARG001  # one for each store
    return Pause()


@cache
def _open(uri: str, runs_dir: Path) -> Record:
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(runs_dir / "record.lock", timeout=_LOCK_SECONDS, fallback_to_soft=False)
        lock.acquire()
    except Timeout as error:
        raise RunError(
            f"Found {runs_dir / 'record.lock'} locked by another process for {_LOCK_SECONDS:.0f} "
            "seconds. Try again when it has opened the run history, or end it."
        ) from error
    except OSError as error:
        raise RunError(
            f"Cannot keep runs in {runs_dir} ({error.strerror}). Set MELANOMA_RUNS_DIR to a "
            "writable folder."
        ) from error
    # Without the lock, one of two processes that create a new database at once would fail.
    try:
        return _connect(uri, runs_dir)
    finally:
        lock.release()


def _connect(uri: str, runs_dir: Path) -> Record:
    set_environment_defaults(_VARIABLES)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    is_sqlite = uri.startswith("sqlite:")
    # A server chooses its own place for artifacts.
    artifacts = (runs_dir / _ARTIFACTS).as_uri() if is_sqlite else None

    def connect() -> tuple[MlflowClient, str]:
        # While one process writes, others wait, on a busy machine longer than the default 5 s.
        client = MlflowClient(f"{uri}?timeout=30" if is_sqlite and "?" not in uri else uri)
        experiment = client.get_experiment_by_name(_EXPERIMENT)
        if experiment:
            return client, experiment.experiment_id
        return client, client.create_experiment(_EXPERIMENT, artifacts)

    try:
        # A new database in a file is made by dozens of steps, which a busy disk may not do in time.
        client, experiment_id = connect() if is_sqlite else wait_for(connect, _OPEN_SECONDS)
    # An ImportError where no driver for the database is installed; a ValueError where the address
    # is none.
    except (MlflowException, SQLAlchemyError, OSError, ImportError, ValueError) as error:
        raise _unusable(uri, error) from error
    return Record(client, experiment_id, uri)


@lru_cache(maxsize=4096)
def _read_history(
    client: "MlflowClient",
    run_id: str,
    name: str,
    stamp: object,  # noqa: ARG001  # part of the key
) -> tuple[tuple[int, int, float], ...]:
    history = client.get_metric_history(run_id, name)
    return tuple((metric.timestamp, metric.step, metric.value) for metric in history)


def _read_run(run: "MlflowRun") -> RecordedRun:
    created = datetime.fromtimestamp(run.info.start_time / 1000, UTC)
    return RecordedRun(
        run_id=run.info.run_id,
        name=run.info.run_name,
        created_at=created.isoformat(timespec="milliseconds"),
        params=run.data.params,
        tags=run.data.tags,
        is_open=run.info.status not in _OVER,
        latest={m.key: (m.step, m.timestamp) for m in run.data._metric_objs},
    )


def name_metric(*parts: str) -> str:
    """Return a metric name that MLflow accepts, for any class name.

    Example:
        >>> name_metric("validation", "recall", "naevus (blue)")
        'validation/recall/naevus _blue_'
    """
    return "/".join(re.sub(r"[^\w.\- :]", "_", part)[:_MAX_PART] for part in parts)


def get_timestamp() -> str:
    """Return the current time in UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _no_run(run_id: str) -> RunError:
    return RunError(f'Found no run "{run_id}". `python -m melanoma_core runs` lists them.')


def _unusable(uri: str, error: Exception) -> RunError:
    # Hidden in the whole address first: within a text, an address ends at the first space.
    scheme, separator, rest = uri.partition("://")
    place = f"{scheme}{separator}…@{rest.rpartition('@')[2]}" if "@" in rest else uri
    first_line = next(iter(str(error).splitlines()), "") or type(error).__name__
    first_line = first_line.replace(uri, place).rstrip(".")
    if first_line.endswith("malformed"):  # SQLite's word for damaged pages
        first_line += ", because a part of the file was overwritten or lost"
    return RunError(
        f"Cannot use the run history at {place}: {first_line}. Check that it can be reached and "
        "written, or set MLFLOW_TRACKING_URI to another store."
    )


def _as_text(value: str) -> str:
    """Replace surrogates, from file names that are not valid text, which no database accepts."""
    return value.encode("utf-8", "backslashreplace").decode()
