"""What may be committed at all."""

import re
from collections.abc import Iterator

from tests.lint.repository import ROOT, list_files, list_texts

MOST_BYTES = 16 * 2**20
MOST_LINES = 420
_DRAWERS = {"utils", "helpers", "manager", "common", "misc"}
_MACHINE = re.compile(r"(?<![\w.])/(?:" + "|".join(["work", "root", "tmp"]) + r")/(?:\w+/)")


def find_machine_paths() -> Iterator[str]:
    """Look for paths of the machine that a file was written on."""
    for name, text in list_texts().items():
        for match in _MACHINE.finditer(text):
            yield f"{name}: names a path of a machine: {match.group()}"


def find_large_files() -> Iterator[str]:
    """Look for files that history should not keep."""
    for path in list_files():
        if path.stat().st_size > MOST_BYTES:
            yield f"{path.relative_to(ROOT)}: larger than 16 MiB"


def find_photographs() -> Iterator[str]:
    """Look for photographs of data sets, by their names."""
    for path in list_files():
        if re.search(r"ISIC_\d{7}", path.name):
            yield f"{path.relative_to(ROOT)}: a photograph of a data set"


def find_long_modules() -> Iterator[str]:
    """Look for modules without one subject: too long, or named after none."""
    for name, text in list_texts(".py").items():
        if not name.startswith(("melanoma_core/", "dashboard/")):
            continue
        num_lines = len(text.splitlines())
        if num_lines > MOST_LINES:
            yield f"{name}: {num_lines} lines; split it by subject (at most {MOST_LINES})"
        if _DRAWERS & set(re.split(r"[/.]", name)):
            yield f"{name}: a name for anything; name it after its subject"
