"""Why the model that reads photographs needs caution, in sentences for the top of a page."""

from melanoma_core.errors import ModelError
from melanoma_core.evaluation.subsets import TEST
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.card_text.wording import is_withheld
from melanoma_core.models.registry import find_serving, read_pointer
from melanoma_core.settings import Settings


def list_cautions(settings: Settings) -> tuple[str, ...]:
    """Return why the model that reads needs caution, a sentence each; empty if nothing is known.

    It does if it is not the model that was deployed, if a person promoted it against the gate, or
    if it has no metrics of a held-out test set.

    Args:
        settings: The models folder, and the model named by MELANOMA_MODEL.

    Raises:
        ModelError: The model named by MELANOMA_MODEL does not exist.
    """
    serving = find_serving(settings)
    card = load_card(serving.folder)
    cautions = (serving.notice, _explain_override(settings, card.model_id), _explain_test(card))
    return tuple(filter(None, cautions))


def _explain_override(settings: Settings, model_id: str) -> str:
    try:
        pointer = read_pointer(settings.models_dir)
    except ModelError:  # damaged; the notice of the model that reads says so
        return ""
    if pointer is None or pointer.model_id != model_id or not pointer.against_gate:
        return ""
    return (
        f"The model in use, {model_id}, was promoted against the gate. The Models page has the "
        "reason, under History."
    )


def _explain_test(card: ModelCard) -> str:
    if is_withheld(card):
        return (
            f"The model in use, {card.model_id}, has no valid test: its metrics are withheld "
            "because of leakage."
        )
    if not card.metrics.get(TEST):
        return f"The model in use, {card.model_id}, was not evaluated on a held-out test set."
    return ""
