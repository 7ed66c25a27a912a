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
from melanoma_core.data.dataset import load_records
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


def test_a_directory_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"Cannot list the folder .*nowhere"):
        list_datasets(tmp_path / "nowhere")


def test_the_whole_and_each_of_its_datasets_are_listed_without_the_rest(data_dir: Path):
    assert list_datasets(data_dir) == [
        DatasetFolder(data_dir, ("class-folders", "class-folders")),
        DatasetFolder(data_dir / "a set", ("class-folders",)),
        DatasetFolder(data_dir / "b set", ("class-folders",)),
    ]


def test_a_directory_that_is_one_dataset_is_listed_alone(data_dir: Path):
    assert list_datasets(data_dir / "a set") == [
        DatasetFolder(data_dir / "a set", ("class-folders",))
    ]


def test_a_directory_with_one_dataset_lists_that(data_dir: Path, tmp_path: Path):
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
def test_others_may_open_nothing_outside_not_even_through_a_link(
    tmp_path: Path, data_dir: Path, text: str
):
    (data_dir / "out").symlink_to(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (data_dir / "loop").symlink_to(tmp_path / "loop")

    with pytest.raises(DatasetError, match="lies outside of the data directory"):
        resolve_data_path(
            text.format(data=data_dir), make_settings(tmp_path, data_dir), is_local=False
        )


def test_the_refusal_does_not_tell_whether_there_is_such_a_folder(tmp_path: Path, data_dir: Path):
    settings = make_settings(tmp_path, data_dir)
    answers = []
    for name in (str(tmp_path), str(tmp_path / "nothing")):
        with pytest.raises(DatasetError) as refused:
            resolve_data_path(name, settings, is_local=False)
        answers.append(str(refused.value).removeprefix(name))

    assert answers[0] == answers[1]


def test_the_owner_of_the_machine_may_open_anything(tmp_path: Path, data_dir: Path):
    settings = make_settings(tmp_path, data_dir)

    assert resolve_data_path(str(tmp_path), settings, is_local=True) == tmp_path
    assert resolve_data_path("~", settings, is_local=True) == Path(os.path.realpath(Path.home()))


def test_a_link_as_the_data_directory_is_the_folder_that_it_leads_to(
    tmp_path: Path, data_dir: Path
):
    (tmp_path / "link").symlink_to(data_dir)
    settings = make_settings(tmp_path, tmp_path / "link")

    assert resolve_data_path("a set", settings, is_local=False) == data_dir / "a set"


def test_without_a_data_directory_others_may_open_nothing(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"none is configured.*MELANOMA_DATA_DIR"):
        resolve_data_path(str(tmp_path), make_settings(tmp_path), is_local=False)


@pytest.mark.parametrize("text", ["", "  ", "a\0b"])
def test_no_path_at_all_is_said_to_be_none(tmp_path: Path, text: str):
    with pytest.raises(DatasetError, match="Found no path in"):
        resolve_data_path(text, make_settings(tmp_path), is_local=True)


def test_the_demonstration_is_drawn_once_and_outside_of_anybodys_data(tmp_path: Path):
    settings = make_settings(tmp_path)
    folder = open_demonstration(settings)
    drawn_at = folder.stat().st_mtime_ns

    assert folder.is_relative_to(tmp_path / "cache")
    assert open_demonstration(settings) == folder
    assert folder.stat().st_mtime_ns == drawn_at
    assert len(load_records(folder)) == 64


def test_a_cache_folder_that_cannot_be_written_to_is_named(tmp_path: Path):
    (tmp_path / "cache").write_text("a file")

    with pytest.raises(DatasetError, match="Set MELANOMA_CACHE_DIR"):
        open_demonstration(make_settings(tmp_path))
