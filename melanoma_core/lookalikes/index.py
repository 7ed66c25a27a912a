"""Search indexes of embeddings for the lesions nearest to one.

The search is exact: one product of a float32 matrix and a vector per index, the best photograph of
each lesion, then the distances of the best lesions in float64, so that the order of equal ones does
not depend on how the product was summed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.errors import LookalikeError
from melanoma_core.lookalikes.directions import mean_direction
from melanoma_core.lookalikes.index_file import (
    KEYS,
    Arrays,
    hash_texts,
    parse_looks,
    read_index_file,
)
from melanoma_core.lookalikes.lookalike import NUM_SHOWN, IndexFacts, Lookalike, Lookalikes, Query
from melanoma_core.lookalikes.projection import project
from melanoma_core.taxonomy import Confirmation, read_label

_DIGITS = 6  # of a distance: what the stored float32 values give
_MARGIN = 1e-5  # of a product of float32 vectors; far above its rounding
_MOST_DIFFERING = 16  # of the 256 bits of a near copy's look (`copies`)
_MOST_REFINED = 256  # lesions; so many only where hundreds of photographs are equal


class LookalikeIndex:
    """An opened index, mapped into memory. It is safe to share between threads.

    Args:
        facts: What it holds.
        arrays: As `index_file.read_index_file` returns them.
    """

    def __init__(self, facts: IndexFacts, arrays: Arrays) -> None:
        self.facts = facts
        self._vectors = arrays["vectors"]
        self._starts = np.asarray(arrays["starts"])
        self._is_melanoma = np.asarray(arrays["is_melanoma"])
        self._keys = {name: arrays[f"{name} keys"] for name in KEYS}
        self._looks = arrays["looks"]
        self._texts = arrays["texts"]

    def search(self, query: Query, number: int) -> Lookalikes:
        """Find the nearest lesions of this index; see `find_lookalikes`."""
        if not len(self._starts):
            return Lookalikes()
        is_own = self._find_own(query)
        direction = project(mean_direction(query.embeddings)[None])[0]
        # Without BLAS, whose threads spin and take the cores from a reading.
        products = np.einsum("ij,j->i", self._vectors, direction)
        products = np.maximum.reduceat(products, self._starts)
        products[is_own] = -np.inf
        rows = [self._refine(lesion, direction) for lesion in _find_best(products, number)]
        nearest = sorted((self._describe(*row) for row in rows), key=_rank)
        return Lookalikes(
            nearest=tuple(nearest[:number]),
            num_lesions=int((~is_own).sum()),
            num_melanomas=int(self._is_melanoma[~is_own].sum()),
            num_left_out=int(is_own.sum()),
        )

    def _find_own(self, query: Query) -> NDArray[np.bool_]:
        """Return which lesions are the query's own, its patient's, or show a copy, bool [L]."""
        is_own = np.zeros(len(self._vectors), dtype=bool)
        own = (query.lesions, query.patients, query.files, query.fingerprints)
        for name, texts in zip(KEYS, own, strict=True):
            for key in hash_texts(texts - {""}):  # of what is unknown, nothing is known to be own
                is_own |= self._keys[name] == key
        for look in parse_looks(query.looks):
            is_own |= np.bitwise_count(self._looks ^ look).sum(axis=1) <= _MOST_DIFFERING
        lesions: NDArray[np.bool_] = np.logical_or.reduceat(is_own, self._starts)
        return lesions

    def _refine(self, lesion: int, direction: NDArray[np.float32]) -> tuple[int, float]:
        """Return the nearest photograph of a lesion and its distance."""
        start = int(self._starts[lesion])
        is_last = lesion + 1 == len(self._starts)
        end = len(self._vectors) if is_last else int(self._starts[lesion + 1])
        apart = self._vectors[start:end].astype(np.float64) - direction
        distances = np.linalg.norm(apart, axis=1).round(_DIGITS)
        place = int(distances.argmin())
        return start + place, float(distances[place])

    def _describe(self, row: int, distance: float) -> Lookalike:
        texts: Any = self._texts[row]
        names = self._texts.dtype.names or ()
        text = {name: texts[name].decode("utf-8", "surrogateescape") for name in names}
        confirmation = text["confirmation"]
        return Lookalike(
            distance=distance,
            diagnosis=read_label(text["diagnosis"]),
            confirmation=Confirmation(confirmation) if confirmation else None,
            source=text["source"],
            image=text["image"],
            lesion=text["lesion"],
            is_own=self.facts.is_own,
            title=text["title"],
        )


def open_index(path: Path, model_id: str) -> LookalikeIndex:
    """Open an index.

    Args:
        path: The file.
        model_id: Id of the model that reads now.

    Raises:
        LookalikeError: The file is missing, damaged, or of another model.
    """
    facts, arrays = read_index_file(path)
    if facts.model_id != model_id:
        raise LookalikeError(
            f"The index {path} is of the model {facts.model_id}, but {model_id} reads now. Two "
            f"models see photographs differently. Make it again with `melanoma index DIR --out "
            f"{path}`, or read with {facts.model_id}."
        )
    return LookalikeIndex(facts, arrays)


def find_lookalikes(
    query: Query, indexes: Sequence[LookalikeIndex], number: int = NUM_SHOWN
) -> Lookalikes:
    """Find the lesions that look most like one, in all indexes together.

    Args:
        query: The lesion.
        indexes: What is searched, all of the query's model.
        number: How many lesions, at least 1.

    Returns:
        The nearest lesions, each once. Those at equal distances follow each other by their ids.

    Raises:
        LookalikeError: An index is of another model than the query.
    """
    found = []
    for index in indexes:
        if index.facts.model_id != query.model_id:
            raise LookalikeError(
                f'The index "{index.facts.name}" is of the model {index.facts.model_id}, but the '
                f"photographs were read with {query.model_id}. Read them again, or make the index "
                "again with `melanoma index`."
            )
        found.append(index.search(query, number))
    nearest = sorted((each for one in found for each in one.nearest), key=_rank)
    once = {each.lesion: each for each in reversed(nearest)}
    return Lookalikes(
        nearest=tuple(sorted(once.values(), key=_rank))[:number],
        num_lesions=sum(each.num_lesions for each in found),
        num_melanomas=sum(each.num_melanomas for each in found),
        num_left_out=sum(each.num_left_out for each in found),
    )


def _find_best(products: NDArray[np.float32], number: int) -> list[int]:
    """Return the lesions with the largest products, and those that are as near but for rounding."""
    number = min(number, int((products > -np.inf).sum()))
    if not number:
        return []
    limit = np.partition(products, -number)[-number] - np.float32(_MARGIN)
    near = np.flatnonzero(products >= limit)
    order = np.lexsort((near, -products[near].round(_DIGITS - 1)))
    return [int(lesion) for lesion in near[order[: max(number, _MOST_REFINED)]]]


def _rank(lookalike: Lookalike) -> tuple[float, str, str]:
    return lookalike.distance, lookalike.lesion, lookalike.image
