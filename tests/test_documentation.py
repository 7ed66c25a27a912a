"""What the documents and the package promise."""

import re
import shlex
import subprocess

import pytest

from melanoma_core.cli.main import _build_parser
from melanoma_core.settings import PROJECT_ROOT

GUIDES = ("README.md", "CONTRIBUTING.md")
DOCUMENTS = (*GUIDES, "docs/network.md")
COMMAND = re.compile(r"python3? -m melanoma_core\b(.*)")


def read_commands(document: str) -> list[str]:
    """Return every line of the fenced shell blocks of a document, continued lines joined."""
    text = (PROJECT_ROOT / document).read_text("utf-8")
    blocks = re.findall(r"^ *```(?:bash|sh|console|shell)\n(.*?)^ *```", text, re.M | re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip()]


def list_text_files() -> dict[str, str]:
    """Return the text of every file that is or would be committed, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = PROJECT_ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            texts[name] = content.decode("utf-8")
    return texts


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_and_option_that_a_document_shows_exists(document: str):
    shown = [match for line in read_commands(document) if (match := COMMAND.search(line))]
    assert shown, f"{document} shows no command"

    for match in shown:
        # What a shell would hand over: no comment, and nothing behind a pipe or a redirection.
        command = re.split(r"[|>;&]", match.group(1))[0]
        try:
            _build_parser().parse_args(shlex.split(command, comments=True))
        except SystemExit as end:
            wrong = end.code != 0  # `--help` ends with 0
        else:
            wrong = False
        assert not wrong, f"{document} shows `{match.group()}`, which is bad usage"


@pytest.mark.parametrize("document", GUIDES)
def test_every_make_target_that_a_document_shows_exists(document: str):
    targets = set(re.findall(r"^([\w-]+):", (PROJECT_ROOT / "Makefile").read_text("utf-8"), re.M))
    text = (PROJECT_ROOT / document).read_text("utf-8")
    inline = re.findall(r"`(make [\w -]+)`", text)
    shown = {
        word
        for command in [*read_commands(document), *inline]
        if command.startswith("make ")
        for word in shlex.split(command, comments=True)[1:]
        if "=" not in word and not word.startswith("-")
    }

    assert shown
    assert shown <= targets


def test_the_readme_shows_how_to_read_train_and_list():
    text = (PROJECT_ROOT / "README.md").read_text("utf-8")

    for command in ("predict", "train", "models"):
        assert f"python -m melanoma_core {command}" in text


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_every_requirement_is_one_version_with_its_hashes(name: str):
    text = (PROJECT_ROOT / name).read_text("utf-8")
    entries = re.sub(r"\s*#.*", "", text).replace("\\\n", " ").strip().splitlines()
    entries = [entry for entry in entries if entry.strip()]

    assert len(entries) > 10
    for entry in entries:
        requirement = re.compile(
            r"[\w.-]+(\[[\w,-]+\])?==[\w.!+-]+( ; [^-]+?)?( +--hash=sha256:\w{64})+"
        )
        assert requirement.fullmatch(entry.strip()), entry[:120]


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt", "pyproject.toml"])
def test_no_file_names_the_address_of_a_package_index(name: str):
    text = (PROJECT_ROOT / name).read_text("utf-8")

    for address in (
        "http:",
        "https:",
        "file:",
        "git+",
        "--index-url",
        "--find-links",
        "extra-index",
    ):
        assert address not in text


def test_what_pyproject_asks_for_is_in_the_requirements():
    project = (PROJECT_ROOT / "pyproject.toml").read_text("utf-8")
    wanted = project.partition("dependencies = [")[2].partition("]")[0]
    pinned = (PROJECT_ROOT / "requirements.txt").read_text("utf-8")

    names = re.findall(r'"([\w-]+)', wanted)
    assert len(names) >= 10
    for name in names:
        assert re.search(rf"^{name}(\[.*\])?==", pinned, re.M | re.I), name


def test_no_committed_file_names_a_folder_of_the_machine_that_it_was_written_on():
    folders = "|".join(["work", "root", "tmp/train", "tmp/brief"])
    machine = re.compile(rf"(?<![\w.])/(?:{folders})/")

    texts = list_text_files()

    assert "pyproject.toml" in texts
    assert {name for name, text in texts.items() if machine.search(text)} == set()


def test_nothing_large_and_no_photograph_is_committed():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = filter(None, listed.stdout.split("\0"))
    paths = [PROJECT_ROOT / name for name in names if (PROJECT_ROOT / name).is_file()]

    large = {path.name for path in paths if path.stat().st_size > 16 * 2**20}
    assert large == set()
    assert not [p for p in paths if re.search(r"ISIC_\d{7}", p.name)]
