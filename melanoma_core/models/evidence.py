"""The evidence pack: one JSON per model version, with all that is known of it.

It lies beside the card as `evidence.json` and holds the card, every figure, curve and slice that
was measured, the search for leaks, the hashes of the data, and how the training went. Whatever is
not known is missing in it, and shown as "not provided".
"""

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psutil

from melanoma_core.errors import ModelError
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.jsonable import dump_json, from_jsonable, to_jsonable
from melanoma_core.models.card import ModelCard, load_card

EVIDENCE_NAME = "evidence.json"
_FORMAT = 1


@dataclass(frozen=True)
class TrainingLog:
    """How a network was trained.

    Attributes:
        run_id: Of the record; empty where there is none.
        run_name: For people.
        data_name: What the data is called, for people.
        started_at: UTC, ISO 8601; empty where unknown.
        curves: Rows of epoch, subset, metric, value: what was measured after each epoch.
    """

    run_id: str
    run_name: str
    data_name: str
    started_at: str
    curves: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Machine:
    """What a network was trained and measured on.

    Attributes:
        system: Of the operating system, with its release.
        processor: Its architecture.
        num_cores: Logical ones.
        memory_bytes: In all.
        python: Version.
        accelerators: As the library of training names them; empty where there is none.
    """

    system: str
    processor: str
    num_cores: int
    memory_bytes: int
    python: str
    accelerators: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What the file holds besides the card.

    Attributes:
        evaluations: All that was measured, by subset ("test", "test/<collection>"); none where
            figures are withheld.
        test_sha256: Hash of the test photographs and their labels (`lineage.hash_images`).
        split: Rows of the split by subset, new images and inherited ones included.
        training: How it was trained, or None where nobody knows.
        machine: On what, or None.
    """

    evaluations: dict[str, Evaluation]
    test_sha256: str
    split: dict[str, int]
    training: TrainingLog | None
    machine: Machine | None


def describe_machine(accelerators: Sequence[str] = ()) -> Machine:
    """Return what this process runs on, without the machine's name, which is nobody's business."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        processor=platform.machine(),
        num_cores=psutil.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        python=platform.python_version(),
        accelerators=tuple(accelerators),
    )


def describe_evidence(card: ModelCard, evidence: Evidence | None) -> dict[str, Any]:
    """Return card and evidence as one document; what nobody knows is null."""
    known: dict[str, Any] = {"format": _FORMAT, "card": to_jsonable(card)}
    if evidence is None:
        unknown = ("evaluations", "test_sha256", "split", "training", "machine")
        return known | dict.fromkeys(unknown)
    return known | to_jsonable(evidence)


def write_evidence(folder: Path, card: ModelCard, evidence: Evidence) -> None:
    """Write the evidence pack of a model beside its card."""
    text = dump_json(describe_evidence(card, evidence))
    (folder / EVIDENCE_NAME).write_text(text + "\n", encoding="utf-8")


def read_evidence(folder: Path) -> Evidence | None:
    """Return the evidence of the model in `folder`; None where it has none.

    Raises:
        ModelError: The file is damaged, or it is of another card than the one beside it.
    """
    path, card = folder / EVIDENCE_NAME, load_card(folder)
    try:
        raw = json.loads(path.read_text("utf-8"))
        if raw["card"]["model_id"] != card.model_id or raw["card"]["files"] != card.files:
            raise ValueError("it is of another model than the card beside it")
        withheld = card.leakage is not None and card.leakage.found > 0
        names = [field.name for field in fields(Evidence)]
        known = {name: raw[name] for name in names} | ({"evaluations": {}} if withheld else {})
        return from_jsonable(Evidence, known)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"Cannot read the evidence {path} ({error}). Restore the file from its source, or "
            "remove it: the card alone is shown then."
        ) from error
