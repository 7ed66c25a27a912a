"""Which models there are, and which one reads."""

from pathlib import Path

from melanoma_core.errors import ModelError
from melanoma_core.models.card import CARD_NAME, ModelCard, load_card
from melanoma_core.settings import ASSETS, Settings

BUNDLED = ASSETS / "model"


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
        model_id: An id; None is the one that the settings name, else the bundled one.

    Raises:
        ModelError: There is no such model.
    """
    wanted = model_id or settings.model
    if wanted is None:
        return BUNDLED
    models = list_models(settings)
    for folder, card in models:
        if card.model_id == wanted:
            return folder
    known = ", ".join(card.model_id for _, card in models)
    raise ModelError(
        f'Found no model "{wanted}". There are: {known}. Name one of them, or put the model\'s '
        f"folder into {settings.models_dir}."
    )
