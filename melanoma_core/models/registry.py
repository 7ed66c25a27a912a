"""List the models, and find the one that reads photographs."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from melanoma_core.errors import ModelError
from melanoma_core.files import explain_write_errors, write_file
from melanoma_core.jsonable import dump_json, from_jsonable, load_json
from melanoma_core.models.card import CARD_NAME, KERAS_NAME, ONNX_NAME, ModelCard, load_card
from melanoma_core.models.integrity import check_network
from melanoma_core.settings import ASSETS, Settings

BUNDLED = ASSETS / "model"
_POINTER_NAME = "deployed.json"


class Ground(StrEnum):
    """Why a model reads photographs."""

    CHOSEN = "named by a person"
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

    Folders whose name begins with a dot are skipped: they are still being written. Models that
    cannot read, and second folders of one id, are left out: `list_damaged` explains them.
    """
    found = _examine_folders(settings)
    return [(folder, card) for folder, card in found if isinstance(card, ModelCard)]


def list_damaged(settings: Settings) -> list[str]:
    """Return for each model that `list_models` leaves out why, in a sentence."""
    found = _examine_folders(settings)
    return [str(reason) for _, reason in found if isinstance(reason, ModelError)]


def find_model(settings: Settings, model_id: str | None = None) -> Path:
    """Return the folder of a model.

    Args:
        settings: The models folder, and the model named by MELANOMA_MODEL.
        model_id: The id; None means the model that reads. A caller without an id uses
            `find_serving`, if it can pass its notice on.

    Raises:
        ModelError: There is no such model, or it is damaged.
    """
    if model_id is None:
        return find_serving(settings).folder
    models = list_models(settings)
    for folder, card in models:
        if card.model_id == model_id:
            return folder
    known = ", ".join(card.model_id for _, card in models)
    damaged = "".join(f" Damaged: {reason}" for reason in list_damaged(settings))
    raise ModelError(
        f'Found no model "{model_id}". Existing models: {known}. Name one of them, or put the '
        f"model's folder into {settings.models_dir}.{damaged}"
    )


def find_serving(settings: Settings, model_id: str | None = None) -> Serving:
    """Return the model that reads: the one named by MELANOMA_MODEL, the deployed or the bundled.

    If the deployed model is missing, the bundled one reads and `Serving.notice` says so. The
    caller passes the notice on.

    Args:
        settings: The models folder, and the model named by MELANOMA_MODEL.
        model_id: The id that a person named, which overrules all of these; None for no id.

    Raises:
        ModelError: The model named by a person or by MELANOMA_MODEL does not exist.
    """
    if model_id is not None:
        return Serving(find_model(settings, model_id), Ground.CHOSEN)
    if settings.model is not None:
        return Serving(find_model(settings, settings.model), Ground.PINNED)
    try:
        pointer = read_pointer(settings.models_dir)
    except ModelError as error:
        return Serving(BUNDLED, Ground.BUNDLED, f"The bundled model is in use. {error}")
    if pointer is None or pointer.is_bundled:
        return Serving(BUNDLED, Ground.BUNDLED)
    problem = f"is missing from {settings.models_dir}."
    # First the folder that `networks.release` names by the id.
    folders = _list_folders(settings)
    for folder in sorted(folders, key=lambda each: each.name != pointer.model_id):
        card = _try_card(folder)
        if isinstance(card, ModelCard) and card.model_id == pointer.model_id:
            return Serving(folder, Ground.DEPLOYED)
        if isinstance(card, ModelError) and folder.name == pointer.model_id:
            problem = f"is damaged: {card}"
    return Serving(
        BUNDLED,
        Ground.BUNDLED,
        f"The bundled model is in use, because the deployed model {pointer.model_id} {problem} "
        "Restore its folder, or promote another model or roll back on the Models page.",
    )


def _list_folders(settings: Settings) -> list[Path]:
    """Return every folder in the models folder that has a file of a model, also a damaged one."""
    names = (CARD_NAME, ONNX_NAME, KERAS_NAME)
    found = {path.parent for name in names for path in settings.models_dir.glob(f"[!.]*/{name}")}
    return sorted(found)


def _examine_folders(settings: Settings) -> list[tuple[Path, ModelCard | ModelError]]:
    """Return for each folder its card, or why its model is not listed.

    Of several folders with one id, the bundled one is listed, else the one named by the id, else
    the first.
    """
    found = [(folder, _try_card(folder)) for folder in (BUNDLED, *_list_folders(settings))]
    owners: dict[str, Path] = {}
    for folder, card in found:
        if isinstance(card, ModelCard):
            owner = owners.setdefault(card.model_id, folder)
            if owner != BUNDLED and folder.name == card.model_id:
                owners[card.model_id] = folder
    return [
        (folder, _explain_duplicate(folder, card.model_id, owners[card.model_id]))
        if isinstance(card, ModelCard) and owners[card.model_id] != folder
        else (folder, card)
        for folder, card in found
    ]


def _explain_duplicate(folder: Path, model_id: str, owner: Path) -> ModelError:
    return ModelError(
        f"The folder {folder} is a duplicate: its model {model_id} is already listed from {owner}. "
        "Remove one of the two folders."
    )


def _try_card(folder: Path) -> ModelCard | ModelError:
    """Return the card of a model that can read, else why it cannot."""
    try:
        card = load_card(folder)
    except ModelError as error:
        return error
    if not (folder / ONNX_NAME).is_file():
        return ModelError(
            f"The model {card.model_id} has no {ONNX_NAME} in {folder}. Copy the whole folder "
            "again, or remove it."
        )
    try:
        check_network(folder / ONNX_NAME, card)
    except ModelError as error:
        return error
    return card


@dataclass(frozen=True)
class Pointer:
    """The content of deployed.json.

    Attributes:
        model_id: Id of the deployed model.
        is_bundled: Whether this is the bundled model. A later version of the project then uses
            its own bundled model.
        at: Time of deployment; UTC, ISO 8601.
        against_gate: Whether a person promoted it against the gate.
    """

    model_id: str
    is_bundled: bool
    at: str
    against_gate: bool = False


def read_pointer(models_dir: Path) -> Pointer | None:
    """Read deployed.json; None if no model was ever promoted here.

    Raises:
        ModelError: The file is damaged.
    """
    path = models_dir / _POINTER_NAME
    try:
        return from_jsonable(Pointer, load_json(path.read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"Cannot read the deployed model from {path} ({error}). The Models page and "
            "`python -m melanoma_core models` restore the file from the registry."
        ) from error


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
