"""A split without melanomas, or without benign lesions, is refused before it is queued."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.splitting import Split
from melanoma_core.errors import DatasetError
from melanoma_core.runs import control
from melanoma_core.runs.run import RunSpec
from melanoma_core.settings import load_settings
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.classes import check_classes
from melanoma_core.training.recipe import make_recipe


def make_split(train: list[str], validation: list[str]) -> Split:
    subsets = ["train"] * len(train) + ["validation"] * len(validation)
    table = pd.DataFrame({"label": train + validation, "subset": subsets}, dtype=object)
    return Split(table, 0, "hash")


@pytest.mark.parametrize(
    "labels",
    [["MEL", "NV"], ["melanoma", "nevus"], ["Melanomas", "SEK"], ["malignant", "Benign"]],
)
def test_a_melanoma_and_a_benign_lesion_are_enough(labels: list[str]) -> None:
    check_classes(make_split(labels, labels))


@pytest.mark.parametrize(
    ("train", "validation", "found"),
    [
        (["NV", "NV", "BCC"], ["MEL", "NV"], r"melanoma in train \(its labels: NV \(2\), BCC"),
        (["MEL", "NV"], ["NV"], r"melanoma in validation"),
        (["MEL", "BCC", "AK"], ["MEL", "NV"], r"a benign diagnosis in train"),
        (["MEL", "NV"], [], r"melanoma and none of a benign diagnosis in validation .*none"),
        (["benign", "malignant"], ["NV"], r"melanoma and none of a benign diagnosis in train"),
        (["benign", "malignant"], ["benign"], r"a malignant lesion in validation"),
        (["Malignant"], ["benign"], r"a benign lesion in train"),
    ],
)
def test_a_missing_class_is_named(train: list[str], validation: list[str], found: str) -> None:
    with pytest.raises(DatasetError, match=f"Found no image of {found}"):
        check_classes(make_split(train, validation))


@pytest.mark.parametrize("start", [control.launch, control.start_estimate])
def test_nothing_is_queued_without_a_melanoma(start, tmp_path: Path) -> None:
    settings = replace(load_settings(), runs_dir=tmp_path / "runs", tracking_uri="sqlite:///x.db")
    spec = RunSpec(make_recipe("baseline", ["weights=none"]), tuple(Diagnosis), "nevi", {})

    with pytest.raises(DatasetError, match="Found no image of melanoma in train"):
        start(settings, spec, make_split(["NV"], ["NV"]))
    assert list(tmp_path.iterdir()) == []
