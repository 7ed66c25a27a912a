"""The file of an index: a description in JSON, then NumPy arrays, one after another.

Each part is in NumPy's own format (`numpy.lib.format`), so that the arrays are mapped into memory
where they are: opening an index of 400,000 photographs reads none of them. The file holds no id of
a patient, only a hash of 64 bits by which a patient's own lesions are left out.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.lib import format as npy
from numpy.typing import NDArray

from melanoma_core.errors import LookalikeError
from melanoma_core.files import write_file
from melanoma_core.jsonable import from_jsonable
from melanoma_core.lookalikes.lookalike import IndexFacts

TEXTS = ("lesion", "image", "source", "diagnosis", "confirmation", "title")
KEYS = ("lesion", "patient", "file", "fingerprint")
_FORMAT = "melanoma look-alikes 1"
_ARRAYS = ("starts", "texts", *(f"{name} keys" for name in KEYS), "looks", "is_melanoma", "vectors")
_LOOK_WORDS = 4  # of 64 bits
_ALIGNMENT = 64  # bytes: NumPy copies what does not begin at a multiple of a number's size
_ADVICE = "or name another file with `--out`"

Arrays = dict[str, NDArray[Any]]


def write_index_file(
    path: Path, facts: IndexFacts, rows: pd.DataFrame, vectors: NDArray[np.float32]
) -> None:
    """Write an index whole, or leave the one that is there.

    Args:
        path: The file.
        facts: What it holds.
        rows: One per photograph, sorted by `lesion`: the columns of `TEXTS` and `KEYS` as texts,
            missing where unknown; and `look` (`scanning.hash_look`).
        vectors: float32 [N, d], of length 1.

    Raises:
        FolderError: The file cannot be written.
    """
    is_first = (rows["lesion"] != rows["lesion"].shift()).to_numpy(dtype=bool)
    arrays: Arrays = {
        "starts": np.flatnonzero(is_first).astype(np.int64),
        "texts": _encode_texts(rows),
        "looks": parse_looks(rows["look"]),
        "is_melanoma": (rows["diagnosis"] == "MEL").to_numpy(dtype=bool)[is_first],
        "vectors": np.ascontiguousarray(vectors, np.float32),
    }
    arrays |= {f"{name} keys": hash_texts(rows[name]) for name in KEYS}
    description = json.dumps({"format": _FORMAT, "facts": asdict(facts)}).encode()

    def write(file: IO[bytes]) -> None:
        for array in (np.frombuffer(description, np.uint8), *(arrays[name] for name in _ARRAYS)):
            file.write(bytes(-file.seek(0, 1) % _ALIGNMENT))
            npy.write_array(file, array, allow_pickle=False)

    write_file(path, write, _ADVICE)


def read_index_file(path: Path) -> tuple[IndexFacts, Arrays]:
    """Map an index into memory.

    Returns:
        What it holds, and its arrays by name: `starts` int64 [L], the first row of each lesion;
        `texts` [N] with the fields `TEXTS`; `lesion keys` and so on, uint64 [N]; `looks`
        uint64 [N, 4]; `is_melanoma` bool [L]; `vectors` float32 [N, d].

    Raises:
        LookalikeError: The file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            description = json.loads(_map_array(file).tobytes())
            if description["format"] != _FORMAT:
                raise ValueError(f'its format is "{description["format"]}", not "{_FORMAT}"')
            facts = from_jsonable(IndexFacts, description["facts"])
            arrays = {name: _map_array(file) for name in _ARRAYS}
        _check(facts, arrays)
    except FileNotFoundError as error:
        raise LookalikeError(
            f"Found no index {path}. Make it with `melanoma index DIR --out {path}`, or correct "
            "the name in MELANOMA_INDEXES."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise LookalikeError(
            f"Cannot read the index {path} ({error}). Make it again with `melanoma index DIR --out "
            f"{path}`."
        ) from error
    return facts, arrays


def hash_texts(texts: Iterable[str | None]) -> NDArray[np.uint64]:
    """Return 64 bits of the SHA-256 of each text; 0 for a missing one.

    Example:
        >>> hash_texts(["a", None]).tolist()
        [14598278634844962250, 0]
    """
    return np.array([_hash_text(each) for each in texts], np.uint64)


def parse_looks(looks: Iterable[str]) -> NDArray[np.uint64]:
    """Return hashes of 64 hexadecimal digits as numbers, uint64 [N, 4]."""
    content = bytes.fromhex("".join(looks))
    return np.frombuffer(content, ">u8").astype(np.uint64).reshape(-1, _LOOK_WORDS)


def _hash_text(text: object) -> int:
    if not isinstance(text, str) or not text:
        return 0
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big")


def _encode_texts(rows: pd.DataFrame) -> NDArray[Any]:
    """Return a structured array of bytes; file names that are not UTF-8 keep theirs."""
    columns: Mapping[str, Sequence[bytes]] = {
        name: [
            text.encode("utf-8", "surrogateescape") if isinstance(text, str) else b""
            for text in rows[name]
        ]
        for name in TEXTS
    }
    widths = {name: max(1, *map(len, [b"", b"", *column])) for name, column in columns.items()}
    texts = np.zeros(len(rows), [(name, f"S{width}") for name, width in widths.items()])
    for name, column in columns.items():
        texts[name] = column
    return texts


def _map_array(file: IO[bytes]) -> NDArray[Any]:
    """Map the next array, and go behind it."""
    file.seek(-file.seek(0, 1) % _ALIGNMENT, 1)
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    if dtype.hasobject or is_fortran:
        raise ValueError("it holds an array of another kind")
    start, num_bytes = file.seek(0, 1), int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if file.seek(0, 2) < start + num_bytes:
        raise ValueError("it ends too early")
    file.seek(start + num_bytes)
    if not num_bytes:
        return np.zeros(shape, dtype)
    return np.memmap(file.name, dtype, "r", start, shape)


def _check(facts: IndexFacts, arrays: Arrays) -> None:
    """Refuse arrays that do not fit together."""
    starts, vectors = arrays["starts"], arrays["vectors"]
    num_rows, num_lesions = len(vectors), len(starts)
    fits = (
        vectors.ndim == 2
        and vectors.dtype == np.float32
        and starts.dtype == np.int64
        and arrays["is_melanoma"].shape == (num_lesions,)
        and arrays["texts"].dtype.names == TEXTS
        and arrays["looks"].shape == (num_rows, _LOOK_WORDS)
        and all(len(arrays[name]) == num_rows for name in ("texts", *_key_names()))
        and (facts.num_photographs, facts.num_lesions) == (num_rows, num_lesions)
        and (not num_lesions or (starts[0] == 0 and bool((np.diff(starts) > 0).all())))
        and (not num_lesions or starts[-1] < num_rows)
    )
    if not fits:
        raise ValueError("its parts do not fit together")


def _key_names() -> tuple[str, ...]:
    return tuple(f"{name} keys" for name in KEYS)
