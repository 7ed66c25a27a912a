import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.data.cache import FactCache
from melanoma_core.data.facts import FileFacts

FACTS = FileFacts("ab", "cd", "0" * 64, 120, 90, 0.5, 0.25, 0.001)


def write(path: Path, text: str = "content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def store(cache: FactCache, path: Path, facts: FileFacts = FACTS) -> None:
    _, versions = cache.load([path])
    cache.store({path: facts}, versions)


def load(cache: FactCache, path: Path) -> FileFacts | None:
    return cache.load([path])[0].get(path)


def test_a_new_cache_is_empty_and_missing_files_are_ignored(tmp_path: Path):
    cache = FactCache(tmp_path / "not" / "there" / "yet")

    assert cache.load([]) == ({}, {})
    assert cache.load([tmp_path / "gone.jpg"]) == ({}, {})


def test_every_fact_is_stored_and_loaded(tmp_path: Path):
    path = write(tmp_path / "a.jpg")
    store(FactCache(tmp_path), path)

    assert load(FactCache(tmp_path), path) == FACTS


def test_a_changed_size_or_time_invalidates_the_facts(tmp_path: Path):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path)
    store(cache, path)
    status = path.stat()

    write(path, "content!")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert load(cache, path) is None

    write(path, "content")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert load(cache, path) is None

    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert load(cache, path) == FACTS


def test_a_file_that_changes_while_it_is_measured_is_measured_again(tmp_path: Path):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path)
    _, versions = cache.load([path])
    write(path, "other content")

    cache.store({path: FACTS}, versions)

    assert load(cache, path) is None


def test_unreadable_files_are_not_stored(tmp_path: Path):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path)

    store(cache, path, FileFacts(error="no image"))

    assert load(cache, path) is None


def test_a_link_to_the_folder_shares_its_facts(tmp_path: Path):
    path = write(tmp_path / "real" / "a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    cache = FactCache(tmp_path)

    store(cache, tmp_path / "link" / "a.jpg")

    assert load(cache, path) == FACTS


@pytest.mark.parametrize(
    "name", ["黑色素瘤 ü.jpg", "two\nlines.jpg", "' OR 1=1;--.jpg", "\udcff.jpg"]
)
def test_any_file_name_is_stored(tmp_path: Path, name: str):
    path = write(tmp_path / name)
    cache = FactCache(tmp_path)

    store(cache, path)

    assert load(cache, path) == FACTS


def test_files_with_one_name_in_two_folders_are_two_files(tmp_path: Path):
    one, other = write(tmp_path / "a" / "1.jpg"), write(tmp_path / "b" / "1.jpg")
    cache = FactCache(tmp_path)
    store(cache, one)
    store(cache, other, replace(FACTS, width=7))

    facts, _ = cache.load([one, other])

    assert (facts[one].width, facts[other].width) == (120, 7)


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_cache_is_replaced(tmp_path: Path, damage: bytes):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path)
    store(cache, path)
    cache.path.write_bytes(damage)

    assert load(cache, path) is None
    store(cache, path)
    assert load(cache, path) == FACTS


def test_a_cache_with_damaged_pages_is_replaced(tmp_path: Path):
    files = [write(tmp_path / f"{number}.jpg") for number in range(300)]
    cache = FactCache(tmp_path)
    cache.store(dict.fromkeys(files, FACTS), cache.load(files)[1])
    content = bytearray(cache.path.read_bytes())
    content[4096:12288] = b"\xa5" * 8192
    cache.path.write_bytes(content)

    assert cache.load(files)[0] == {}
    store(cache, files[0])
    assert load(cache, files[0]) == FACTS


def test_a_cache_that_cannot_be_created_is_not_used(tmp_path: Path, caplog):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(write(tmp_path / "file") / "below a file")

    store(cache, path)

    assert load(cache, path) is None
    assert "Cannot use the cache" in caplog.text


def test_a_folder_in_place_of_the_cache_is_left_alone(tmp_path: Path):
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path / "cache")
    cache.path.mkdir(parents=True)

    store(cache, path)

    assert load(cache, path) is None
    assert cache.path.is_dir()


def test_a_locked_cache_is_not_used_after_waiting(tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr("melanoma_core.data.cache._LOCK_SECONDS", 0.1)
    path = write(tmp_path / "a.jpg")
    cache = FactCache(tmp_path)
    store(cache, path)
    other = sqlite3.connect(cache.path)
    other.execute("BEGIN EXCLUSIVE")

    store(cache, path, replace(FACTS, width=7))

    other.rollback()
    other.close()
    assert "database is locked" in caplog.text
    assert load(cache, path) == FACTS
