"""The only reader of the environment."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from melanoma_core.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
ASSETS = PROJECT_ROOT / "assets"


@dataclass(frozen=True)
class Settings:
    """Where things are kept.

    Attributes:
        models_dir: Folder that `train` writes models to and the registry lists, beside the
            bundled one. `MELANOMA_MODELS_DIR`, by default `models/` in the project.
        model: Id of the model that reads whatever is deployed, or None for the deployed one.
            `MELANOMA_MODEL`.
        data_dir: Folder of the collections of photographs that the Dataset page offers, or None.
            `MELANOMA_DATA_DIR`.
        cache_dir: Folder of what can be made again: facts of files, the demonstration dataset.
            `MELANOMA_CACHE_DIR`, by default the platform's folder for it.
        archive_url: Where the ISIC Archive's API is, version 2. `MELANOMA_ARCHIVE_URL`, by
            default the public one.
        runs_dir: Folder of what belongs to training runs. `MELANOMA_RUNS_DIR`, by default `runs/`
            in the project.
        max_runs: How many runs train at once; the others wait. `MELANOMA_MAX_RUNS`, by default 1.
        weights_dir: Folder of ImageNet weights of backbones (`training.weights`), or None.
            `MELANOMA_WEIGHTS_DIR`.
        tracking_uri: Where MLflow keeps the record of the runs. `MLFLOW_TRACKING_URI`, by default
            a SQLite file in `runs_dir`.
        sensitivity_margin: The largest loss of melanoma sensitivity that a promotion need not
            exclude (`models.gate.Margins`), in [0, 1]. `MELANOMA_SENSITIVITY_MARGIN`, by default
            0.05.
        specificity_margin: The largest loss of specificity that a promotion may bring, in [0, 1].
            `MELANOMA_SPECIFICITY_MARGIN`, by default 0.10.
    """

    models_dir: Path
    model: str | None
    data_dir: Path | None
    cache_dir: Path
    archive_url: str
    runs_dir: Path
    max_runs: int
    weights_dir: Path | None
    tracking_uri: str
    sensitivity_margin: float = 0.05
    specificity_margin: float = 0.10


def load_settings() -> Settings:
    """Read the settings from the environment, afresh at each call.

    Raises:
        SettingsError: A variable has a value that cannot be used.
    """
    data_dir = os.environ.get("MELANOMA_DATA_DIR")
    weights_dir = os.environ.get("MELANOMA_WEIGHTS_DIR")
    # Absolute, since a run's process has a working folder of its own.
    runs_dir = Path(os.environ.get("MELANOMA_RUNS_DIR") or PROJECT_ROOT / "runs").absolute()
    return Settings(
        models_dir=Path(os.environ.get("MELANOMA_MODELS_DIR") or PROJECT_ROOT / "models"),
        model=os.environ.get("MELANOMA_MODEL") or None,
        data_dir=Path(data_dir) if data_dir else None,
        cache_dir=Path(
            os.environ.get("MELANOMA_CACHE_DIR") or user_cache_path("melanoma-dashboard")
        ),
        archive_url=os.environ.get("MELANOMA_ARCHIVE_URL")
        or "https://api.isic-archive.com/api/v2/",
        runs_dir=runs_dir,
        max_runs=_read_max_runs(),
        weights_dir=Path(weights_dir) if weights_dir else None,
        tracking_uri=os.environ.get("MLFLOW_TRACKING_URI")
        or f"sqlite:///{(runs_dir / 'mlflow.db').as_posix()}",
        sensitivity_margin=_read_share("MELANOMA_SENSITIVITY_MARGIN", 0.05),
        specificity_margin=_read_share("MELANOMA_SPECIFICITY_MARGIN", 0.10),
    )


def _read_max_runs() -> int:
    text = os.environ.get("MELANOMA_MAX_RUNS") or "1"
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(
            f'Found MELANOMA_MAX_RUNS="{text}". It must be a whole number from 1. Set it anew.'
        )
    return int(text)


def _read_share(name: str, default: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise SettingsError(
            f'Found {name}="{text}". It must be a share from 0 to 1, as {default}. Set it anew.'
        )
    return share


def make_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a process that shall have the same settings."""
    named = {
        "MELANOMA_MODELS_DIR": settings.models_dir.absolute(),
        "MELANOMA_MODEL": settings.model or "",
        "MELANOMA_DATA_DIR": settings.data_dir.absolute() if settings.data_dir else "",
        "MELANOMA_CACHE_DIR": settings.cache_dir.absolute(),
        "MELANOMA_ARCHIVE_URL": settings.archive_url,
        "MELANOMA_RUNS_DIR": settings.runs_dir,
        "MELANOMA_MAX_RUNS": settings.max_runs,
        "MELANOMA_WEIGHTS_DIR": settings.weights_dir.absolute() if settings.weights_dir else "",
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "MELANOMA_SENSITIVITY_MARGIN": settings.sensitivity_margin,
        "MELANOMA_SPECIFICITY_MARGIN": settings.specificity_margin,
    }
    return {**os.environ, **{name: str(value) for name, value in named.items()}}


def set_where_unset(variables: Mapping[str, str]) -> None:
    """Set variables that a library reads when it is imported, unless a person has set them."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)
