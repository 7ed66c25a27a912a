import os
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.data.catalogue import (
    DatasetFolder,
    list_datasets,
    open_demonstration,
    resolve_data_path,
)
from melanoma_core.errors import DatasetError
from melanoma_core.settings import Settings, load_settings


def make_settings(tmp_path: Path, data_dir: Path | None = None) -> Settings:
    return replace(load_settings(), data_dir=data_dir, cache_dir=tmp_path / "cache")


@pytest.fixture
def data_dir(tmp_path: Path, draw) -> Path:
    draw(tmp_path / "data" / "a set" / "nevus" / "1.jpg", 1)
    draw(tmp_path / "data" / "b set" / "melanoma" / "1.jpg", 2)
    draw(tmp_path / "data" / "holiday" / "1.jpg", 3)
    return tmp_path / "data"


def test_an_empty_directory_has_no_datasets(tmp_path: Path):
    assert list_datasets(tmp_path) == []


def test_the_error_for_a_missing_directory_names_it(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"Cannot list the folder .*nowhere"):
        list_datasets(tmp_path / "nowhere")


def test_a_directory_and_its_datasets_are_listed(data_dir: Path):
    assert list_datasets(data_dir) == [
        DatasetFolder(data_dir, ("class-folders", "class-folders")),
        DatasetFolder(data_dir / "a set", ("class-folders",)),
        DatasetFolder(data_dir / "b set", ("class-folders",)),
    ]


def test_a_directory_that_is_a_dataset_is_listed_alone(data_dir: Path):
    assert list_datasets(data_dir / "a set") == [
        DatasetFolder(data_dir / "a set", ("class-folders",))
    ]


def test_the_only_dataset_in_a_directory_is_listed(data_dir: Path, tmp_path: Path):
    (data_dir / "a set").rename(tmp_path / "elsewhere")

    assert [found.folder for found in list_datasets(data_dir)] == [data_dir / "b set"]


@pytest.mark.parametrize("is_local", [True, False])
@pytest.mark.parametrize("text", ["a set", " a set/ ", "{data}/a set", "b set/../a set"])
def test_a_path_in_the_data_directory_may_be_opened(
    tmp_path: Path, data_dir: Path, text: str, is_local: bool
):
    settings = make_settings(tmp_path, data_dir)

    found = resolve_data_path(text.format(data=data_dir), settings, is_local)

    assert found == data_dir / "a set"


@pytest.mark.parametrize(
    "text", ["..", "/", "/etc", "{data}-secret", "out", "out/deeper", "a set/../../x", "~", "loop"]
)
def test_remote_users_cannot_open_a_folder_outside_even_through_a_link(
    tmp_path: Path, data_dir: Path, text: str
):
    (data_dir / "out").symlink_to(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (data_dir / "loop").symlink_to(tmp_path / "loop")

    with pytest.raises(DatasetError, match="is outside of the data directory"):
        resolve_data_path(
            text.format(data=data_dir), make_settings(tmp_path, data_dir), is_local=False
        )


def test_the_error_does_not_reveal_whether_the_folder_exists(tmp_path: Path, data_dir: Path):
    settings = make_settings(tmp_path, data_dir)
    messages = []
    for name in (str(tmp_path), str(tmp_path / "missing")):
        with pytest.raises(DatasetError) as caught:
            resolve_data_path(name, settings, is_local=False)
        messages.append(str(caught.value).removeprefix(name))

    assert messages[0] == messages[1]


def test_a_local_user_may_open_any_folder(tmp_path: Path, data_dir: Path):
    settings = make_settings(tmp_path, data_dir)

    assert resolve_data_path(str(tmp_path), settings, is_local=True) == tmp_path
    assert resolve_data_path("~", settings, is_local=True) == Path(os.path.realpath(Path.home()))


def test_the_data_directory_may_be_a_link(tmp_path: Path, data_dir: Path):
    (tmp_path / "link").symlink_to(data_dir)
    settings = make_settings(tmp_path, tmp_path / "link")

    assert resolve_data_path("a set", settings, is_local=False) == data_dir / "a set"


def test_without_a_data_directory_remote_users_cannot_open_any_folder(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"No data directory is configured.*MELANOMA_DATA_DIR"):
        resolve_data_path(str(tmp_path), make_settings(tmp_path), is_local=False)


@pytest.mark.parametrize("text", ["", "  ", "a\0b"])
def test_an_invalid_path_is_rejected(tmp_path: Path, text: str):
    with pytest.raises(DatasetError, match="Found no path in"):
        resolve_data_path(text, make_settings(tmp_path), is_local=True)


def test_the_demonstration_is_drawn_once_into_the_cache_folder(tmp_path: Path):
    settings = make_settings(tmp_path)
    folder = open_demonstration(settings)
    drawn_at = folder.stat().st_mtime_ns

    assert folder.is_relative_to(tmp_path / "cache")
    assert open_demonstration(settings) == folder
    assert folder.stat().st_mtime_ns == drawn_at
    assert len(list(folder.rglob("*.jpg"))) == 64


def test_the_error_for_a_read_only_cache_folder_says_what_to_do(tmp_path: Path):
    (tmp_path / "cache").write_text("a file")

    with pytest.raises(DatasetError, match="Set MELANOMA_CACHE_DIR"):
        open_demonstration(make_settings(tmp_path))
