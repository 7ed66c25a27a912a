"""Which models there are, and which one reads."""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from melanoma_core.errors import ModelError
from melanoma_core.files import explain_write_errors, write_file
from melanoma_core.jsonable import dump_json
from melanoma_core.models.card import CARD_NAME, ModelCard, load_card
from melanoma_core.settings import ASSETS, Settings

BUNDLED = ASSETS / "model"


class Ground(StrEnum):
    """Why a model is the one that reads."""

    PINNED = "MELANOMA_MODEL names it"
    DEPLOYED = "it was promoted"
    BUNDLED = "it comes with the project"


@dataclass(frozen=True)
class Serving:
    """The model that reads.

    Attributes:
        folder: Its folder.
        ground: Why it reads.
        notice: What everybody should know: that the deployed model is gone. Empty else.
    """

    folder: Path
    ground: Ground
    notice: str = ""


def list_models(settings: Settings) -> list[tuple[Path, ModelCard]]:
    """Return folder and card of the bundled model and of every one that was trained here.

    A folder whose name begins with a dot is a model that is still being written.

    Raises:
        ModelError: A card is damaged.
    """
    cards = settings.models_dir.glob(f"[!.]*/{CARD_NAME}")
    trained = sorted(path.parent for path in cards)
    return [(folder, load_card(folder)) for folder in (BUNDLED, *trained)]


def find_model(settings: Settings, model_id: str | None = None) -> Path:
    """Return the folder of a model.

    Args:
        settings: Where models are kept, and which one reads.
        model_id: An id; None is the one that reads (`find_serving`).

    Raises:
        ModelError: There is no such model.
    """
    if model_id is None:
        return find_serving(settings).folder
    models = list_models(settings)
    for folder, card in models:
        if card.model_id == model_id:
            return folder
    known = ", ".join(card.model_id for _, card in models)
    raise ModelError(
        f'Found no model "{model_id}". There are: {known}. Name one of them, or put the model\'s '
        f"folder into {settings.models_dir}."
    )


def find_serving(settings: Settings) -> Serving:
    """Return the model that reads: the one that MELANOMA_MODEL names, the deployed, the bundled.

    A deployed model that is gone is replaced by the bundled one, with a notice: a page that reads
    nothing would help nobody, and one that read with another model in silence would mislead.

    Raises:
        ModelError: There is no model that MELANOMA_MODEL names.
    """
    if settings.model is not None:
        return Serving(find_model(settings, settings.model), Ground.PINNED)
    try:
        pointer = read_pointer(settings.models_dir)
    except ModelError as error:
        return Serving(BUNDLED, Ground.BUNDLED, f"The bundled model reads. {error}")
    if pointer is None or pointer.is_bundled:
        return Serving(BUNDLED, Ground.BUNDLED)
    folder = _find_trained(settings, pointer.model_id)
    if folder is None:
        return Serving(
            BUNDLED,
            Ground.BUNDLED,
            f"The bundled model reads, since the deployed one, {pointer.model_id}, is gone from "
            f"{settings.models_dir} or its card is damaged. Restore its folder, or promote "
            "another model or roll back on the Models page.",
        )
    return Serving(folder, Ground.DEPLOYED)


def _find_trained(settings: Settings, model_id: str) -> Path | None:
    """Return the folder of a model that was trained here, or None; damaged ones don't count."""
    own = settings.models_dir / model_id  # as `release_network` names it
    folders = [own, *sorted(path.parent for path in settings.models_dir.glob(f"[!.]*/{CARD_NAME}"))]
    for folder in folders:
        try:
            if load_card(folder).model_id == model_id:
                return folder
        except ModelError:
            continue
    return None


POINTER_NAME = "deployed.json"


@dataclass(frozen=True)
class Pointer:
    """What the file says.

    Attributes:
        model_id: Of the deployed model.
        is_bundled: Whether that was the one that comes with the project, whose place the bundled
            model of a later version takes.
        at: When it was deployed; UTC, ISO 8601.
    """

    model_id: str
    is_bundled: bool
    at: str


def read_pointer(models_dir: Path) -> Pointer | None:
    """Return what the file says; None where nothing was ever promoted here.

    Raises:
        ModelError: It is damaged.
    """
    path = models_dir / POINTER_NAME
    try:
        raw = json.loads(path.read_text("utf-8"))
        pointer = Pointer(str(raw["model_id"]), bool(raw["is_bundled"]), str(raw["at"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"Cannot read which model is deployed from {path} ({error}). The Models page and "
            "`python -m melanoma_core models` restore the file from the registry."
        ) from error
    return pointer


def write_pointer(models_dir: Path, pointer: Pointer | None) -> None:
    """Write the file, or remove it; who reads meanwhile finds the old one or the new.

    Raises:
        FolderError: It cannot be written.
    """
    path = models_dir / POINTER_NAME
    advice = (
        "or set MELANOMA_MODELS_DIR to another folder: the pages read the deployed model from it"
    )
    with explain_write_errors(path, advice):
        if pointer is None:
            path.unlink(missing_ok=True)
            return
        models_dir.mkdir(parents=True, exist_ok=True)
    text = dump_json(pointer, indent=2, ensure_ascii=True)
    write_file(path, text.encode(), advice, several_writers=True)
