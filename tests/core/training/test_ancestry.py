"""Leakage from the model that a training started from, by ids that its folder holds as hashes."""

from dataclasses import replace

import pandas as pd
import pytest

from melanoma_core.models.card import load_card
from melanoma_core.models.card_text.wording import describe_leakage
from melanoma_core.models.identifiers import IdKey
from melanoma_core.models.lineage import describe_split
from melanoma_core.models.registry import BUNDLED
from melanoma_core.training.ancestry import search_leaks

KEY = IdKey()
TABLE = pd.DataFrame(
    {
        "image_id": ["a", "b", "c"],
        "sha256": ["h1", "h2", "h3"],
        "lesion_id": ["L1", "L2", "L3"],
        "patient_id": ["P1", None, "P3"],
        "group": [0, 1, 2],
        "source": "s",
        "label": "NV",
        "subset": ["train", "validation", "test"],
    }
)


def make_ancestor(key: IdKey | None, **changes: str) -> pd.DataFrame:
    """Return the split of a model that was trained on two other images."""
    images = {"image_id": ["x", "y"], "sha256": ["h8", "h9"], "lesion_id": ["L8", "L9"]}
    known = images | {"patient_id": ["P8", None], "subset": "train"}
    table = pd.DataFrame(known).assign(**changes)
    return describe_split(table if key is None else key.hash_ids(table))


@pytest.mark.parametrize("key", [KEY, None], ids=["hashed", "plain, of an older version"])
@pytest.mark.parametrize(
    ("changes", "num_leaks"),
    [({}, 0), ({"lesion_id": "L3"}, 1), ({"patient_id": "P3"}, 1), ({"sha256": "h3"}, 1)],
)
def test_a_test_image_related_to_the_ancestors_training_images_is_a_leak(
    key: IdKey | None, changes: dict[str, str], num_leaks: int
):
    leakage = search_leaks(TABLE, make_ancestor(key, **changes), KEY)

    assert (leakage.found, leakage.unchecked) == (num_leaks, "")


def test_with_another_key_only_files_are_compared_and_the_card_says_so():
    by_lesion = search_leaks(TABLE, make_ancestor(IdKey(), lesion_id="L3"), KEY)
    by_file = search_leaks(TABLE, make_ancestor(IdKey(), sha256="h3"), KEY)

    assert (by_lesion.found, by_file.found) == (0, 1)
    assert "Not compared: the lesions and patients of 2 of the 2 images" in by_lesion.unchecked
    card = replace(load_card(BUNDLED), leakage=by_lesion)
    assert describe_leakage(card).endswith(by_lesion.unchecked)


def test_leakage_within_a_split_is_found_as_without_hashes():
    leaking = TABLE.assign(lesion_id=["L1", "L2", "L1"])

    leakage = search_leaks(leaking, None, KEY)

    assert leakage.examples == ("c in test and a in train: the same lesion",)
    assert leakage.unchecked == ""
