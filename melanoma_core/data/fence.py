"""Which folder a server for others may read: links in it that lead out of it are not followed."""

import os
from dataclasses import dataclass
from pathlib import Path

from melanoma_core.settings import load_settings


@dataclass(frozen=True)
class Fence:
    """The folder out of which nothing is read.

    Attributes:
        folder: The data directory; None where there is none, so that no link is followed.
    """

    folder: Path | None

    def holds(self, path: str | Path) -> bool:
        """Return whether a path is in the folder, with all links resolved; it need not exist.

        Example:
            >>> Fence(Path("/")).holds("/anywhere"), Fence(None).holds("/anywhere")
            (True, False)
        """
        if self.folder is None:
            return False
        # Unlike Path.resolve, os.path.realpath accepts cyclic links and unreadable folders.
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.folder))

    def bars(self, path: str | Path) -> bool:
        """Return whether a path is a link that leads out of the folder."""
        return os.path.islink(path) and not self.holds(path)  # noqa: PTH114 - of 400,000 paths


def find_fence() -> Fence | None:
    """Return the fence; None on one's own machine, where links may lead anywhere."""
    settings = load_settings()
    return Fence(settings.data_dir) if settings.is_shared else None
