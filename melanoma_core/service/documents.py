"""The documents that the API answers with, as its OpenAPI document describes them.

The values themselves come from `reading.rows` and from the model card; a test compares.
"""

from base64 import b64encode
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic needs it before Python 3.12

from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import ModelCard
from melanoma_core.models.origins import describe_origins
from melanoma_core.service.job import Heatmap, Result
from melanoma_core.software import DISCLAIMER, VERSION
from melanoma_core.taxonomy import Diagnosis

_closed = with_config(ConfigDict(extra="forbid"))  # nothing else is in an answer
Code = Literal["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC"]
Share = Annotated[float, Field(ge=0, le=1)]
# The sum of calibrated probabilities may be above 1 by the last digit.
Probability = Annotated[float, Field(ge=0, le=1.000001)]


@_closed
class OriginDocument(TypedDict):
    """An operating point with its origin. Metrics are never reported on the data it comes from."""

    threshold: Share
    target_sensitivity: Annotated[Share, Field(description="What it was chosen for.")]
    chosen_on: Annotated[str, Field(description="The subset that it was chosen on.")]
    images: Annotated[int | None, Field(description="Number of its images, if known.")]
    lesions: Annotated[int | None, Field(description="Number of its lesions, if known.")]
    sources: Annotated[list[str], Field(description="Its collections, if known.")]


@_closed
class PointsDocument(TypedDict):
    """Both operating points of a model."""

    melanoma: OriginDocument
    skin_cancer: OriginDocument | None


@_closed
class HeatmapDocument(TypedDict):
    """A heatmap to be laid over the upright photograph. It shows nothing of the photograph."""

    diagnosis: Code
    media_type: Literal["image/png"]
    base64: str


@_closed
class FindingDocument(TypedDict):
    """A quality problem of the photograph."""

    kind: str
    value: float | None
    limit: float
    refused: bool
    text: str


@_closed
class OutlineDocument(TypedDict):
    """Measures of the outline of the lesion; null where they are missing."""

    missing: str
    area_share: Share | None
    asymmetry: Share | None
    border_irregularity: float | None
    abrupt_segments: Annotated[int, Field(ge=0, le=8)] | None
    colours: list[str] | None
    diameter: Share | None
    explained: Code
    energy_inside: Share | None


@_closed
class PrevalenceDocument(TypedDict):
    """Shares among the lesions of the clinic."""

    melanoma: Share
    skin_cancer: Share


@_closed
class ReadingDocument(TypedDict):
    """A photograph that was read or refused; the names of `melanoma predict --json`, and more."""

    image: Annotated[str, Field(description="The name of the file, as it was sent.")]
    status: Literal["read", "refused"]
    refusal: Annotated[
        Literal["unreadable", "quality", "unfamiliar"] | None,
        Field(description="Why it was refused: no image, no lesion visible, out of distribution."),
    ]
    reason: str | None
    model_id: str
    statement_level: str | None
    statement: str | None
    top_diagnosis: Code | None
    risk_tier: Literal["malignant", "premalignant", "benign"] | None
    melanoma_probability: Probability | None
    threshold: Share | None
    alert: bool | None
    skin_cancer_probability: Probability | None
    skin_cancer_threshold: Share | None
    skin_cancer_alert: bool | None
    conformal_set: list[Code] | None
    probabilities: dict[Code, Probability] | None
    prevalence: NotRequired[PrevalenceDocument | None]
    adapted_statement: NotRequired[str | None]
    adapted_top_diagnosis: NotRequired[Code | None]
    adapted_probabilities: NotRequired[dict[Code, Probability] | None]
    adapted_melanoma_probability: NotRequired[Probability | None]
    adapted_skin_cancer_probability: NotRequired[Probability | None]
    read_anyway: bool
    novelty: float | None
    novelty_limit: float | None
    quality: list[FindingDocument]
    outline: OutlineDocument | None
    notice: Annotated[str, Field(description="That another model than the deployed one read.")]
    heatmap: HeatmapDocument | None
    operating_points: PointsDocument
    confirmed_by_person: Annotated[
        Literal[False], Field(description="No person has confirmed a reading of the API.")
    ]
    app_version: str
    disclaimer: str
    request_id: str


@_closed
class ModelDocument(TypedDict):
    """A model in short."""

    model_id: str
    created_at: str
    reads: Annotated[bool, Field(description="Whether it reads where no model is named.")]
    operating_points: PointsDocument


@_closed
class ModelsDocument(TypedDict):
    """All models."""

    models: list[ModelDocument]
    notice: str
    app_version: str
    disclaimer: str


@_closed
class CardDocument(TypedDict):
    """A model with its card."""

    model_id: str
    reads: bool
    operating_points: PointsDocument
    card: Annotated[dict[str, Any], Field(description="The model card, as in card.json.")]
    app_version: str
    disclaimer: str


@_closed
class ProblemDocument(TypedDict):
    """Why the API did not do what was asked (RFC 9457)."""

    title: str
    status: int
    detail: Annotated[str, Field(description="What was found, what is needed, what to do.")]
    request_id: str


@_closed
class HealthDocument(TypedDict):
    """That the server is up, or ready."""

    status: Literal["live", "ready"]
    app_version: str
    model_id: NotRequired[str]
    notice: NotRequired[str]


def describe_reading(result: Result, notice: str, request_id: str) -> dict[str, Any]:
    """Return the document of a photograph.

    Args:
        result: What became of it.
        notice: That another model than the deployed one read; or "".
        request_id: Of the request, by which the logs name it.
    """
    return result.row | {
        "refusal": result.refusal,
        "notice": notice,
        "heatmap": result.heatmap and _describe_heatmap(result.heatmap),
        "request_id": request_id,
    }


def describe_model(card: ModelCard, *, reads: bool) -> dict[str, Any]:
    """Return a model in short."""
    return {
        "model_id": card.model_id,
        "created_at": card.created_at,
        "reads": reads,
        "operating_points": describe_origins(card),
    }


def describe_card(card: ModelCard, *, reads: bool) -> dict[str, Any]:
    """Return a model with its card."""
    return {
        "model_id": card.model_id,
        "reads": reads,
        "operating_points": describe_origins(card),
        "card": to_jsonable(card),
        "app_version": VERSION,
        "disclaimer": DISCLAIMER,
    }


def _describe_heatmap(heatmap: Heatmap) -> dict[str, str]:
    return {
        "diagnosis": str(Diagnosis(heatmap.diagnosis)),
        "media_type": "image/png",
        "base64": b64encode(heatmap.png).decode("ascii"),
    }
