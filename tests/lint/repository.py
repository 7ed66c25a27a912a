"""The committed files, and those that would be."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def list_files() -> list[Path]:
    """Return every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in sorted(set(filter(None, listed.stdout.split("\0"))))]
    return [path for path in paths if path.is_file()]


def list_texts(*suffixes: str) -> dict[str, str]:
    """Return the text of every file with one of the suffixes (of every one, without any)."""
    texts = {}
    for path in list_files():
        if suffixes and path.suffix not in suffixes:
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            texts[path.relative_to(ROOT).as_posix()] = content.decode("utf-8")
    return texts


def list_documents() -> dict[str, str]:
    """Return the text of every Markdown document."""
    return list_texts(".md")
