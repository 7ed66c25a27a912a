"""Match the rows of a table with image files by the names of both."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from melanoma_core.data.tables import (
    extract_isic_id,
    make_image_key,
    normalise_path,
    strip_image_suffix,
)

# How closely the end of a path has to agree, most closely first.
_WAYS: tuple[Callable[[str], str], ...] = (
    lambda path: path,
    strip_image_suffix,
    lambda path: strip_image_suffix(path).casefold(),
)


@dataclass(frozen=True)
class Match:
    """Which row of a table is about which file.

    Attributes:
        rows: The position of the row of each file, None for a file that no row is about.
        missing: Positions of rows without a file.
        ambiguous: Positions of files that a row may be about, and so may others.
    """

    rows: tuple[int | None, ...]
    missing: tuple[int, ...]
    ambiguous: tuple[int, ...]


def match_files(images: Sequence[str], paths: Sequence[Path]) -> Match:
    """Match the images that a table names with files.

    All files with the ISIC id of a row belong to it. Other names are compared without folder and
    suffix; where several files or rows share a name, their folders, suffixes and case decide.

    Args:
        images: As the table writes them, each once.
        paths: The files.

    Example:
        >>> paths = [Path("images/nevus/0.jpg"), Path("images/melanoma/0.jpg")]
        >>> match_files(["melanoma/0.jpg", "nevus/0.jpg"], paths).rows
        (1, 0)
        >>> match_files(["0"], paths).ambiguous
        (0, 1)
    """
    row_of: list[int | None] = [None] * len(paths)
    missing: list[int] = []
    ambiguous: list[int] = []
    files_by_key = _group_positions(path.name for path in paths)
    for key, rows in _group_positions(images).items():
        files = files_by_key.get(key, [])
        if extract_isic_id(key) or len(rows) == len(files) == 1:
            found = {rows[0]: files}
        else:
            found = {row: _choose(images[row], files, paths) for row in rows}
        for row, chosen in found.items():
            if not chosen:
                missing.append(row)
            elif len(chosen) > 1 and not extract_isic_id(key):
                ambiguous.extend(chosen)
            else:
                for file in chosen:
                    row_of[file] = row
    return Match(tuple(row_of), tuple(sorted(missing)), tuple(sorted(set(ambiguous))))


def _group_positions(names: Iterable[str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(names):
        groups[make_image_key(name).casefold()].append(position)
    return groups


def _choose(image: str, files: list[int], paths: Sequence[Path]) -> list[int]:
    """Return the files whose path ends most closely like the name of an image."""
    for way in _WAYS:
        end = "/" + way(normalise_path(image)).lstrip("/")
        chosen = [
            file for file in files if ("/" + way(normalise_path(str(paths[file])))).endswith(end)
        ]
        if chosen:
            return chosen
    return []
