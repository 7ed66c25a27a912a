import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.data.cache import FactCache
from melanoma_core.data.facts import FileFacts

FACTS = FileFacts("ab", "cd", "0" * 64, 120, 90, 0.5, 0.25, 0.001)


def write(path: Path, text: str = "picture") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def keep(cache: FactCache, path: Path, facts: FileFacts = FACTS) -> None:
    _, versions = cache.recall([path])
    cache.keep({path: facts}, versions)


def recall(cache: FactCache, path: Path) -> FileFacts | None:
    return cache.recall([path])[0].get(path)


def test_nothing_is_known_at_first_and_no_file_is_no_trouble(tmp_path: Path):
    cache = FactCache(tmp_path / "not" / "there" / "yet")

    assert cache.recall([]) == ({}, {})
    assert cache.recall([tmp_path / "gone.jpg"]) == ({}, {})


def test_every_fact_comes_back_as_it_was(tmp_path: Path):
    path = write(tmp_path / "a.jpg")
    keep(FactCache(tmp_path), path)

    assert recall(FactCache(tmp_path), path) == FACTS


def test_another_size_or_another_time_of_change_forgets(tmp_path: Path):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path)
    keep(cache, path)
    status = path.stat()

    write(path, "picture!")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert recall(cache, path) is None

    write(path, "picture")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert recall(cache, path) is None

    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert recall(cache, path) == FACTS


def test_a_file_that_changes_while_it_is_measured_is_measured_anew(tmp_path: Path):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path)
    _, versions = cache.recall([path])
    write(path, "another picture")

    cache.keep({path: FACTS}, versions)

    assert recall(cache, path) is None


def test_what_could_not_be_read_is_not_remembered(tmp_path: Path):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path)

    keep(cache, path, FileFacts(error="no picture"))

    assert recall(cache, path) is None


def test_a_link_to_the_folder_leads_to_the_same_facts(tmp_path: Path):
    path = write(tmp_path / "real" / "a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    cache = FactCache(tmp_path)

    keep(cache, tmp_path / "link" / "a.jpg")

    assert recall(cache, path) == FACTS


@pytest.mark.parametrize(
    "name", ["黑色素瘤 ü.jpg", "two\nlines.jpg", "' OR 1=1;--.jpg", "\udcff.jpg"]
)
def test_a_name_in_any_script_and_even_in_none_is_kept(tmp_path: Path, name: str):
    path = write(tmp_path / name)
    cache = FactCache(tmp_path)

    keep(cache, path)

    assert recall(cache, path) == FACTS


def test_namesakes_in_two_folders_are_two_files(tmp_path: Path):
    one, other = write(tmp_path / "a" / "1.jpg"), write(tmp_path / "b" / "1.jpg")
    cache = FactCache(tmp_path)
    keep(cache, one)
    keep(cache, other, replace(FACTS, width=7))

    known, _ = cache.recall([one, other])

    assert (known[one].width, known[other].width) == (120, 7)


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_cache_is_dropped_and_begun_anew(tmp_path: Path, damage: bytes):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path)
    keep(cache, path)
    cache.path.write_bytes(damage)

    assert recall(cache, path) is None
    keep(cache, path)
    assert recall(cache, path) == FACTS


def test_pages_of_garbage_inside_the_cache_cost_no_more_than_a_scan(tmp_path: Path):
    files = [write(tmp_path / f"{number}.jpg") for number in range(300)]
    cache = FactCache(tmp_path)
    cache.keep(dict.fromkeys(files, FACTS), cache.recall(files)[1])
    content = bytearray(cache.path.read_bytes())
    content[4096:12288] = b"\xa5" * 8192
    cache.path.write_bytes(content)

    assert cache.recall(files)[0] == {}
    keep(cache, files[0])
    assert recall(cache, files[0]) == FACTS


def test_a_cache_that_cannot_be_made_is_done_without(tmp_path: Path, caplog):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(write(tmp_path / "file") / "below a file")

    keep(cache, path)

    assert recall(cache, path) is None
    assert "Did without the cache" in caplog.text


def test_a_cache_that_is_a_folder_is_done_without_and_left_alone(tmp_path: Path):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path / "cache")
    cache.path.mkdir(parents=True)

    keep(cache, path)

    assert recall(cache, path) is None
    assert cache.path.is_dir()


def test_a_locked_cache_is_waited_for_and_then_done_without(tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr("melanoma_core.data.cache._WAIT_SECONDS", 0.1)
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path)
    keep(cache, path)
    other = sqlite3.connect(cache.path)
    other.execute("BEGIN EXCLUSIVE")

    keep(cache, path, replace(FACTS, width=7))

    other.rollback()
    other.close()
    assert "database is locked" in caplog.text
    assert recall(cache, path) == FACTS
