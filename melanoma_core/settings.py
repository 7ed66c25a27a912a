"""The only reader of the environment."""

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
ASSETS = PROJECT_ROOT / "assets"


@dataclass(frozen=True)
class Settings:
    """Where things are kept.

    Attributes:
        models_dir: Folder that `train` writes models to and the registry lists, beside the
            bundled one. `MELANOMA_MODELS_DIR`, by default `models/` in the project.
        model: Id of the model that reads when none is named, or None for the bundled one.
            `MELANOMA_MODEL`.
        data_dir: Folder of the collections of photographs that the Dataset page offers, or None.
            `MELANOMA_DATA_DIR`.
        cache_dir: Folder of what can be made again: facts of files, the demonstration dataset.
            `MELANOMA_CACHE_DIR`, by default the platform's folder for it.
        archive_url: Where the ISIC Archive's API is, version 2. `MELANOMA_ARCHIVE_URL`, by
            default the public one.
    """

    models_dir: Path
    model: str | None
    data_dir: Path | None
    cache_dir: Path
    archive_url: str


def load_settings() -> Settings:
    """Read the settings from the environment, afresh at each call."""
    data_dir = os.environ.get("MELANOMA_DATA_DIR")
    return Settings(
        models_dir=Path(os.environ.get("MELANOMA_MODELS_DIR") or PROJECT_ROOT / "models"),
        model=os.environ.get("MELANOMA_MODEL") or None,
        data_dir=Path(data_dir) if data_dir else None,
        cache_dir=Path(
            os.environ.get("MELANOMA_CACHE_DIR") or user_cache_path("melanoma-dashboard")
        ),
        archive_url=os.environ.get("MELANOMA_ARCHIVE_URL")
        or "https://api.isic-archive.com/api/v2/",
    )
