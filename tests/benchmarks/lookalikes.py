"""The nearest lesions among as many photographs as ISIC 2024 has, with drawn vectors."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from melanoma_core.lookalikes.index import find_lookalikes, open_index
from melanoma_core.lookalikes.index_file import write_index_file
from melanoma_core.lookalikes.lookalike import IndexFacts, Query
from melanoma_core.lookalikes.projection import project
from tests.benchmarks.timing import Row, milliseconds, time_in_turn

_NUM_PHOTOGRAPHS, _NUM_LESIONS = 400_000, 250_000
_SIZE = 1280  # of an embedding
_ROUNDS = 30
_FACTS = IndexFacts(
    name="drawn", model_id="one", num_lesions=_NUM_LESIONS, num_photographs=_NUM_PHOTOGRAPHS
)


def measure() -> Iterable[Row]:
    """Time of opening an index and of one search, its patient and copies left out."""
    rng = np.random.default_rng(0)
    vectors = project(rng.standard_normal((2000, _SIZE)))
    vectors = vectors[rng.integers(2000, size=_NUM_PHOTOGRAPHS)]
    vectors += rng.standard_normal(vectors.shape, dtype=np.float32) / 40
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawn.lookalikes"
        rows = _make_rows(rng)
        write_index_file(path, _FACTS, rows, vectors)
        index = open_index(path, "one")
        embedding = rng.standard_normal((1, _SIZE)).astype(np.float32)
        query = Query(
            model_id="one",
            embeddings=embedding,
            lesions=frozenset({"lesion 000007"}),
            patients=frozenset({"patient 3"}),
            files=frozenset({"file 9"}),
            fingerprints=frozenset({"fingerprint 9"}),
            looks=frozenset({rows["look"][9]}),
        )
        usual = NearestNeighbors(algorithm="brute").fit(vectors)
        seconds = time_in_turn(
            {
                "open": lambda: open_index(path, "one"),
                "search": lambda: find_lookalikes(query, [index]),
                "usual": lambda: usual.kneighbors(project(embedding), 8),
            },
            _ROUNDS,
        )
    yield (
        f"the 8 nearest of {_NUM_LESIONS:,} lesions with {_NUM_PHOTOGRAPHS:,} embeddings; "
        f"opening the index takes {milliseconds(seconds['open'])}",
        milliseconds(seconds["search"]),
        "scikit-learn's NearestNeighbors, the 8 nearest photographs",
        milliseconds(seconds["usual"]),
        f"{seconds['usual'] / seconds['search']:.1f} times faster",
    )


def _make_rows(rng: np.random.Generator) -> pd.DataFrame:
    more = rng.integers(_NUM_LESIONS, size=_NUM_PHOTOGRAPHS - _NUM_LESIONS)
    lesion = np.sort(np.concatenate([np.arange(_NUM_LESIONS), more]))
    photograph = range(_NUM_PHOTOGRAPHS)
    return pd.DataFrame(
        {
            "lesion": [f"lesion {number:06}" for number in lesion],
            "patient": [f"patient {number // 9}" for number in lesion],
            "image": [f"/clinic/photographs/ISIC_{number:07}.jpg" for number in photograph],
            "file": [f"file {number}" for number in photograph],
            "fingerprint": [f"fingerprint {number}" for number in photograph],
            "look": [rng.bytes(32).hex() for _ in photograph],
            "source": "drawn",
            "diagnosis": np.where(lesion % 50 == 0, "MEL", "NV"),
            "confirmation": "histopathology",
            "title": "",
        },
        dtype=object,
    )
