"""An answer of the API, for its OpenAPI document: of the first demonstration lesion, rounded."""

from typing import Any

from melanoma_core.software import DISCLAIMER, VERSION

_ORIGIN = {
    "threshold": 0.0436,
    "target_sensitivity": 0.95,
    "chosen_on": "validation",
    "images": 1752,
    "lesions": 1393,
    "sources": ["ham10000", "isic2017", "isic9"],
}
EXAMPLE: dict[str, Any] = {
    "image": "lesion.jpg",
    "status": "read",
    "refusal": None,
    "reason": None,
    "model_id": "mobilenetv2-20261127-c20755da",
    "statement_level": "melanoma alert",
    "statement": "Melanoma cannot be excluded (29.5%, alert threshold 4.4%), although benign "
    "keratosis is the leading diagnosis (59.6%).",
    "top_diagnosis": "BKL",
    "risk_tier": "benign",
    "melanoma_probability": 0.2949,
    "threshold": 0.0436,
    "alert": True,
    "skin_cancer_probability": 0.3049,
    "skin_cancer_threshold": 0.0436,
    "skin_cancer_alert": True,
    "conformal_set": ["BKL", "MEL", "SCC", "DF", "AK"],
    "probabilities": {
        "MEL": 0.2949,
        "NV": 0.0835,
        "BCC": 0.0045,
        "AK": 0.0034,
        "BKL": 0.5963,
        "DF": 0.005,
        "VASC": 0.007,
        "SCC": 0.0055,
    },
    "read_anyway": False,
    "novelty": 30.4954,
    "novelty_limit": None,
    "quality": [],
    "outline": None,
    "notice": "",
    "heatmap": None,
    "operating_points": {"melanoma": _ORIGIN, "skin_cancer": _ORIGIN},
    "confirmed_by_person": False,
    "app_version": VERSION,
    "disclaimer": DISCLAIMER,
    "request_id": "5f0c1c8e-1f6b-4b6e-9f59-6d7f4b1f3a11",
}
