"""The only reader of the environment."""

import os
from dataclasses import dataclass
from pathlib import Path

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
    """

    models_dir: Path
    model: str | None


def load_settings() -> Settings:
    """Read the settings from the environment, afresh at each call."""
    return Settings(
        models_dir=Path(os.environ.get("MELANOMA_MODELS_DIR") or PROJECT_ROOT / "models"),
        model=os.environ.get("MELANOMA_MODEL") or None,
    )
