import os
import subprocess
import sys
from pathlib import Path

import pytest

from melanoma_core.errors import FolderError
from melanoma_core.files import make_draft, remove_dead_drafts, write_file
from melanoma_core.settings import PROJECT_ROOT

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


DRAFT = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from melanoma_core.files import make_draft\n"
    "with make_draft(Path(sys.argv[1]), '') as draft:\n"
    "    (draft / 'half').write_text('a model')\n"
    "    print(draft.name, flush=True)\n"
    "    time.sleep(600)\n"
)


def list_visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*") if path.name != ".drafts.lock")


def test_a_draft_becomes_a_folder_in_one_step_or_goes(tmp_path: Path):
    with make_draft(tmp_path / "models", ADVICE) as draft:
        (draft / "card.json").write_text("{}")
        draft.rename(tmp_path / "models" / "whole")
    with pytest.raises(ZeroDivisionError), make_draft(tmp_path / "models", ADVICE) as draft:
        (draft / "card.json").write_text(str(1 // 0))

    assert list_visible(tmp_path / "models") == ["whole"]
    assert (tmp_path / "models" / "whole" / "card.json").read_text() == "{}"


def test_drafts_of_dead_processes_go_and_those_of_others_stay(tmp_path: Path):
    def begin() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", DRAFT, tmp_path],
            cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    (killed, its_draft), (alive, other) = begin(), begin()
    killed.kill()
    killed.wait()
    assert (tmp_path / its_draft / "half").exists()
    (tmp_path / ".draft-older").mkdir()  # without a lock, as versions up to now left it

    remove_dead_drafts(tmp_path)

    assert list_visible(tmp_path) == [other, f"{other}.lock"]
    alive.kill()
    alive.wait()
    with make_draft(tmp_path, ADVICE) as mine:
        assert list_visible(tmp_path) == sorted([mine.name, f"{mine.name}.lock"])
    assert list_visible(tmp_path) == []


def test_a_folder_in_which_no_draft_can_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(FolderError, match="Cannot write"), make_draft(tmp_path / "file", ADVICE):
        pass
