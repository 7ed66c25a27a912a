"""The evidence pack: one JSON file per model with all its evaluation results.

`evidence.json` is beside the card. It contains the card, every metric, curve and subgroup, the
result of the leakage check, the hashes of the data, and the training log. What is unknown is
missing, and shown as "not provided".
"""

import platform
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypedDict

import psutil

from melanoma_core.errors import ModelError
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.flow import ReadingFlow
from melanoma_core.jsonable import dump_json, from_jsonable, load_json, to_jsonable
from melanoma_core.models.card import ModelCard, load_card

_EVIDENCE_NAME = "evidence.json"
_FORMAT = 1
_WITHHELD: dict[str, Any] = {
    "evaluations": {},
    "flow": None,
    "outlines": None,
}  # where there is leakage


class EpochMetric(TypedDict):
    """A metric after an epoch, as a row of the learning curves."""

    epoch: int
    subset: str
    metric: str
    value: float


@dataclass(frozen=True)
class TrainingLog:
    """How a network was trained.

    Attributes:
        run_id: Id of the run; empty if there is no run.
        run_name: Name of the run, for people.
        data_name: Name of the dataset, for people.
        started_at: UTC, ISO 8601; empty if unknown.
        curves: The metrics after each epoch.
    """

    run_id: str
    run_name: str
    data_name: str
    started_at: str
    curves: tuple[Annotated[dict[str, Any], EpochMetric], ...] = ()


@dataclass(frozen=True)
class Machine:
    """The computer that a network was trained on.

    Attributes:
        system: Operating system with its release.
        processor: Architecture of the processor.
        num_cores: Number of logical cores.
        memory_bytes: Size of the memory.
        python: Python version.
        accelerators: Accelerators, as the training library names them.
    """

    system: str
    processor: str
    num_cores: int
    memory_bytes: int
    python: str
    accelerators: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """The content of the evidence pack besides the card.

    Attributes:
        evaluations: Evaluations by subset ("test", "test/<collection>"); empty if metrics are
            withheld because of leakage.
        test_sha256: Hash of the test photographs and their labels (`lineage.hash_images`).
        split: Number of rows of the split by subset, including inherited ones.
        training: The training log; None if unknown.
        machine: The computer; None if unknown.
        flow: What a reading makes of the test photographs, refusals included; None if unknown, or
            if metrics are withheld.
        outlines: Agreement of drawn outlines with manually drawn ones, by subset and name
            (`assessment.outlines`); None if the model draws none, or if metrics are withheld.
    """

    evaluations: dict[str, Evaluation]
    test_sha256: str
    split: dict[str, int]
    training: TrainingLog | None
    machine: Machine | None
    flow: ReadingFlow | None = None
    outlines: dict[str, dict[str, Figure]] | None = None


class _Owner(TypedDict):
    """What the evidence repeats of the card that it belongs to."""

    model_id: str
    files: dict[str, str]


class _Document(TypedDict):
    card: _Owner


def describe_machine(accelerators: Sequence[str] = ()) -> Machine:
    """Return the computer that this process runs on, without its private host name."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        processor=platform.machine(),
        num_cores=psutil.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        python=platform.python_version(),
        accelerators=tuple(accelerators),
    )


def describe_evidence(card: ModelCard, evidence: Evidence | None) -> dict[str, Any]:
    """Return card and evidence as one JSON document. What is unknown is null."""
    document: dict[str, Any] = {"format": _FORMAT, "card": to_jsonable(card)}
    if evidence is None:
        unknown = ("evaluations", "test_sha256", "split", "training", "machine", "flow", "outlines")
        return document | dict.fromkeys(unknown)
    return document | dict(to_jsonable(evidence))


def write_evidence(folder: Path, card: ModelCard, evidence: Evidence) -> None:
    """Write the evidence pack of a model beside its card."""
    text = dump_json(describe_evidence(card, evidence)) + "\n"
    (folder / _EVIDENCE_NAME).write_bytes(text.encode("utf-8", "replace"))  # as `ModelCard.save`


def read_evidence(folder: Path) -> Evidence | None:
    """Read the evidence pack of the model in `folder`; None if it has none.

    Raises:
        ModelError: The file is damaged, or does not belong to the card beside it.
    """
    path, card = folder / _EVIDENCE_NAME, load_card(folder)
    try:
        return _check_evidence(load_json(path.read_bytes()), card)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"Cannot read the evidence {path} ({error}). Restore the file from its source, or "
            "remove it. Without it, only the card is shown."
        ) from error


def _check_evidence(raw: Any, card: ModelCard) -> Evidence:
    """Return the evidence in a document, without evaluations if the card withholds its metrics.

    Raises:
        TypeError: A value is missing or has another type.
        ValueError: It belongs to another card, or does not fit together.
    """
    names = [field.name for field in fields(Evidence)]
    document = from_jsonable(_Document, raw)
    owner = document["card"]
    if (owner["model_id"], owner["files"]) != (card.model_id, card.files):
        raise ValueError("it belongs to another model than the card beside it")
    withheld = card.leakage is not None and card.leakage.found > 0
    known = {name: raw[name] for name in names if name in raw}
    evidence = from_jsonable(Evidence, known | (_WITHHELD if withheld else {}))
    for subset, evaluation in evidence.evaluations.items():
        sizes = {len(evaluation.confusion), *map(len, evaluation.confusion)}
        if sizes != {len(evaluation.class_names)}:
            raise ValueError(f"evaluations.{subset}.confusion: not a row and a column per class")
    return evidence
