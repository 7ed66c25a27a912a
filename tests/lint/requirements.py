"""Requirements: one version each, with hashes, and no package index by its address."""

import re
from collections.abc import Iterator

from tests.lint.repository import ROOT

FILES = ("requirements.txt", "requirements-uv.txt", "tests/requirements.txt")
_ADDRESSES = ("http:", "https:", "file:", "git+", "--index-url", "--find-links", "extra-index")
_ENTRY = re.compile(r"[\w.-]+(\[[\w,-]+\])?==[\w.!+-]+( ; [^-]+?)?( +--hash=sha256:\w{64})+")


def find_unhashed() -> Iterator[str]:
    """Look for requirements that are not exactly one version with its hashes."""
    for name in FILES:
        text = (ROOT / name).read_text("utf-8")
        entries = re.sub(r"\s*#.*", "", text).replace("\\\n", " ").strip().splitlines()
        for entry in filter(str.strip, entries):
            if not _ENTRY.fullmatch(entry.strip()):
                yield f"{name}: not one version with its hashes: {entry.strip()[:80]}"


def find_index_addresses() -> Iterator[str]:
    """Look for addresses of package indexes."""
    for name in (*FILES, "pyproject.toml"):
        text = (ROOT / name).read_text("utf-8")
        yield from (f"{name}: names an address ({each})" for each in _ADDRESSES if each in text)


def find_missing_pins() -> Iterator[str]:
    """Look for dependencies of pyproject.toml that requirements.txt does not pin."""
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    pinned = (ROOT / "requirements.txt").read_text("utf-8")
    wanted = project.partition("\ndependencies = [")[2].partition("\n]")[0]
    for name in re.findall(r'^ +"([\w.-]+)', wanted, re.M):
        pattern = re.sub(r"[-_.]+", "[-_.]+", name)  # all are one name
        if not re.search(rf"^{pattern}(\[.*\])?==", pinned, re.M | re.I):
            yield f"requirements.txt: {name} of pyproject.toml is not pinned"
