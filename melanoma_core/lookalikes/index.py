"""An index of embeddings in one file, and the search for the nearest lesions in it."""

from collections.abc import Sequence
from pathlib import Path

from melanoma_core.lookalikes.lookalike import NUM_SHOWN, IndexFacts, Lookalikes, Query


class LookalikeIndex:
    """An opened index. Its file is mapped into memory; it is safe to share between threads.

    Attributes:
        facts: What it holds.
    """

    facts: IndexFacts


def open_index(path: Path, model_id: str) -> LookalikeIndex:
    """Open an index.

    Args:
        path: The file.
        model_id: Id of the model that reads now.

    Raises:
        LookalikeError: The file is missing, damaged, or of another model.
    """
    raise NotImplementedError


def find_lookalikes(
    query: Query, indexes: Sequence[LookalikeIndex], number: int = NUM_SHOWN
) -> Lookalikes:
    """Find the lesions that look most like one, in all indexes together.

    Args:
        query: The lesion.
        indexes: What is searched, all of the query's model.
        number: How many lesions, at least 1.
    """
    raise NotImplementedError
