"""The items of two reporting guides that a model alone can answer.

CLAIM 2024: Tejani et al., "Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024
Update", Radiology: Artificial Intelligence 6 (2024), doi:10.1148/ryai.240300. CLEAR Derm:
Daneshjou et al., "Checklist for Evaluation of Image-Based Artificial Intelligence Reports in
Dermatology", JAMA Dermatology 158 (2022), doi:10.1001/jamadermatol.2021.4915. The items are told
in words of ours; those on title, abstract, protocol and discussion are a paper's.
"""

from dataclasses import dataclass

from melanoma_core.models.card import ModelCard
from melanoma_core.models.evidence import Evidence

_UNKNOWN = "not provided"
CLAIM, CLEAR = "CLAIM 2024", "CLEAR Derm"
GUIDES = (CLAIM, CLEAR)


@dataclass(frozen=True)
class Item:
    """One item.

    Attributes:
        guide: Which guide asks.
        text: What it asks for.
        answer: The answer, the section that holds it, or "not provided".
    """

    guide: str
    text: str
    answer: str


def check_items(card: ModelCard, evidence: Evidence | None) -> list[Item]:
    """Return every item with its answer."""
    return [*_check_claim(card, evidence), *_check_clear(card, evidence)]


def _check_claim(card: ModelCard, evidence: Evidence | None) -> list[Item]:
    machine = evidence.machine if evidence else None
    training = evidence.training if evidence else None
    conformal = "section Sets of diagnoses" if card.conformal else _UNKNOWN
    answers = {
        "Kind of study, prospective or retrospective": "retrospective",
        "Goal of the study": "section Intended use and limits",
        "Sources of the data": "section Data",
        "Rules by which images were included and left out": "section Data, files left out",
        "Preprocessing": f"resized to {card.image_size} × {card.image_size} pixels, the aspect "
        "squashed; scaled inside of the network",
        "How patients were de-identified": "by the collections; no table here names a person",
        "How missing data were handled": "what is unknown stays unknown; nothing is filled in",
        "How images were acquired": _UNKNOWN,
        "Definition of the reference standard": "the collections' labels, section Data",
        "Qualification of the annotators, and how far they agree": _UNKNOWN,
        "How the data were partitioned, and at which level": "by lesion, patient and copies",
        "Sample size and how it was chosen": "all images that there were, section Data",
        "The model in full": "section Model details; the network lies beside the card",
        "Software and its versions": "section To do it again",
        "Initial parameters": "section Model details" if card.recipe.get("weights") else _UNKNOWN,
        "Training, augmentation and hyperparameters": "section How it was trained",
        "How the final model was selected": "by the recipe, on validation",
        "Hardware": machine.system if machine else _UNKNOWN,
        "The course of the training": "section How it was trained" if training else _UNKNOWN,
        "Metrics, with intervals": "section What it achieved" if card.metrics else _UNKNOWN,
        "Robustness": "by collection, section What it achieved" if card.metrics else _UNKNOWN,
        "Uncertainty of a single answer": conformal,
        "Explanation of the answers": "heatmaps; section Whether its heatmaps can be trusted",
        "Validation on data from elsewhere": "by collection; none from another hospital",
        "Demographics of every partition": "section By age, sex, site and source"
        if evidence and evidence.evaluations
        else _UNKNOWN,
        "Analysis of failures": "section Each diagnosis" if card.metrics else _UNKNOWN,
        "Registration and protocol": _UNKNOWN,
        "Where code and model can be had": "the network lies beside the card",
        "Funding": _UNKNOWN,
    }
    return [Item(CLAIM, text, answer) for text, answer in answers.items()]


def _check_clear(card: ModelCard, evidence: Evidence | None) -> list[Item]:
    slices = bool(evidence and evidence.evaluations)
    leakage = card.leakage
    answers = {
        "Kind of image and device": "dermoscopic photographs; the devices are not provided",
        "Artefacts in the images (ink, rulers, hair)": _UNKNOWN,
        "Skin tones": _UNKNOWN,
        "Age and sex": "section By age, sex, site and source" if slices else _UNKNOWN,
        "Body sites": "section By age, sex, site and source" if slices else _UNKNOWN,
        "How the diagnosis was made (histopathology or not)": "by collection, section Data",
        "Overlap between training and test images": "section Leaks between training and test"
        if leakage
        else _UNKNOWN,
        "Classes, and what becomes of diseases outside of them": "section Model details; what it "
        "does with others is a limit",
        "Threshold and how it was chosen": "section When it alerts",
        "Sensitivity and specificity at it, ROC curve": "section What it achieved"
        if card.metrics
        else _UNKNOWN,
        "Calibration": "section What it achieved" if card.metrics else _UNKNOWN,
        "Comparison with physicians": _UNKNOWN,
        "Tested in the setting of its intended use": "no",
        "Images and labels public": "section Data, licences",
        "Model public": "its files lie beside the card; where they are published is " + _UNKNOWN,
        "Limits and biases": "section Intended use and limits",
    }
    return [Item(CLEAR, text, answer) for text, answer in answers.items()]
