"""A server for others reads nothing outside of its data directory; one's own machine does."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.data.audit import audit_records
from melanoma_core.data.cache import FactCache
from melanoma_core.data.census import Role
from melanoma_core.data.fence import Fence, find_fence
from melanoma_core.data.opening import OpenedFolder, open_folder
from melanoma_core.data.outlines import select_outlined
from melanoma_core.settings import load_settings, make_environment

Draw = Callable[..., Path]


@pytest.fixture
def data_dir(tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a data directory with one photograph, and links in it of every kind."""
    data_dir = tmp_path / "data"
    draw(data_dir / "set" / "melanoma" / "own.png", 1)
    draw(data_dir / "other" / "inside.png", 2)
    draw(tmp_path / "private" / "secret.png", 3)
    draw(tmp_path / "private" / "nevus" / "deep.png", 4)
    (tmp_path / "private" / "secret.csv").write_text("image_id,patient_id\nown,ada\n")
    links = {
        "melanoma/linked.png": tmp_path / "private" / "secret.png",
        "melanoma/missing.png": tmp_path / "private" / "missing.png",
        "melanoma/within.png": data_dir / "other" / "inside.png",
        "nevus": tmp_path / "private" / "nevus",
        "table.csv": tmp_path / "private" / "secret.csv",
    }
    for name, target in links.items():
        (data_dir / "set" / name).symlink_to(target)
    monkeypatch.setenv("MELANOMA_DATA_DIR", str(data_dir))
    return data_dir


def open_set(data_dir: Path) -> OpenedFolder:
    return open_folder(data_dir / "set", FactCache(data_dir.parent / "cache"))


def list_names(opened: OpenedFolder) -> list[str]:
    return sorted(Path(path).name for path in opened.records["path"])


def test_on_ones_own_machine_links_are_followed_anywhere(data_dir: Path):
    opened = open_set(data_dir)

    assert find_fence() is None
    assert list_names(opened) == ["deep.png", "linked.png", "missing.png", "own.png", "within.png"]
    assert Role.BARRED not in opened.census.counts


def test_a_server_for_others_follows_links_within_its_data_directory_alone(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_SHARED", "1")

    opened = open_set(data_dir)

    assert list_names(opened) == ["own.png", "within.png"]
    assert opened.census.counts == {Role.IMAGE: 2, Role.BARRED: 4}
    assert opened.census.unread_tables == ()  # not opened
    findings = audit_records(opened.records, census=opened.census).findings
    (finding,) = [each for each in findings if each.kind == "barred-links"]
    assert finding.sentence.startswith("4 links out of the data directory are not followed,")


def test_what_was_measured_before_the_server_was_shared_is_left_out_too(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    open_set(data_dir)  # keeps the measurements of all files
    monkeypatch.setenv("MELANOMA_SHARED", "1")

    assert list_names(open_set(data_dir)) == ["own.png", "within.png"]


def test_a_child_process_of_a_shared_server_has_the_fence_too(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_SHARED", "1")
    environment = make_environment(load_settings())
    monkeypatch.delenv("MELANOMA_SHARED")

    code = "from melanoma_core.data.fence import find_fence; print(find_fence().folder)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )

    assert found.stdout.strip() == str(data_dir)


def test_neighbours_of_the_data_directory_are_no_companions_on_a_server_for_others(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
):
    data_dir, beside = tmp_path / "data", tmp_path / "HAM"
    draw(data_dir / "nevus" / "ISIC_0000001.png", 1)
    draw(beside / "ISIC_0000001.png", 1)
    table = "image_id,lesion_id,dx\nISIC_0000001,HAM_7,nv\n"
    (beside / "HAM10000_metadata.csv").write_text(table)
    monkeypatch.setenv("MELANOMA_DATA_DIR", str(data_dir))
    cache = FactCache(tmp_path / "cache")
    assert len(open_folder(data_dir, cache).companions.known_lesions) == 1

    monkeypatch.setenv("MELANOMA_SHARED", "1")
    assert open_folder(data_dir, cache).companions.known_lesions == {}


def test_outlines_outside_of_the_data_directory_are_not_found_on_a_server_for_others(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
):
    image = draw(tmp_path / "data" / "set" / "images" / "ISIC_0000001.png", 1)
    draw(tmp_path / "private" / "ISIC_0000001_segmentation.png", 1)
    (tmp_path / "data" / "set" / "masks").symlink_to(tmp_path / "private")
    monkeypatch.setenv("MELANOMA_DATA_DIR", str(tmp_path / "data"))
    table = pd.DataFrame({"path": [str(image)]})
    assert len(select_outlined(table)) == 1

    monkeypatch.setenv("MELANOMA_SHARED", "1")
    assert len(select_outlined(table)) == 0


def test_without_a_data_directory_no_link_is_followed(tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path)

    assert Fence(None).bars(tmp_path / "link")
    assert not Fence(None).bars(tmp_path)
