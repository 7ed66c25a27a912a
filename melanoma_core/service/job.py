"""What a process of `readers` does: load a model, and read the content of a file with it.

It imports what reads photographs inside its functions: the server that asks needs none of it.
"""

import os
import signal
import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from melanoma_core.models.classifier import Classifier
    from melanoma_core.reading.reading import Reading

EXPLAINED = "explained"
"""Asks for the heatmap that the Reading page shows first."""
_LOADED_MODELS = 2
_WATCH_SECONDS = 1.0


@dataclass(frozen=True)
class Upload:
    """A photograph that was sent, and how it is to be read.

    Attributes:
        content: The file.
        name: Its name, for the answer alone.
        prevalence: Share of melanomas of the clinic, or that and the share of skin cancers; None
            for no adapted probabilities.
        read_anyway: Whether to read it even if it is out of distribution.
        heatmap: Diagnosis code, or `EXPLAINED`; None for no heatmap.
    """

    content: bytes = field(repr=False)
    name: str = field(repr=False)
    prevalence: tuple[float, ...] | None = None
    read_anyway: bool = False
    heatmap: str | None = None


@dataclass(frozen=True)
class Heatmap:
    """A heatmap to be laid over the photograph.

    Attributes:
        diagnosis: Code of the diagnosis that it explains.
        png: Transparent where there is no evidence, in the size of the upright photograph, at most
            2048 pixels on the longer side. It shows nothing of the photograph.
    """

    diagnosis: str
    png: bytes


@dataclass(frozen=True)
class Result:
    """What became of an upload.

    Attributes:
        row: As `melanoma predict --json` has it.
        refusal: Kind of refusal; None if it was read.
        heatmap: None if none was asked for, or nothing was read.
    """

    row: dict[str, Any]
    refusal: str | None = None
    heatmap: Heatmap | None = None


def prepare_process() -> None:
    """Leave signals to the server, which ends this process; and end when the server has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # both may be sent to all processes of a group
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def load_model(folder: Path) -> str:
    """Load a model, unless it is loaded, and return its id.

    Raises:
        ModelError: It is missing or damaged.
    """
    import melanoma_core.reading.reading
    import melanoma_core.reading.rows  # noqa: F401 - so that the first reading does not wait for it

    return _get_classifier(folder).card.model_id


def read_upload(folder: Path, upload: Upload) -> Result:
    """Read what was sent.

    Args:
        folder: Folder of the model.
        upload: The photograph.

    Raises:
        ModelError: The model is missing or damaged.
    """
    from melanoma_core.memory import return_freed_memory
    from melanoma_core.models.adaptation import make_prevalence
    from melanoma_core.reading.reading import Refusal, read_content
    from melanoma_core.reading.rows import describe_photograph

    classifier = _get_classifier(folder)
    card = classifier.card
    found = read_content(classifier, upload.content, read_anyway=upload.read_anyway)
    prevalence = make_prevalence(card, *upload.prevalence) if upload.prevalence else None
    row = describe_photograph(upload.name, found, card, prevalence)
    if isinstance(found, Refusal):
        result = Result(row, str(found.kind))
    else:
        result = Result(row, None, _draw_heatmap(found, upload.heatmap))
    del found
    return_freed_memory()  # decoded photographs took much more than what is sent back
    return result


def _draw_heatmap(reading: "Reading", asked: str | None) -> Heatmap | None:
    from melanoma_core.reading.overlay import encode_tint
    from melanoma_core.reading.ranking import choose_explained

    if asked is None:
        return None
    diagnosis = str(choose_explained(reading)) if asked == EXPLAINED else asked
    return Heatmap(diagnosis, encode_tint(reading.heatmap(diagnosis)))


def _get_classifier(folder: Path) -> "Classifier":
    from melanoma_core.models.card import CARD_NAME

    try:
        card = (folder / CARD_NAME).read_bytes()
    except OSError:
        card = b""  # `load_classifier` says what is wrong
    return _load(folder, card)


@lru_cache(maxsize=_LOADED_MODELS)
def _load(folder: Path, card: bytes) -> "Classifier":  # noqa: ARG001 - another card, another model
    from melanoma_core.models.classifier import load_classifier

    # Each process reads a photograph of its own, with one core.
    return load_classifier(folder, num_threads=1)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)
