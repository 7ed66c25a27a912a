"""The settings and their environment variables. Only this module reads the environment."""

import json
import os
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from melanoma_core.errors import SettingsError
from melanoma_core.setting_list import ASSETS, PROJECT_ROOT, SETTINGS
from melanoma_core.setting_values import FIRST_READS, parse_prevalence

__all__ = [
    "ASSETS",
    "FIRST_READS",
    "PROJECT_ROOT",
    "SETTINGS",
    "Settings",
    "describe_settings",
    "load_settings",
    "make_environment",
    "parse_prevalence",
    "set_environment_defaults",
    "share_server",
]


@dataclass(frozen=True)
class Settings:
    """Where files are kept, and the limits that a user may set. `SETTINGS` describes each field.

    Example:
        >>> from dataclasses import replace
        >>> replace(load_settings(), max_runs=2).max_runs
        2
    """

    models_dir: Path
    model: str | None
    data_dir: Path | None
    cache_dir: Path
    archive_url: str
    runs_dir: Path
    max_runs: int
    weights_dir: Path | None
    tracking_uri: str = field(repr=False)  # may hold a password
    sensitivity_margin: float
    specificity_margin: float
    allow_anonymous: bool
    is_shared: bool
    access_dir: Path
    roles_claim: str
    role_groups: Mapping[str, tuple[str, ...]] | None
    roles_contact: str
    idle_minutes: float
    prevalence: tuple[float, ...] | None
    indexes: tuple[Path, ...]
    records_dir: Path
    record: Path | None
    record_url: str | None = field(repr=False)  # may hold a password
    first_read: str
    dicom_node: str | None = field(repr=False)  # may hold a password
    dicom_title: str
    dicom_authorities: Path | None
    dicom_certificate: Path | None
    dicom_token: str | None = field(repr=False)
    fhir_server: str | None = field(repr=False)  # may hold a password that is refused
    fhir_token: str | None = field(repr=False)
    fhir_token_file: Path | None
    fhir_authorities: Path | None
    fhir_patient_system: str | None


_RETIRED = {
    "MELANOMA_PUBLIC_PAGES": "Other machines are offered what a person's roles allow after a "
    "login (docs/how-to/log-in.md), or the Reading page alone with MELANOMA_ALLOW_ANONYMOUS=1. "
    "Remove it."
}


def load_settings() -> Settings:
    """Return the settings. Every call reads the environment again.

    Raises:
        SettingsError: A variable has a value that cannot be used.

    Example:
        >>> load_settings().max_runs >= 1
        True
    """
    for variable, advice in _RETIRED.items():
        if os.environ.get(variable):
            raise SettingsError(f"Found {variable}, which no longer exists. {advice}")
    values: dict[str, object] = {
        setting.field: setting.parse(
            setting.variable, os.environ.get(setting.variable) or setting.default
        )
        for setting in SETTINGS
    }
    runs_dir = values["runs_dir"]
    assert isinstance(runs_dir, Path)
    values["tracking_uri"] = (
        values["tracking_uri"] or f"sqlite:///{(runs_dir / 'mlflow.db').as_posix()}"
    )
    return Settings(**values)  # type: ignore[arg-type]


def describe_settings() -> list[dict[str, str]]:
    """Return one row per setting for a reference page: variable, default, description.

    Example:
        >>> describe_settings()[6]["variable"]
        'MELANOMA_MAX_RUNS'
    """
    return [
        {
            "variable": setting.variable,
            "default": setting.default_text or setting.default,
            "description": setting.description,
        }
        for setting in SETTINGS
    ]


def make_environment(settings: Settings | None = None) -> dict[str, str]:
    """Return the environment of a child process, which finds this package in any working folder.

    Args:
        settings: Settings that `load_settings` returns in the child; None for those in the
            environment.
    """
    environment = dict(os.environ)
    if str(PROJECT_ROOT) not in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        paths = [str(PROJECT_ROOT), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    for setting in SETTINGS if settings else ():
        value = getattr(settings, setting.field)
        value = value.absolute() if isinstance(value, Path) else value
        if isinstance(value, tuple):
            separator = os.pathsep if setting.field == "indexes" else ","
            value = separator.join(map(str, value))
        elif isinstance(value, Mapping):
            value = json.dumps(value)
        elif isinstance(value, bool):
            value = int(value)
        environment[setting.variable] = "" if value is None else str(value)
    return environment


def share_server() -> None:
    """Let this process and all that it starts read as a server for others does (`is_shared`)."""
    os.environ["MELANOMA_SHARED"] = "1"


def set_environment_defaults(variables: Mapping[str, str]) -> None:
    """Set variables that a library reads on import, unless they are already set."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)
