"""Items of two reporting guidelines, with the answers that a model card can give.

CLAIM 2024: Tejani et al., "Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024
Update", Radiology: Artificial Intelligence 6 (2024), doi:10.1148/ryai.240300. CLEAR Derm:
Daneshjou et al., "Checklist for Evaluation of Image-Based Artificial Intelligence Reports in
Dermatology", JAMA Dermatology 158 (2022), doi:10.1001/jamadermatol.2021.4915. The items are
paraphrased. Items that only a paper can answer (title, abstract, protocol, discussion) are left
out.
"""

from dataclasses import dataclass

from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.formats import NOT_PROVIDED
from melanoma_core.models.card_text.section import Title
from melanoma_core.models.evidence import Evidence

_CLAIM, _CLEAR = "CLAIM 2024", "CLEAR Derm"
GUIDES = (_CLAIM, _CLEAR)


@dataclass(frozen=True)
class Item:
    """An item of a guideline.

    Attributes:
        guide: One of `GUIDES`.
        text: What should be reported.
        answer: The answer, the section that contains it, or "not provided".
    """

    guide: str
    text: str
    answer: str


def check_items(card: ModelCard, evidence: Evidence | None) -> list[Item]:
    """Return every item with its answer."""
    return [
        *(Item(_CLAIM, text, answer) for text, answer in _answer_claim(card, evidence).items()),
        *(Item(_CLEAR, text, answer) for text, answer in _answer_clear(card, evidence).items()),
    ]


def _answer_claim(card: ModelCard, evidence: Evidence | None) -> dict[str, str]:
    machine = evidence.machine if evidence else None
    has_metrics = bool(card.metrics)
    return {
        "Study design (prospective or retrospective)": "retrospective",
        "Study goal": _see(Title.USE),
        "Data sources": _see(Title.DATA),
        "Inclusion and exclusion criteria": f"{_see(Title.DATA)}, files left out",
        "Preprocessing": f"resized to {card.image_size} × {card.image_size} pixels without "
        "keeping the aspect ratio; scaled inside the network",
        "De-identification": "by the collections; no table in this project names a person",
        "Missing data": "marked as unknown; no values are imputed",
        "Image acquisition": NOT_PROVIDED,
        "Reference standard": f"labels of the collections, {_see(Title.DATA)}",
        "Qualification of annotators and inter-rater agreement": NOT_PROVIDED,
        "Data partitions and their level": "no lesion, patient or copy is in two subsets",
        "Sample size and its justification": f"all available images, {_see(Title.DATA)}",
        "Model description": f"{_see(Title.DETAILS)}; the network is beside the card",
        "Software and versions": _see(Title.REPRODUCTION),
        "Initialisation of parameters": _see(Title.DETAILS, bool(card.recipe.get("weights"))),
        "Training, augmentation and hyperparameters": _see(Title.TRAINING),
        "Selection of the final model": "by the recipe, on the validation subset",
        "Hardware": machine.system if machine else NOT_PROVIDED,
        "Learning curves": _see(Title.TRAINING, bool(evidence and evidence.training)),
        "Metrics with confidence intervals": _see(Title.PERFORMANCE, has_metrics),
        "Robustness": f"by collection, {_see(Title.PERFORMANCE)}" if has_metrics else NOT_PROVIDED,
        "Uncertainty of a single prediction": _see(Title.SETS, card.conformal is not None),
        "Explainability": f"heatmaps; {_see(Title.HEATMAPS)}",
        "External validation": "by collection; none with data from another hospital",
        "Demographics of each partition": _see(Title.SUBGROUPS, _has_subgroups(evidence)),
        "Failure analysis": _see(Title.CLASSES, has_metrics),
        "Registration and protocol": NOT_PROVIDED,
        "Availability of code and model": "the network is beside the card",
        "Funding": NOT_PROVIDED,
    }


def _answer_clear(card: ModelCard, evidence: Evidence | None) -> dict[str, str]:
    has_metrics = bool(card.metrics)
    return {
        "Image type and device": "dermoscopic photographs; devices are not provided",
        "Image artefacts (ink, rulers, hair)": NOT_PROVIDED,
        "Skin tones": NOT_PROVIDED,
        "Age and sex": _see(Title.SUBGROUPS, _has_subgroups(evidence)),
        "Body sites": _see(Title.SUBGROUPS, _has_subgroups(evidence)),
        "Diagnostic method (histopathology or other)": f"by collection, {_see(Title.DATA)}",
        "Overlap between training and test images": _see(Title.LEAKAGE, card.leakage is not None),
        "Classes, and handling of other diseases": f"{_see(Title.DETAILS)}; other diseases are a "
        "limitation",
        "Threshold and its choice": _see(Title.ALERT),
        "Sensitivity and specificity at the threshold, ROC curve": _see(
            Title.PERFORMANCE, has_metrics
        ),
        "Calibration": _see(Title.PERFORMANCE, has_metrics),
        "Comparison with physicians": NOT_PROVIDED,
        "Test in the intended clinical setting": "no",
        "Public availability of images and labels": f"{_see(Title.DATA)}, licences",
        "Public availability of the model": "its files are beside the card; where they are "
        f"published is {NOT_PROVIDED}",
        "Limitations and biases": _see(Title.USE),
    }


def _see(title: Title, is_there: bool = True) -> str:
    return f'section "{title}"' if is_there else NOT_PROVIDED


def _has_subgroups(evidence: Evidence | None) -> bool:
    return bool(evidence and evidence.evaluations)
