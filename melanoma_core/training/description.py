"""Describe the training data of a network for its model card, as far as the data says."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from melanoma_core.data.cleaning import Action
from melanoma_core.data.dataset import Dataset
from melanoma_core.data.skin_tone import DARK_TONES, ITA_TONES, name_skin_tone
from melanoma_core.data.splitting import Split
from melanoma_core.models.card import FileCounts
from melanoma_core.training.selection import Selection

INTENDED_USE = (
    "Research and education: to explore how a neural network classifies dermoscopic photographs. "
    "This is not a medical device. Do not base a diagnosis or treatment on it."
)
_WITHOUT_CHECK = "It knows eight diagnoses and assigns one of them to any photograph."
_WITH_CHECK = (
    "It knows eight diagnoses and assigns one of them to each photograph that it accepts. It "
    "refuses photographs that are unlike its training data, but an object that resembles a lesion "
    "can pass."
)
_EVERYTHING = Selection()
_NOT_PROVIDED = "not provided"
_UNRECORDED = "collections that are not recorded"
_MISSING = ("", "-", "?", "n/a", "none", "unknown", _NOT_PROVIDED)


def describe_data(
    dataset: Dataset, split: Split, selection: Selection = _EVERYTHING
) -> dict[str, Any]:
    """Return hash, counts, sources, sizes and licences of a split, as JSON values.

    Args:
        dataset: The dataset, with its decision on each file.
        split: The split before any rebalancing.
        selection: The images that were selected.
    """
    table, decisions = split.table, dataset.decisions
    changed = decisions[decisions["action"] != Action.KEEP]
    return (
        selection.describe()
        | {"sha256": split.sha256, "split_seed": split.seed}
        | describe_images(table)
        | {
            "file_decisions": json.loads(
                changed.groupby("reason").size().sort_index().to_json(orient="index")
            ),
            "files": _count_files(decisions),
        }
    )


def describe_images(table: pd.DataFrame) -> dict[str, Any]:
    """Return counts, sources, sizes, confirmations and licences of images, as JSON values.

    Args:
        table: Rows of a split before any rebalancing.
    """
    licences = _count_values(table, "licence")
    return {
        "images": {str(k): int(v) for k, v in table["subset"].value_counts().items()},
        "lesions": {str(k): int(v) for k, v in table.groupby("subset")["group"].nunique().items()},
        "images_by_label": _count_by_subset(table["subset"], table["label"]),
        "images_by_source": _count_by_subset(table["subset"], table["source"]),
        "images_by_confirmation": count_confirmations(table),
        "images_by_skin_tone": count_skin_tones(table),
        "images_without": {
            name: int(table[name].isna().sum()) for name in ("lesion_id", "patient_id")
        },
        "longer_side_pixels": {
            name: float(table[["width", "height"]].max(axis=1).agg(name))
            for name in ("min", "median", "max")
        },
        "licences": list(licences),
        "images_by_licence": licences,
        "images_by_attribution": _count_values(table, "attribution"),
        "licence_of_the_model": (
            _NOT_PROVIDED
            if _NOT_PROVIDED in licences
            else f"{' and '.join(licences)}, as its training data's"
        ),
    }


def count_confirmations(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count the images by subset and by how their diagnosis was confirmed.

    Args:
        table: With `subset`, and `confirmation` where it is known.

    Returns:
        Numbers by subset and `taxonomy.Confirmation`; "not provided" where it is not stated. Empty
        if none is stated.

    Example:
        >>> table = pd.DataFrame({"subset": ["train"] * 2, "confirmation": ["consensus", None]})
        >>> count_confirmations(table)
        {'train': {'consensus': 1, 'not provided': 1}}
    """
    if "confirmation" not in table or table["confirmation"].isna().all():
        return {}
    stated = table["confirmation"].astype(object).fillna(_NOT_PROVIDED)
    return _count_by_subset(table["subset"], stated)


def count_skin_tones(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count the images by subset and by the tone of the skin that they show.

    Args:
        table: With `subset`, and `fitzpatrick` or `ita` where it is known.

    Returns:
        Numbers by subset and tone (`skin_tone.name_skin_tone`); "not provided" where it is not
        known. Empty if none is.

    Example:
        >>> tones = {"fitzpatrick": ["II", None], "ita": [9.0, 60.0]}
        >>> table = pd.DataFrame({"subset": "test"} | tones)
        >>> count_skin_tones(table)
        {'test': {'Fitzpatrick II': 1, 'very light (estimate)': 1}}
    """
    missing = pd.Series(None, table.index, dtype=object)
    types, angles = table.get("fitzpatrick", missing), table.get("ita", missing)
    tones = [name_skin_tone(*each) for each in zip(types, angles, strict=True)]
    if not any(tones):
        return {}
    named = pd.Series(tones, table.index, dtype=object).fillna(_NOT_PROVIDED)
    return _count_by_subset(table["subset"], named)


def _count_by_subset(subsets: pd.Series, values: pd.Series) -> dict[str, dict[str, int]]:
    counts = pd.crosstab(subsets, values)
    return {
        str(subset): {str(value): int(number) for value, number in row.items()}
        for subset, row in counts.iterrows()
    }


def list_limitations(data: Mapping[str, Any], *, has_check: bool) -> tuple[str, ...]:
    """Return what limits a network that is trained on some data, one sentence each.

    Args:
        data: From `describe_data`.
        has_check: Whether it has an out-of-distribution check.
    """
    by_source = data.get("images_by_source", {})
    sources = sorted({name for counts in by_source.values() for name in counts})
    total, unknown = sum(data.get("images", {}).values()), data.get("images_without", {})
    limitations = [
        f"It was trained on photographs of {', '.join(sources) or _UNRECORDED}. Where and how "
        "these were taken is not recorded. Its performance on other photographs was not evaluated.",
        _describe_skin(data.get("images_by_skin_tone", {})),
        "It was evaluated at the image size that it was trained on. Larger and sharper photographs "
        "look different to it, and its performance on them was not evaluated.",
    ]
    if len(sources) > 1:
        limitations.append(
            "Melanomas and other diagnoses can come from different collections. A network can "
            "learn the collection instead of the disease; the metrics by collection show how it "
            "performs in each."
        )
    limitations += [
        f"Images of one {noun} were kept in one subset. For {unknown[column]:,} of {total:,} "
        f"images the {noun} is not known, so images of one {noun} can be in different subsets."
        for noun, column in (("lesion", "lesion_id"), ("patient", "patient_id"))
        if unknown.get(column)
    ]
    return (*limitations, _WITH_CHECK if has_check else _WITHOUT_CHECK)


def _describe_skin(by_subset: Mapping[str, Mapping[str, int]]) -> str:
    """Return which tones of skin the images show, as far as it is known.

    Args:
        by_subset: From `count_skin_tones`.
    """
    counts: Counter[str] = Counter()
    for each in by_subset.values():
        counts.update(each)
    total = counts.total()
    unknown = counts.pop(_NOT_PROVIDED, 0)
    if not counts:
        return (
            "Which skin tones the photographs show is not recorded. Its performance by skin tone "
            "was not evaluated."
        )
    given = sum(number for name, number in counts.items() if name not in ITA_TONES)
    dark = sum(counts[name] for name in DARK_TONES)
    return (
        f"Tables give the Fitzpatrick skin type for {given:,} of {total:,} images. For "
        f"{total - given - unknown:,} others the tone was estimated from the photograph. By "
        f"either, {dark:,} images ({dark / total:.1%}) show brown or dark skin. On PAD-UFES-20 the "
        "estimate was unrelated to the skin type. So its performance on people with dark skin is "
        "not known from estimates."
    )


def _count_files(decisions: pd.DataFrame) -> FileCounts:
    actions = decisions["action"].value_counts()
    reasons = decisions.loc[decisions["action"] == Action.DROP, "reason"].value_counts()
    return {
        "found": len(decisions),
        "kept": int(actions.get(Action.KEEP, 0) + actions.get(Action.TIER, 0)),
        "relabelled": int(actions.get(Action.RELABEL, 0)),
        "left_out": {str(reason): int(count) for reason, count in sorted(reasons.items())},
    }


def _count_values(table: pd.DataFrame, column: str) -> dict[str, int]:
    """Count the images by a text, sorted, those without one last."""
    values = table.get(column, pd.Series(None, table.index, dtype=object)).dropna()
    texts = values.astype(str).str.strip().astype(object)
    known = texts[~texts.str.casefold().isin(_MISSING)]
    counts = {str(text): int(number) for text, number in known.value_counts().items()}
    num_missing = len(table) - len(known)
    return dict(sorted(counts.items())) | ({_NOT_PROVIDED: num_missing} if num_missing else {})
