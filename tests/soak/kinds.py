"""The kinds of work that are killed."""

import importlib
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from melanoma_core.data.archive.download import DownloadPlan, download
from melanoma_core.data.archive.search import ArchiveImage
from melanoma_core.data.cache import FactCache
from melanoma_core.data.dataset import merge_records
from melanoma_core.data.drawn.dataset import write_demonstration_dataset
from melanoma_core.data.opening import open_folder
from melanoma_core.data.scanning import scan_files
from melanoma_core.data.splitting import Split, split_dataset
from melanoma_core.deployment.promotion import promote, propose, roll_back, synchronise_deployment
from melanoma_core.deployment.versions import EventKind, read_versions
from melanoma_core.files import make_draft, remove_dead_drafts
from melanoma_core.models.card import load_card
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.registry import BUNDLED, read_pointer
from melanoma_core.runs import control, worker
from melanoma_core.runs.folder import find_folder
from melanoma_core.runs.record import open_record
from melanoma_core.runs.run import RunSpec, RunState
from melanoma_core.settings import Settings, load_settings, set_environment_defaults
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.description import describe_data
from melanoma_core.training.recipe import make_recipe
from tests.drawn_models import write_model
from tests.soak.killing import Kind
from tests.soak.records import make_record_kind

_NUM_SCANNED, _NUM_DOWNLOADED = 320, 120
_LICENCE = "CC-BY"
Begin = Callable[[], object]


def make_kinds(place: Path) -> list[Kind]:
    """Return all kinds, which share what they need in a folder."""
    set_environment_defaults({"TF_CPP_MIN_LOG_LEVEL": "3", "MLFLOW_LOGGING_LEVEL": "WARNING"})
    # Imported here, but not used, so that no forked process waits for them.
    for name in ("mlflow.store.tracking.sqlalchemy_store", "onnxruntime", "tensorflow", "keras"):
        importlib.import_module(name)
    task = _make_task(place / "task")
    promoted = _Prepared(place / "promoted", _make_promoted)
    empty = _Prepared(place / "empty", _make_empty)
    return [
        _make_scan(place / "photographs"),
        Kind("promotion", 200, promoted.copy, _promote, _inspect_promotion),
        Kind("model write", 60, empty.copy, partial(_write_model, task), _inspect_models),
        _make_download(place / "archive"),
        Kind("run", 40, empty.copy, partial(_run, task), _inspect_runs),
        make_record_kind(500),
    ]


@dataclass(frozen=True)
class _Prepared:
    """A folder that is made once, in a process of its own, and copied before each kill."""

    folder: Path
    make: Callable[[Path], object]

    def copy(self, target: Path) -> None:
        if not self.folder.is_dir():
            process = os.fork()
            if not process:
                status = 1
                try:
                    self.make(self.folder)
                    status = 0
                finally:
                    os._exit(status)
            assert os.waitpid(process, 0)[1] == 0
        shutil.copytree(self.folder, target)


def _settle(folder: Path) -> Settings:
    return replace(
        load_settings(),
        runs_dir=folder / "runs",
        models_dir=folder / "models",
        cache_dir=folder / "cache",
        weights_dir=None,
        model=None,
        max_runs=1,
        tracking_uri=f"sqlite:///{folder / 'runs' / 'mlflow.db'}",
    )


def _draw(folder: Path, count: int) -> list[Path]:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    paths = [folder / f"ISIC_{number:07d}.jpg" for number in range(count)]
    for path in paths:
        small = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        small.resize((640, 480), Image.Resampling.BICUBIC).save(path)
    return paths


def _make_empty(folder: Path) -> None:
    open_record(_settle(folder))


# Scan


def _make_scan(place: Path) -> Kind:
    paths = _draw(place, _NUM_SCANNED)

    def work(folder: Path, begin: Begin) -> None:
        begin()
        scan_files(paths, FactCache(folder / "cache"))

    def inspect(folder: Path) -> list[str]:
        facts = scan_files(paths, FactCache(folder / "cache"))
        num_wrong = sum(fact.sha256 is None for fact in facts)
        return [f"{num_wrong} files are not measured"] if num_wrong else []

    return Kind("scan", 120, Path.mkdir, work, inspect)


# Promotion


def _make_promoted(folder: Path) -> None:
    settings = _settle(folder)
    write = partial(write_model, settings.models_dir, can_read=False)
    write("steady", missed=10, false_alerts=120)
    write("better", missed=4, false_alerts=100)
    proposal = propose(settings, "steady", load_card(BUNDLED).model_id)
    promote(settings, proposal, "Ada", "the first of its kind")


def _promote(folder: Path, begin: Begin) -> None:
    settings = _settle(folder)
    proposal = propose(settings, "better", "steady")
    open_record(settings)
    begin()
    promote(settings, proposal, "Ada")
    roll_back(settings, "Ben")


def _inspect_promotion(folder: Path) -> list[str]:
    settings = _settle(folder)
    pointer, events = read_pointer(settings.models_dir), read_versions(open_record(settings)).events
    wrong = []
    if pointer is None or pointer.model_id not in {event.model_id for event in events}:
        wrong.append("a model reads without an event")
    now = synchronise_deployment(settings)
    pointer = read_pointer(settings.models_dir)
    if now.deployed_id == now.previous_id:
        wrong.append("previous == deployed")
    if pointer is None or pointer.model_id != now.deployed_id:
        wrong.append("deployed.json differs from the alias")
    last = next(event for event in now.events if event.kind is not EventKind.REFUSED)
    if (last.model_id, last.previous_id) != (now.deployed_id, now.previous_id):
        wrong.append(f"the last event is of {last.model_id}, and {now.deployed_id} is deployed")
    if read_versions(open_record(settings)).pending:
        wrong.append("a change is still pending")
    return wrong


# Model write


def _make_task(place: Path) -> tuple[RunSpec, Split]:
    opened = open_folder(write_demonstration_dataset(place / "lesions"), FactCache(place / "cache"))
    dataset = merge_records(opened.records)
    split = split_dataset(dataset.table, seed=1)
    recipe = make_recipe("baseline", ["image_size=32", "batch_size=8", "epochs=2"])
    return RunSpec(recipe, tuple(Diagnosis), "lesions", describe_data(dataset, split)), split


def _write_model(task: tuple[RunSpec, Split], folder: Path, begin: Begin) -> None:
    from melanoma_core.networks.network import build_network
    from melanoma_core.networks.release import Origin, release_network
    from melanoma_core.training.preparation import prepare_split

    spec, split = task
    split = prepare_split(spec.recipe, split, folder, lambda *_: None)
    network = build_network(spec.recipe, len(spec.class_names), None)
    begin()
    origin = Origin(spec.recipe, spec.class_names, spec.data, split)
    release_network(network, origin, _settle(folder).models_dir)


def _inspect_models(folder: Path) -> list[str]:
    models_dir = _settle(folder).models_dir
    if not models_dir.is_dir():
        return []
    with make_draft(models_dir, ""):  # the next model
        pass
    wrong = [f"the draft {path.name} is left" for path in models_dir.glob(".draft-*")]
    for model in models_dir.glob("[!.]*"):
        load_classifier(model)
        if model.stat().st_mode & 0o777 != 0o777 & ~_get_umask():
            wrong.append(f"{model.name} cannot be read by others")
    return wrong


def _get_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# Download


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _make_download(place: Path) -> Kind:
    paths = _draw(place, _NUM_DOWNLOADED)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=place))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    images = tuple(
        ArchiveImage(
            path.stem,
            f"http://127.0.0.1:{server.server_port}/{path.name}",
            path.stat().st_size,
            _LICENCE,
            "a hospital",
            {},
        )
        for path in paths
    )

    def fetch(folder: Path) -> None:
        present = {path.stem for path in (folder / "images").glob("*.jpg")}
        download(DownloadPlan(folder / "images", images, frozenset(present), (), 2**40))

    def work(folder: Path, begin: Begin) -> None:
        begin()
        fetch(folder)

    def inspect(folder: Path) -> list[str]:
        wrong = _find_unlicensed(folder / "images")
        fetch(folder)
        wrong += _find_unlicensed(folder / "images")
        left = [path.name for path in (folder / "images").iterdir() if path.name[0] == "."]
        names = {path.name for path in (folder / "images").glob("*.jpg")}
        if left or names != {path.name for path in paths}:
            wrong.append(f"{len(names)} photographs and {left} are there after the next start")
        return wrong

    return Kind("download", 80, Path.mkdir, work, inspect)


def _find_unlicensed(folder: Path) -> list[str]:
    """Return the photographs without a licence, right after the kill."""
    names = {path.stem for path in folder.glob("*.jpg")}
    if not names:
        return []
    if not (folder / "metadata.csv").is_file() or not (folder / "ATTRIBUTION.txt").is_file():
        return [f"{len(names)} photographs have no table or no attribution"]
    table = pd.read_csv(folder / "metadata.csv", dtype=str)
    without = names - set(table["isic_id"][table["copyright_license"] == _LICENCE])
    return [f"{len(without)} photographs have no licence"] if without else []


# Run


def _run(task: tuple[RunSpec, Split], folder: Path, begin: Begin) -> None:
    """Launch a run and do its work in this process."""
    settings = _settle(folder)
    control.start_detached = lambda *_: 0  # type: ignore[assignment]
    open_record(settings)
    begin()
    run_id = control.launch(settings, *task)
    worker._run(find_folder(settings, run_id), settings)


def _inspect_runs(folder: Path) -> list[str]:
    """List the runs, resume one that was killed, and list them again."""
    settings = _settle(folder)
    control.start_detached = lambda *_: 0  # type: ignore[assignment]
    then = time.time() - 3600  # a minute passes, in which a process may take its ticket
    for path in (settings.runs_dir / "queue").glob("*.drawn"):
        os.utime(path, (then, then))
    wrong = []
    for run in control.list_runs(settings):
        if run.state in {RunState.QUEUED, RunState.RUNNING}:
            wrong.append(f"a dead run is {run.state}")
        if run.can_resume:
            control.resume_run(settings, run.run_id)
            worker._run(find_folder(settings, run.run_id), settings)
    remove_dead_drafts(settings.runs_dir)
    runs = control.list_runs(settings)
    wrong += [f"a run is {run.state}" for run in runs if run.state is not RunState.FINISHED]
    listed = {run.run_id for run in runs}
    recorded = {run.run_id for run in open_record(settings).search()}
    folders = {p.name for p in settings.runs_dir.glob("[!.]*") if len(p.name) == len("0" * 32)}
    if not listed == recorded == folders:
        wrong.append(f"{len(listed)} runs listed, {len(recorded)} recorded, {len(folders)} folders")
    if any(run.is_open for run in open_record(settings).search()):
        wrong.append("MLflow shows a run that is over as running")
    models = {path.name for path in settings.models_dir.glob("[!.]*")}
    if models != {run.model_id for run in runs}:
        wrong.append(f"{len(runs)} runs have {len(models)} models")
    drafts = [*settings.runs_dir.glob(".draft-*"), *settings.models_dir.glob(".draft-*")]
    return wrong + [f"the draft {path.name} is left" for path in drafts]
