"""Compute the embeddings of photographs, and make the vectors of an index from them."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from melanoma_core.data.decoding import map_in_threads
from melanoma_core.data.images import Photograph, resize_to_square
from melanoma_core.data.scanning import hash_look
from melanoma_core.errors import ImageError
from melanoma_core.lookalikes.embeddings import Embedded, EmbeddingStore, cut
from melanoma_core.lookalikes.projection import NUM_DIMENSIONS, project
from melanoma_core.models.classifier import Classifier
from melanoma_core.progress import Progress

_BATCH_SIZE = 32  # at most so many are lost when the work is killed
_FILES_PER_LOAD = 4096  # 20 MB of embeddings

ReadPhotograph = Callable[[str], Photograph]
"""Reads a photograph by what an index calls `image`. It may raise `ImageError`."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of the photographs that can be indexed.

    Attributes:
        vectors: float32 [M, d].
        is_usable: bool [N], which photographs these are.
        fingerprints: Of these M photographs.
        looks: Of these M photographs.
        num_unreadable: Number of photographs that cannot be read.
        num_unfamiliar: Number of photographs that are out of distribution.
    """

    vectors: NDArray[np.float32]
    is_usable: NDArray[np.bool_]
    fingerprints: list[str]
    looks: list[str]
    num_unreadable: int
    num_unfamiliar: int


class Embedder:
    """Computes the embeddings of photographs once, and keeps them.

    Args:
        classifier: The model.
        folder: Where the embeddings are kept.
    """

    def __init__(self, classifier: Classifier, folder: Path) -> None:
        self.classifier = classifier
        self._store = EmbeddingStore(folder, classifier.card.model_id)

    def embed(
        self, images: Mapping[str, str], read: ReadPhotograph, progress: Progress | None = None
    ) -> None:
        """Compute what is not kept yet. Photographs that cannot be read are skipped.

        Args:
            images: What `read` takes, by the SHA-256 (hex) of the file.
            read: Reads a photograph.
            progress: Progress callback, in photographs; called once for those that are kept. An
                exception that it raises stops the work, and what was computed stays.
        """
        kept = self._store.find_all()
        missing = {file: image for file, image in images.items() if file not in kept}
        done, total = len(images) - len(missing), len(images)
        if progress and done:
            progress(done, total)
        side = self.classifier.card.image_size

        def squash(item: tuple[str, str]) -> tuple[str, NDArray[np.uint8] | None]:
            file, image = item
            try:
                return file, resize_to_square(read(image).image, side)
            except ImageError:
                return file, None

        squashed = map_in_threads(squash, missing.items(), os.cpu_count() or 1)
        for batch in cut(squashed, _BATCH_SIZE):
            self._store.add(self._embed_batch(batch))
            done += len(batch)
            if progress:
                progress(done, total)

    def _embed_batch(
        self, batch: Sequence[tuple[str, NDArray[np.uint8] | None]]
    ) -> dict[str, Embedded]:
        readable = {file: pixels for file, pixels in batch if pixels is not None}
        if not readable:
            return {}
        outputs = self.classifier.classify(np.stack(list(readable.values())))
        distances = np.zeros(len(readable)) if outputs.novelty is None else outputs.novelty
        return {
            file: Embedded(
                embedding,
                hashlib.sha256(pixels.tobytes()).hexdigest(),
                hash_look(pixels),
                float(distance),
            )
            for (file, pixels), embedding, distance in zip(
                readable.items(), outputs.embeddings, distances, strict=True
            )
        }

    def make_vectors(self, files: Sequence[str], *, with_unfamiliar: bool = False) -> Vectors:
        """Return the vectors of photographs that were embedded.

        Args:
            files: SHA-256 (hex) of the N files.
            with_unfamiliar: Whether to take also what a reading would refuse as out of
                distribution.
        """
        novelty = self.classifier.card.novelty
        limit = np.inf if novelty is None or with_unfamiliar else novelty.distance
        vectors = [np.zeros((0, NUM_DIMENSIONS), np.float32)]
        is_usable = np.zeros(len(files), dtype=bool)
        fingerprints: list[str] = []
        looks: list[str] = []
        num_embedded = 0
        for some in cut(enumerate(files), _FILES_PER_LOAD):
            stored = self._store.load(file for _, file in some)
            num_embedded += sum(file in stored for _, file in some)
            usable = [
                (place, stored[file])
                for place, file in some
                if file in stored and stored[file].novelty <= limit  # not if it is NaN
            ]
            if usable:
                embeddings = np.stack([each.embedding for _, each in usable])
                vectors.append(project(embeddings))
                is_usable[[place for place, _ in usable]] = True
                fingerprints += [each.fingerprint for _, each in usable]
                looks += [each.look for _, each in usable]
        return Vectors(
            np.concatenate(vectors),
            is_usable,
            fingerprints,
            looks,
            num_unreadable=len(files) - num_embedded,
            num_unfamiliar=num_embedded - len(fingerprints),
        )

    def load(self, files: Sequence[str]) -> dict[str, Embedded]:
        """Return what is kept of photographs, by the SHA-256 (hex) of their files."""
        return self._store.load(files)
