"""What one person is reading: photographs that wait, those that were read, those refused.

Everything is kept in memory and nothing of the original file but its name: of each photograph
there stay a copy without metadata, large enough for a screen, and its reading.
"""

import csv
import io
import threading
import unicodedata
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoma_core.errors import ImageError

if TYPE_CHECKING:  # for the names alone: a page is painted before ONNX Runtime is there
    import numpy as np
    from numpy.typing import NDArray

    from melanoma_core.models.card import ModelCard
    from melanoma_core.models.classifier import Classifier
    from melanoma_core.reading.reading import Reading, Refusal

SHOWN_SIDE = 1280  # px; sharp on half a wide screen, also enlarged
THUMBNAIL_SIDE = 160  # px
_LONGEST_NAME = 120

_Row = dict[str, str | float]


@dataclass(frozen=True, eq=False)
class Entry:
    """A photograph that was read.

    Attributes:
        key: Unique in its worklist, never used again.
        name: What the file was called, fit to be shown.
        photograph: JPEG without metadata, at most `SHOWN_SIDE` pixels on the longer side.
        thumbnail: Likewise, at most `THUMBNAIL_SIDE`.
        reading: What the network says.
        card: Of the model that read; the next photograph may be read by another.
        seen: uint8 [size, size, 3], what the network saw of it.
    """

    key: int
    name: str
    photograph: bytes
    thumbnail: bytes
    reading: "Reading"
    card: "ModelCard"
    seen: "NDArray[np.uint8]"

    def draw_overlay(
        self, class_name: str, opacity: float, strengths: "NDArray[np.float32] | None" = None
    ) -> bytes:
        """Return the photograph with a diagnosis's heatmap over it, as a JPEG.

        Args:
            class_name: Diagnosis code.
            opacity: Of full strength, in [0, 1].
            strengths: float32 [h, w] in [0, 1], a map of another method; by default the reading's.
        """
        import numpy as np
        from PIL import Image

        from melanoma_core.data.images import encode_jpeg
        from melanoma_core.reading.explanation import enlarge
        from melanoma_core.reading.overlay import blend

        # Our own JPEG: not by `decode_image`, which refuses the narrow ones as it should.
        pixels = np.asarray(Image.open(io.BytesIO(self.photograph)))
        if strengths is None:
            strengths = self.reading.evidence[self.reading.class_names.index(class_name)]
        (heatmap,) = enlarge(strengths[None], *pixels.shape[:2])
        return encode_jpeg(blend(pixels, heatmap, opacity))


@dataclass(frozen=True)
class RefusedFile:
    """A file that was not read.

    Attributes:
        key: Unique in its worklist, never used again.
        name: What the file was called, fit to be shown.
        refusal: Why not.
    """

    key: int
    name: str
    refusal: "Refusal"

    @property
    def reason(self) -> str:
        """What was found, what is needed, what to do."""
        return self.refusal.reason


class Worklist:
    """The photographs of one person, read one by one.

    Safe where an interrupted pass is still reading while the next one begins: a photograph is
    taken, read and kept in one go, so that none is read twice and none is lost.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._next_key = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything, photographs that wait included."""
        with self._lock:
            self._pending: deque[tuple[int, str, bytes]] = deque()
            self._entries: list[Entry] = []
            self._refused: list[RefusedFile] = []
            self._batch_start = self._next_key
            self._opened: int | None = None

    def add(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Put files at the end of those that wait; the most suspicious of them will be opened.

        Args:
            files: Name and content of each. The same name twice makes two entries.
        """
        with self._lock:
            if not self._pending:
                self._batch_start = self._next_key
            for name, content in files:
                self._pending.append((self._next_key, clean_name(name), content))
                self._next_key += 1
            self._opened = None

    def read_next(self, classifier: "Classifier") -> bool:
        """Read the photograph that waits longest; return False where none does."""
        with self._lock:
            if not self._pending:
                return False
            key, name, content = self._pending.popleft()
            result = _read(classifier, key, name, content)
            if isinstance(result, Entry):
                self._entries.append(result)
            else:
                self._refused.append(result)
            self._entries.sort(key=lambda entry: -entry.reading.melanoma_probability)
            return True

    def drop_pending(self) -> None:
        """Forget the photographs that wait; those that were read stay."""
        with self._lock:
            self._pending.clear()

    def dismiss_refused(self) -> None:
        """Forget the files that were refused."""
        with self._lock:
            self._refused.clear()

    def open(self, key: int) -> None:
        """Open the entry with this key."""
        self._opened = key

    @property
    def pending_name(self) -> str | None:
        """Name of the file that is next, or None where none waits."""
        with self._lock:
            return self._pending[0][1] if self._pending else None

    @property
    def progress(self) -> tuple[int, int]:
        """How many files of the current batch are done, and how many there are."""
        with self._lock:
            total = self._next_key - self._batch_start
            return total - len(self._pending), total

    @property
    def entries(self) -> list[Entry]:
        """What was read, the most suspicious first."""
        with self._lock:
            return list(self._entries)

    @property
    def refused(self) -> list[RefusedFile]:
        """What was not, in the order it came."""
        with self._lock:
            return list(self._refused)

    @property
    def position(self) -> int | None:
        """Place of the opened entry among `entries`, or None where there are none.

        Where nobody opened one, it is the most suspicious of those that came last.
        """
        with self._lock:
            keys = [entry.key for entry in self._entries]
            if self._opened in keys:
                return keys.index(self._opened)
            newest = (place for place, key in enumerate(keys) if key >= self._batch_start)
            return next(newest, 0 if keys else None)

    @property
    def opened(self) -> Entry | None:
        """The opened entry, or None where nothing was read."""
        with self._lock:
            position = self.position
            return None if position is None else self._entries[position]


def clean_name(name: str) -> str:
    """Return a file's name fit to be shown: one line, no control or invisible characters.

    A name is hostile text: it may turn the direction of writing, so that `gpj.exe` reads as
    `exe.jpg`.
    """
    seen = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in name)
    seen = " ".join(seen.split())
    if len(seen) > _LONGEST_NAME:
        seen = f"{seen[: _LONGEST_NAME // 2]}…{seen[-_LONGEST_NAME // 2 :]}"
    return seen or "photograph without a name"


def tabulate(worklist: Worklist) -> bytes:
    """Return a worklist as CSV, one row per photograph, the columns named as `predict --json`'s.

    UTF-8 with a byte order mark, without which Excel takes it for another encoding.
    """
    rows = [_describe(entry) for entry in worklist.entries]
    rows += [_describe_refused(file) for file in worklist.refused]
    text = io.StringIO(newline="")
    # Of all rows: another model may have read the later ones, and know other diagnoses.
    table = csv.DictWriter(
        text, fieldnames=list(dict.fromkeys(name for row in rows for name in row))
    )
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def _describe(entry: Entry) -> _Row:
    reading = entry.reading
    row: _Row = {
        "image": _disarm(entry.name),
        "status": "read",
        "reason": "",
        "model_id": reading.model_id,
        "melanoma_probability": reading.melanoma_probability,
        "threshold": reading.threshold,
        "alert": str(reading.alert).lower(),
        "conformal_set": " ".join(reading.prediction_set.members) if reading.prediction_set else "",
    }
    for name, probability in zip(reading.class_names, reading.probabilities, strict=True):
        row[f"probability_{name}"] = probability
    return row | _describe_trust(reading)


def _describe_refused(file: RefusedFile) -> _Row:
    row: _Row = {"image": _disarm(file.name), "status": "refused", "reason": file.reason}
    return row | _describe_trust(file.refusal)


def _describe_trust(result: "Reading | Refusal") -> _Row:
    measured = {"novelty": result.novelty, "novelty_limit": result.novelty_limit}
    row: _Row = {name: value for name, value in measured.items() if value is not None}
    return row | {"quality": "; ".join(finding.text for finding in result.quality)}


def _disarm(name: str) -> str:
    """Keep a spreadsheet from taking a file's name for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name


def _read(classifier: "Classifier", key: int, name: str, content: bytes) -> "Entry | RefusedFile":
    from melanoma_core.data.drawn.shipped import is_drawn
    from melanoma_core.data.images import decode_image, encode_jpeg, resize_to_square
    from melanoma_core.reading.reading import Refusal, read_photograph

    try:
        photograph = decode_image(content)
    except ImageError as error:
        return RefusedFile(key, name, Refusal(str(error)))
    reading = read_photograph(classifier, photograph, is_drawn=is_drawn(content))
    if isinstance(reading, Refusal):
        return RefusedFile(key, name, reading)
    return Entry(
        key=key,
        name=name,
        photograph=encode_jpeg(_shrink(photograph.pixels, SHOWN_SIDE)),
        thumbnail=encode_jpeg(_shrink(photograph.pixels, THUMBNAIL_SIDE)),
        reading=reading,
        card=classifier.card,
        seen=resize_to_square(photograph.pixels, classifier.card.image_size),
    )


def _shrink(pixels: "NDArray[np.uint8]", side: int) -> "NDArray[np.uint8]":
    import numpy as np
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((side, side), Image.Resampling.BILINEAR)
    return np.asarray(picture)
