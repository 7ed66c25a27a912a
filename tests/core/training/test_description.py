"""A model card says of its data what the tables say, and no more."""

import pandas as pd
import pytest

from melanoma_core.data.dataset import Dataset
from melanoma_core.data.splitting import Split
from melanoma_core.training.description import describe_data, list_limitations


def describe(decisions: pd.DataFrame | None = None, **columns: list) -> dict:
    table = pd.DataFrame(
        {
            "subset": ["train", "train", "test"],
            "label": ["MEL", "NV", "NV"],
            "group": [0, 1, 2],
            "source": "clinic",
            "lesion_id": ["a", "b", "c"],
            "patient_id": ["a", "b", "c"],
            "width": 120,
            "height": 90,
            "licence": None,
        }
        | columns
    )
    if decisions is None:
        decisions = pd.DataFrame({"action": ["keep"] * 3, "reason": [None] * 3})
    return describe_data(Dataset(table, decisions), Split(table, 7, "hash"))


@pytest.mark.parametrize("licences", [[None] * 3, ["", "?", "unknown"]])
def test_without_a_licence_in_the_tables_none_is_claimed(licences: list):
    data = describe(licence=licences)

    assert data["licences"] == ["not provided"]
    assert data["licence_of_the_model"] == "not provided"
    assert data["images_by_licence"] == {"not provided": 3}
    assert "ISIC" not in str(data)
    assert "CC BY" not in str(data)


def test_the_licences_are_those_of_the_tables():
    data = describe(licence=["CC-BY-NC", "CC-0", " CC-0"], attribution=["", "A", "B"])

    assert data["licences"] == ["CC-0", "CC-BY-NC"]
    assert data["images_by_licence"] == {"CC-0": 2, "CC-BY-NC": 1}
    assert data["licence_of_the_model"] == "CC-0 and CC-BY-NC, as its training data's"
    assert data["images_by_attribution"] == {"A": 1, "B": 1, "not provided": 1}


def test_one_image_without_a_licence_leaves_that_of_the_model_open():
    data = describe(licence=["CC-0", "CC-0", None])

    assert data["licences"] == ["CC-0", "not provided"]
    assert data["licence_of_the_model"] == "not provided"


def test_limitations_name_the_sources_and_what_is_not_known():
    sentences = list_limitations(describe(patient_id=["a", None, None]), has_check=True)

    assert sentences[0].startswith("It was trained on photographs of clinic.")
    assert sentences[-2].startswith(
        "Images of one patient were kept in one subset. For 2 of 3 images the patient is not known"
    )
    assert not any("lesion is not known" in each or "collections" in each for each in sentences)
    assert "Melanomas and other" in "".join(
        list_limitations(describe(source=["a", "a", "b"]), has_check=True)
    )


def test_how_diagnoses_are_known_is_counted_as_the_tables_say():
    assert describe()["images_by_confirmation"] == {}
    data = describe(confirmation=["histopathology", None, "follow-up"])

    assert data["images_by_confirmation"] == {
        "train": {"follow-up": 0, "histopathology": 1, "not provided": 1},
        "test": {"follow-up": 1, "histopathology": 0, "not provided": 0},
    }


def test_skin_tones_are_counted_and_an_estimate_is_called_one():
    unknown = describe()
    data = describe(fitzpatrick=["V", None, None], ita=[60.0, 5.0, None])

    assert unknown["images_by_skin_tone"] == {}
    assert list_limitations(unknown, has_check=True)[1].startswith("Which skin tones")
    assert data["images_by_skin_tone"] == {
        "train": {"Fitzpatrick V": 1, "brown (estimate)": 1, "not provided": 0},
        "test": {"Fitzpatrick V": 0, "brown (estimate)": 0, "not provided": 1},
    }
    assert list_limitations(data, has_check=True)[1] == (
        "Tables give the Fitzpatrick skin type for 1 of 3 images. For 1 others the tone was "
        "estimated from the photograph. By either, 2 images (66.7%) show brown or dark skin. On "
        "PAD-UFES-20 the estimate was unrelated to the skin type. So its performance on people "
        "with dark skin is not known from estimates."
    )


def test_every_file_is_counted_once():
    actions = ["keep", "drop", "relabel", "drop", "keep", "drop"]
    reasons = [None, "a copy", "ground truth", "unreadable", "decided by hand", "a copy"]

    files = describe(pd.DataFrame({"action": actions, "reason": reasons}))["files"]

    assert files == {
        "found": 6,
        "kept": 2,
        "relabelled": 1,
        "left_out": {"a copy": 2, "unreadable": 1},
    }
    assert files["found"] == files["kept"] + files["relabelled"] + sum(files["left_out"].values())


def test_images_are_counted_by_how_their_diagnosis_was_confirmed():
    data = describe(confirmation=["histopathology", None, "histopathology"])
    assert data["images_by_confirmation"] == {
        "train": {"histopathology": 1, "not provided": 1},
        "test": {"histopathology": 1, "not provided": 0},
    }
    assert describe()["images_by_confirmation"] == {}


def test_the_last_limitation_says_whether_something_else_than_a_lesion_is_refused():
    assert list_limitations({}, has_check=False)[-1].endswith(
        "assigns one of them to any photograph."
    )
    assert "refuses photographs that are unlike" in list_limitations({}, has_check=True)[-1]
