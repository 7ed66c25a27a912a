import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.errors import ModelError
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import (
    BUNDLED,
    Ground,
    Pointer,
    find_model,
    find_serving,
    list_damaged,
    list_models,
    read_pointer,
    write_pointer,
)
from melanoma_core.settings import Settings, load_settings


def make_settings(models_dir: Path, model: str | None = None) -> Settings:
    return replace(load_settings(), models_dir=models_dir, model=model)


def add_model(models_dir: Path, name: str, model_id: str) -> Path:
    folder = models_dir / name
    folder.mkdir(parents=True)
    network = b"a network"
    files = {"model.onnx": hashlib.sha256(network).hexdigest()}
    raw = to_jsonable(load_card(BUNDLED)) | {"model_id": model_id, "files": files}
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    (folder / "model.onnx").write_bytes(network)
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


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("card.json", b"{", r"Cannot read .*card\.json"),
        ("card.json", b"[" * 100_000, r"Cannot read .*card\.json \(it is nested too deeply\)"),
        ("card.json", None, r"Found no card\.json in .*half"),
        ("model.onnx", None, r"The model half has no model\.onnx in .*half"),
        (
            "model.onnx",
            b"a net",
            r"The network .*half.model\.onnx is not .* \(found 5 bytes, SHA-256",
        ),
        (
            "model.onnx",
            b"b network",
            r"The network .*half.model\.onnx is not .* \(found 9 bytes, SHA",
        ),
    ],
    ids=["a cut card", "a nested card", "no card", "no network", "a cut network", "another one"],
)
def test_a_half_copied_model_is_named_and_no_other_model_suffers(
    tmp_path: Path, name: str, content: bytes | None, reason: str
):
    half, whole = add_model(tmp_path, "half", "half"), add_model(tmp_path, "whole", "whole")
    (half / name).unlink()
    if content is not None:
        (half / name).write_bytes(content)
    settings = make_settings(tmp_path)

    assert [folder for folder, _ in list_models(settings)] == [BUNDLED, whole]
    (said,) = list_damaged(settings)
    assert re.match(reason, said)
    assert find_model(settings) == BUNDLED
    assert find_model(settings, load_card(BUNDLED).model_id) == BUNDLED
    assert find_model(settings, "whole") == whole
    with pytest.raises(ModelError, match=reason):
        find_model(settings, "half")


def test_of_two_folders_with_one_id_the_one_named_by_the_id_is_listed(tmp_path: Path):
    copy, one = add_model(tmp_path, "copy of one", "one"), add_model(tmp_path, "one", "one")
    bundled_id = load_card(BUNDLED).model_id
    add_model(tmp_path, bundled_id, bundled_id)
    settings = make_settings(tmp_path)

    assert [folder for folder, _ in list_models(settings)] == [BUNDLED, one]
    assert list_damaged(settings) == [
        f"The folder {folder} is a duplicate: its model {model_id} is already listed from {owner}. "
        "Remove one of the two folders."
        for folder, model_id, owner in sorted(
            [(copy, "one", one), (tmp_path / bundled_id, bundled_id, BUNDLED)]
        )
    ]
    assert find_model(settings, "one") == one
    assert find_model(settings, bundled_id) == BUNDLED


def test_a_network_is_hashed_once_until_its_size_or_time_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder, settings = add_model(tmp_path, "one", "one"), make_settings(tmp_path)
    hashed = []
    digest = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, kind: hashed.append(file.name) or digest(file, kind)
    )

    for _ in range(3):
        assert list_models(settings)[1][0] == folder
    network = folder / "model.onnx"
    assert hashed.count(str(network)) == 1
    network.write_bytes(b"a net")
    assert len(list_models(settings)) == 1
    assert hashed.count(str(network)) == 2


def test_a_deployed_model_that_is_damaged_is_replaced_with_a_notice_that_says_why(tmp_path: Path):
    settings = make_settings(tmp_path)
    write_pointer(tmp_path, Pointer("half", False, "2026-11-21T12:00:00+00:00"))

    assert "the deployed model half is missing from" in find_serving(settings).notice
    (add_model(tmp_path, "half", "half") / "card.json").write_text("{}")
    serving = find_serving(settings)

    assert (serving.folder, serving.ground) == (BUNDLED, Ground.BUNDLED)
    assert "the deployed model half is damaged:" in serving.notice
    assert "is not a model card of this project (class_names is missing)" in serving.notice


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        "[]",
        "null",
        '{"model_id": 3, "is_bundled": false, "at": ""}',
        '{"model_id": "one", "is_bundled": "no", "at": ""}',
        '{"model_id": "one", "is_bundled": false}',
        '{"model_id": "\\ud800", "is_bundled": false, "at": ""}',
    ],
)
def test_a_deployed_json_of_another_structure_is_refused_and_the_bundled_model_reads(
    tmp_path: Path, content: str
):
    (tmp_path / "deployed.json").write_text(content)

    with pytest.raises(ModelError, match=r"Cannot read the deployed model from .*deployed\.json"):
        read_pointer(tmp_path)
    serving = find_serving(make_settings(tmp_path))
    assert serving.folder == BUNDLED
    assert serving.notice.startswith("The bundled model is in use. Cannot read")


def test_an_id_with_a_null_byte_is_the_id_of_no_model(tmp_path: Path):
    write_pointer(tmp_path, Pointer("a\0b", False, ""))

    assert "is missing from" in find_serving(make_settings(tmp_path)).notice
