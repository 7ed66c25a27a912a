import os
from pathlib import Path

import pytest

from melanoma_core.errors import FolderError
from melanoma_core.files import write_file

ADVICE = "or name another file"


def test_a_file_is_replaced_and_its_partial_file_is_gone(tmp_path: Path):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    write_file(path, lambda file: file.write(b"new"), ADVICE)

    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("several_writers", [False, True])
def test_a_write_that_fails_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, several_writers: bool
):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(FolderError) as caught:
        write_file(path, b"new", ADVICE, several_writers=several_writers)

    assert str(caught.value) == (
        f"Cannot write {path} (No space left on device). Free some space on its disk, or name "
        "another file."
    )
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(FolderError, match=r"\(No such file or directory\)\. Check that you may"):
        write_file(tmp_path / "gone" / "a", b"", ADVICE)


@pytest.mark.skipif(os.name != "posix", reason="needs a named pipe")
def test_a_device_is_written_directly(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    write_file(pipe, b"text", ADVICE)

    assert os.read(reader, 10) == b"text"
    os.close(reader)
