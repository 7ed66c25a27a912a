import json
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.errors import ModelError
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED, find_model, list_models
from melanoma_core.settings import Settings, load_settings


def make_settings(models_dir: Path, model: str | None = None) -> Settings:
    return replace(load_settings(), models_dir=models_dir, model=model)


def add_model(models_dir: Path, name: str, model_id: str) -> Path:
    folder = models_dir / name
    folder.mkdir(parents=True)
    raw = to_jsonable(load_card(BUNDLED)) | {"model_id": model_id}
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    return folder


def test_a_folder_of_models_that_does_not_exist_leaves_the_bundled_one(tmp_path: Path):
    settings = make_settings(tmp_path / "nowhere")

    assert [folder for folder, _ in list_models(settings)] == [BUNDLED]
    assert find_model(settings) == BUNDLED


def test_models_are_listed_after_the_bundled_one_by_the_names_of_their_folders(tmp_path: Path):
    other, one = add_model(tmp_path, "b", "other"), add_model(tmp_path, "a", "one")
    (tmp_path / "no model").mkdir()
    (tmp_path / "stray.txt").write_text("")

    listed = list_models(make_settings(tmp_path))

    assert [folder for folder, _ in listed] == [BUNDLED, one, other]
    assert [card.model_id for _, card in listed[1:]] == ["one", "other"]


def test_a_model_that_is_still_being_written_is_not_listed(tmp_path: Path):
    add_model(tmp_path, ".draft-x1", "half a model")

    assert [folder for folder, _ in list_models(make_settings(tmp_path))] == [BUNDLED]


def test_a_model_is_found_by_its_id_not_by_its_folder(tmp_path: Path):
    folder = add_model(tmp_path, "renamed", "one")

    assert find_model(make_settings(tmp_path), "one") == folder
    with pytest.raises(ModelError):
        find_model(make_settings(tmp_path), "renamed")


def test_an_id_takes_precedence_over_the_model_in_the_settings(tmp_path: Path):
    one, other = add_model(tmp_path, "1", "one"), add_model(tmp_path, "2", "other")
    settings = make_settings(tmp_path, "one")

    assert find_model(settings) == one
    assert find_model(settings, "other") == other


def test_the_bundled_model_is_found_by_its_own_id(tmp_path: Path):
    assert find_model(make_settings(tmp_path), load_card(BUNDLED).model_id) == BUNDLED


def test_an_unknown_id_is_an_error_that_lists_the_existing_models(tmp_path: Path):
    add_model(tmp_path, "1", "one")

    with pytest.raises(ModelError, match=r'no model "two"\. Existing models: .*, one\.') as caught:
        find_model(make_settings(tmp_path), "two")

    assert str(tmp_path) in str(caught.value)


def test_a_damaged_card_is_named_and_does_not_affect_the_bundled_model(tmp_path: Path):
    (add_model(tmp_path, "1", "one") / "card.json").write_text("{")
    settings = make_settings(tmp_path)

    assert find_model(settings) == BUNDLED
    with pytest.raises(ModelError, match=r"Cannot read .*card\.json"):
        list_models(settings)
