"""Indexes with invented vectors."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from melanoma_core.lookalikes.index import LookalikeIndex, open_index
from melanoma_core.lookalikes.index_file import write_index_file
from melanoma_core.lookalikes.lookalike import IndexFacts
from melanoma_core.lookalikes.projection import project

WriteIndex = Callable[..., Path]
MakeIndex = Callable[..., LookalikeIndex]


@pytest.fixture
def write_index(tmp_path: Path) -> WriteIndex:
    """Write an index of photographs: (lesion, patient, diagnosis) each, with their embeddings."""

    def write(
        photographs: Sequence[tuple[str, str | None, str]],
        embeddings: NDArray[Any],
        *,
        model_id: str = "one",
        name: str = "clinic",
        is_own: bool = False,
    ) -> Path:
        rows = pd.DataFrame(photographs, columns=["lesion", "patient", "diagnosis"], dtype=object)
        numbers = [f"{name} {number}" for number in range(len(rows))]
        rows = rows.assign(
            image=[f"/{number}.jpg" for number in numbers],
            file=[f"file {number}" for number in numbers],
            fingerprint=[f"fingerprint {number}" for number in numbers],
            look=[f"{name} {number}".encode().hex().zfill(64) for number in range(len(rows))],
            source=name,
            confirmation="histopathology",
            title="",
        )
        facts = IndexFacts(
            name=name,
            model_id=model_id,
            num_lesions=rows["lesion"].nunique(),
            num_photographs=len(rows),
            is_own=is_own,
        )
        path = tmp_path / f"{name}.lookalikes"
        write_index_file(path, facts, rows, project(embeddings))
        return path

    return write


@pytest.fixture
def make_index(write_index: WriteIndex) -> MakeIndex:
    """Write an index and open it."""

    def make(*arguments: Any, **options: Any) -> LookalikeIndex:
        return open_index(write_index(*arguments, **options), options.get("model_id", "one"))

    return make


def turn(*degrees: float) -> NDArray[np.float64]:
    """Return embeddings of two numbers, by their angle; near angles are near."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)
