"""A small complete card and evidence pack, and every way to put one wrong value into them."""

import json
from collections.abc import Iterator
from typing import Any

from melanoma_core.models.registry import BUNDLED

# One of each JSON type, the extremes of each, and what breaks terminals or exhausts the stack.
WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    10**400,
    2.5,
    1e999,
    float("nan"),
    "",
    "text <b>",
    "\ud800",
    [],
    ["text"],
    {},
    {"text": [1]},
)
_FIGURES = ("sensitivity", "specificity", "melanoma_roc_auc", "balanced_accuracy", "recall_MEL")
_ARTEFACT_FIGURES = ("refused", "refused_change", "false_alerts_change", "sensitivity_change")
_TEST, _ALL = "test", "all"


def make_card() -> dict[str, Any]:
    """Return the bundled card with fewer metrics of each kind."""
    card: dict[str, Any] = json.loads((BUNDLED / "card.json").read_text("utf-8"))
    card["metrics"] = {_TEST: _pick(card["metrics"][_TEST], _FIGURES)}
    (method, groups) = next(iter(card["explanation"].items()))
    needed = ("energy_inside", "lesion_share", "energy_centred", "energy_above_centred")
    card["explanation"] = {method: {_ALL: _pick(groups[_ALL], needed)}}
    if card.get("robustness"):
        card["robustness"] = {"ink": _pick(card["robustness"]["ink"], _ARTEFACT_FIGURES)}
    card["novelty"]["refused"] = _pick(card["novelty"]["refused"], (_TEST,))
    card["recipe"] = _pick(card["recipe"], ("name", "architecture", "weights", "seed", "mirror"))
    card["leakage"]["examples"] = ["a in test and b in train: the same lesion"]
    card["limitations"] = card["limitations"][:1]
    card["data"]["images_by_source"] = {"test": {"ham10000": 1}}
    for name in ("images_by_confirmation", "images_by_skin_tone"):
        card["data"][name] = {"test": {"not provided": 1}}
    card["data"]["images_by_label"] = _pick(card["data"]["images_by_label"], ("train",))
    return card


def make_evidence(card: dict[str, Any]) -> dict[str, Any]:
    """Return an evidence pack for the card, with short curves."""
    evidence: dict[str, Any] = json.loads((BUNDLED / "evidence.json").read_text("utf-8"))
    evaluation = evidence["evaluations"][_TEST]
    evaluation["figures"] = _pick(evaluation["figures"], _FIGURES)
    evaluation |= {"class_names": ["MEL", "NV"], "confusion": [[3, 1], [2, 4]]}
    curve = {part: values[:1] for part, values in evaluation["roc"]["MEL"].items()}
    evaluation |= {"roc": {"MEL": curve}, "precision_recall": {}, "net_benefit": curve}
    evaluation |= {name: evaluation[name][:1] for name in ("calibration", "slices", "confirmed")}
    evidence["training"]["curves"] = evidence["training"]["curves"][:2]
    owner = _pick(card, ("model_id", "files"))
    return evidence | {"evaluations": {_TEST: evaluation}, "card": owner}


def replace_each(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield the document with one of its values replaced by a wrong one, for all of both."""
    for path in list(_list_paths(document)):
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        right = parent[path[-1]]
        for wrong in WRONG:
            parent[path[-1]] = wrong
            yield f"{'.'.join(map(str, path))} = {wrong!r:.40}", document
        parent[path[-1]] = right


def _list_paths(value: Any) -> Iterator[tuple[Any, ...]]:
    items: dict[Any, Any] = value if isinstance(value, dict) else {}
    if isinstance(value, list):
        items = dict(enumerate(value))
    for key, child in items.items():
        yield (key,)
        yield from ((key, *rest) for rest in _list_paths(child))


def _pick(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names}
