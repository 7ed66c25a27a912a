"""List the models, and find the one that reads photographs."""

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
_POINTER_NAME = "deployed.json"


class Ground(StrEnum):
    """Why a model reads photographs."""

    PINNED = "named by MELANOMA_MODEL"
    DEPLOYED = "promoted"
    BUNDLED = "bundled with the project"


@dataclass(frozen=True)
class Serving:
    """The model that reads photographs.

    Attributes:
        folder: Its folder.
        ground: Why it reads.
        notice: A warning for all pages, if the deployed model is missing; else empty.
    """

    folder: Path
    ground: Ground
    notice: str = ""


def list_models(settings: Settings) -> list[tuple[Path, ModelCard]]:
    """Return folder and card of the bundled model and of every model in the models folder.

    Folders whose name begins with a dot are skipped: they are still being written.

    Raises:
        ModelError: A card is damaged.
    """
    cards = settings.models_dir.glob(f"[!.]*/{CARD_NAME}")
    trained = sorted(path.parent for path in cards)
    return [(folder, load_card(folder)) for folder in (BUNDLED, *trained)]


def find_model(settings: Settings, model_id: str | None = None) -> Path:
    """Return the folder of a model.

    Args:
        settings: The models folder, and the model named by MELANOMA_MODEL.
        model_id: The id; None means the model that reads (`find_serving`).

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
        f'Found no model "{model_id}". Existing models: {known}. Name one of them, or put the '
        f"model's folder into {settings.models_dir}."
    )


def find_serving(settings: Settings) -> Serving:
    """Return the model that reads: the one named by MELANOMA_MODEL, the deployed or the bundled.

    If the deployed model is missing, the bundled one reads and `Serving.notice` says so.

    Raises:
        ModelError: The model named by MELANOMA_MODEL does not exist.
    """
    if settings.model is not None:
        return Serving(find_model(settings, settings.model), Ground.PINNED)
    try:
        pointer = read_pointer(settings.models_dir)
    except ModelError as error:
        return Serving(BUNDLED, Ground.BUNDLED, f"The bundled model is in use. {error}")
    if pointer is None or pointer.is_bundled:
        return Serving(BUNDLED, Ground.BUNDLED)
    folder = _find_trained(settings, pointer.model_id)
    if folder is None:
        return Serving(
            BUNDLED,
            Ground.BUNDLED,
            f"The bundled model is in use, because the deployed model {pointer.model_id} is "
            f"missing from {settings.models_dir} or its card is damaged. Restore its folder, or "
            "promote another model or roll back on the Models page.",
        )
    return Serving(folder, Ground.DEPLOYED)


def _find_trained(settings: Settings, model_id: str) -> Path | None:
    """Return the folder of a model in the models folder; None if it is missing or damaged."""
    own = settings.models_dir / model_id  # the name that `networks.release` gives it
    folders = [own, *sorted(path.parent for path in settings.models_dir.glob(f"[!.]*/{CARD_NAME}"))]
    for folder in folders:
        try:
            if load_card(folder).model_id == model_id:
                return folder
        except ModelError:
            continue
    return None


@dataclass(frozen=True)
class Pointer:
    """The content of deployed.json.

    Attributes:
        model_id: Id of the deployed model.
        is_bundled: Whether this is the bundled model. A later version of the project then uses
            its own bundled model.
        at: Time of deployment; UTC, ISO 8601.
    """

    model_id: str
    is_bundled: bool
    at: str


def read_pointer(models_dir: Path) -> Pointer | None:
    """Read deployed.json; None if no model was ever promoted here.

    Raises:
        ModelError: The file is damaged.
    """
    path = models_dir / _POINTER_NAME
    try:
        raw = json.loads(path.read_text("utf-8"))
        pointer = Pointer(str(raw["model_id"]), bool(raw["is_bundled"]), str(raw["at"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"Cannot read the deployed model from {path} ({error}). The Models page and "
            "`python -m melanoma_core models` restore the file from the registry."
        ) from error
    return pointer


def write_pointer(models_dir: Path, pointer: Pointer | None) -> None:
    """Write deployed.json atomically, or remove it.

    Args:
        models_dir: The models folder.
        pointer: The new content; None removes the file.

    Raises:
        FolderError: The file cannot be written.
    """
    path = models_dir / _POINTER_NAME
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
