"""Project embeddings to 128 dimensions, by a fixed matrix of signs.

A random projection keeps the distances of all points nearly (Johnson and Lindenstrauss 1984), with
a matrix of signs too (Achlioptas 2003, doi:10.1016/S0022-0000(03)00025-4). Nothing is fitted, so
that distances mean the same in every index of a model, and a record's index can grow.

Chosen on the validation subset of the bundled model (1,716 photographs of 1,357 lesions), by the
share of melanomas among the 5 nearest lesions of a melanoma (12% by chance), and by how often the
nearest photograph is another one of the same lesion (of 635):

* embedding, 1280 dimensions: 0.448 (95% CI 0.396-0.504), and 0.49;
* three matrices of signs, 128 dimensions: 0.430 to 0.450, and 0.46 for both that were compared;
* principal components, 128 dimensions: 0.444, and 0.48, but they depend on what is indexed;
* logits, 8 dimensions: 0.445, and 0.19: alike in the opinion of the network, not to the eye;
* features of the out-of-distribution check: 0.253, and 0.49.
"""

import hashlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoma_core.lookalikes.directions import find_directions

NUM_DIMENSIONS = 128


def project(embeddings: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Project the directions of embeddings, and scale them to the length 1 again.

    Args:
        embeddings: float [N, D].

    Returns:
        float32 [N, 128]; rows without a direction stay 0.

    Example:
        >>> np.linalg.norm(project(np.eye(3)), axis=1).round(5).tolist()
        [1.0, 1.0, 1.0]
    """
    projected = find_directions(embeddings) @ _make_signs(embeddings.shape[1])
    return find_directions(projected).astype(np.float32)


@cache
def _make_signs(size: int) -> NDArray[np.float64]:
    """Return the matrix, float64 [size, 128], of -1 and 1: the same on every machine, for ever."""
    num_bytes = size * NUM_DIMENSIONS // 8
    bits = np.frombuffer(hashlib.shake_128(b"melanoma look-alikes").digest(num_bytes), np.uint8)
    signs = np.unpackbits(bits).astype(np.float64) * 2 - 1
    return signs.reshape(size, NUM_DIMENSIONS)
