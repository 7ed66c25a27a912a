"""The settings and their environment variables. Only this module reads the environment."""

import json
import math
import os
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

from melanoma_core.errors import SettingsError

_NAME = "melanoma-dashboard"
_PACKAGE = Path(__file__).resolve().parent
PROJECT_ROOT = _PACKAGE.parent
_IS_CHECKOUT = (PROJECT_ROOT / "pyproject.toml").is_file()
_DATA_HOME = PROJECT_ROOT if _IS_CHECKOUT else user_data_path(_NAME)
ASSETS = _PACKAGE / "assets" if (_PACKAGE / "assets").is_dir() else PROJECT_ROOT / "assets"
FIRST_READS = ("doctor first", "together", "off")
"""Whether a doctor reads a lesion of the record before the AI reading is shown."""


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


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        variable: Name of the environment variable.
        field: Name of the field of `Settings`.
        default: Value that stands for an unset or empty variable, as text; empty for none.
        parse: Converts the variable's name and its text to the field's value.
        description: What it sets, for the reference page.
        default_text: How the reference page describes the default; empty where `default` says it.
    """

    variable: str
    field: str
    default: str
    parse: Callable[[str, str], object]
    description: str
    default_text: str = ""


def _parse_text(_: str, text: str) -> str:
    return text


def _parse_optional_text(_: str, text: str) -> str | None:
    return text or None


def _parse_folder(_: str, text: str) -> Path:
    return Path(text)


def _parse_absolute_folder(_: str, text: str) -> Path:
    return Path(text).absolute()


def _parse_optional_folder(_: str, text: str) -> Path | None:
    return Path(text) if text else None


def _parse_files(_: str, text: str) -> tuple[Path, ...]:
    return tuple(Path(each).absolute() for each in text.split(os.pathsep) if each)


def _parse_count(variable: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(
            f'Found {variable}="{text}". It must be a whole number of at least 1. Change it.'
        )
    return int(text)


def _parse_flag(variable: str, text: str) -> bool:
    if text not in {"0", "1"}:
        raise SettingsError(f'Found {variable}="{text}". It must be 0 or 1. Change it.')
    return text == "1"


def _parse_minutes(variable: str, text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 <= minutes < math.inf:
        raise SettingsError(
            f'Found {variable}="{text}". It must be a number of minutes, such as 30, or 0 for no '
            "end. Change it."
        )
    return minutes


def _parse_groups(variable: str, text: str) -> dict[str, tuple[str, ...]] | None:
    if not text:
        return None
    try:
        groups = json.loads(text)
        parsed = {str(name): tuple(map(str, roles)) for name, roles in groups.items()}
        is_valid = all(isinstance(roles, list) for roles in groups.values())
    except (ValueError, TypeError, AttributeError):
        is_valid = False
    if not is_valid:
        raise SettingsError(
            f"Found {variable}='{text}'. It must be a JSON object with the roles of each group, "
            'such as {"Dermatology": ["reader"], "IT": ["trainer", "steward"]}. Change it.'
        )
    return parsed


def _parse_first_read(variable: str, text: str) -> str:
    if text not in FIRST_READS:
        raise SettingsError(
            f'Found {variable}="{text}". It must be one of: {", ".join(FIRST_READS)}. Change it.'
        )
    return text


def _parse_share(variable: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise SettingsError(
            f'Found {variable}="{text}". It must be a number from 0 to 1, such as 0.05. Change it.'
        )
    return share


def parse_prevalence(name: str, text: str) -> tuple[float, ...] | None:
    """Return the shares of melanoma and of skin cancer that a text such as "0.02,0.08" gives.

    Args:
        name: What the text is called, for the error.
        text: The share of melanoma, from 0 to 1, or both, that of skin cancer at least as large; ""
            for none.

    Returns:
        One share or two.

    Raises:
        SettingsError: The text is something else.

    Example:
        >>> parse_prevalence("prevalence", "0.02,0.08"), parse_prevalence("prevalence", "0.02")
        ((0.02, 0.08), (0.02,))
    """
    if not text:
        return None
    try:
        shares = tuple(map(float, text.split(",")))
    except ValueError:
        shares = ()
    is_possible = 1 <= len(shares) <= 2 and all(0 <= share <= 1 for share in shares)
    if not is_possible or shares[0] > shares[-1]:
        raise SettingsError(
            f'Found {name}="{text}". It must be the share of melanomas among the lesions, from 0 '
            "to 1, such as 0.02, or that of melanomas and that of skin cancers, such as 0.02,0.08. "
            "Every melanoma is a skin cancer, so the second is at least as large. Change it."
        )
    return shares


SETTINGS = (
    Setting(
        "MELANOMA_MODELS_DIR",
        "models_dir",
        str(_DATA_HOME / "models"),
        _parse_folder,
        "Folder of the models trained here. The bundled model is listed beside them.",
        "`models/` in a checkout, in the user's data folder when installed",
    ),
    Setting(
        "MELANOMA_MODEL",
        "model",
        "",
        _parse_optional_text,
        "Id of the model that reads photographs, whichever model is deployed.",
        "the deployed model",
    ),
    Setting(
        "MELANOMA_DATA_DIR",
        "data_dir",
        "",
        _parse_optional_folder,
        "Folder whose collections the dashboard offers.",
        "none",
    ),
    Setting(
        "MELANOMA_CACHE_DIR",
        "cache_dir",
        str(user_cache_path(_NAME)),
        _parse_folder,
        "Folder of files that can be created again: facts about images, evaluations, the "
        "demonstration dataset.",
        "the user's cache folder",
    ),
    Setting(
        "MELANOMA_ARCHIVE_URL",
        "archive_url",
        "https://api.isic-archive.com/api/v2/",
        _parse_text,
        "Address of the ISIC Archive's API, version 2.",
    ),
    Setting(
        "MELANOMA_RUNS_DIR",
        "runs_dir",
        str(_DATA_HOME / "runs"),
        _parse_absolute_folder,  # a run's process has another working folder
        "Folder of the training runs and their history.",
        "`runs/` in a checkout, in the user's data folder when installed",
    ),
    Setting(
        "MELANOMA_MAX_RUNS",
        "max_runs",
        "1",
        _parse_count,
        "Number of runs that train at the same time. Further runs wait in the queue.",
    ),
    Setting(
        "MELANOMA_WEIGHTS_DIR",
        "weights_dir",
        "",
        _parse_optional_folder,
        "Folder searched for ImageNet weights before they are downloaded.",
        "none",
    ),
    Setting(
        "MLFLOW_TRACKING_URI",
        "tracking_uri",
        "",
        _parse_text,
        "The MLflow tracking store that holds the run history.",
        "an SQLite file in the folder of the runs",
    ),
    Setting(
        "MELANOMA_SENSITIVITY_MARGIN",
        "sensitivity_margin",
        "0.05",
        _parse_share,
        "Largest loss of melanoma sensitivity, from 0 to 1, that the promotion gate accepts as "
        "not excluded.",
    ),
    Setting(
        "MELANOMA_SPECIFICITY_MARGIN",
        "specificity_margin",
        "0.1",
        _parse_share,
        "Largest loss of specificity, from 0 to 1, that the promotion gate accepts.",
    ),
    Setting(
        "MELANOMA_ALLOW_ANONYMOUS",
        "allow_anonymous",
        "0",
        _parse_flag,
        "`1` lets a server that has no login answer other machines, as `--allow-anonymous` does. "
        "They are offered the Reading page alone.",
    ),
    Setting(
        "MELANOMA_ACCESS_DIR",
        "access_dir",
        str(_DATA_HOME / "access"),
        _parse_folder,
        "Folder of the people who have logged in, the roles that a steward gave them, the log of "
        "these changes, and the tokens of the HTTP API as hashes.",
        "`access/` in a checkout, in the user's data folder when installed",
    ),
    Setting(
        "MELANOMA_ROLES_CLAIM",
        "roles_claim",
        "roles",
        _parse_text,
        "Claim of the login's ID token that names a person's roles or groups. Dots lead into "
        "objects, as in `realm_access.roles`.",
    ),
    Setting(
        "MELANOMA_ROLE_GROUPS",
        "role_groups",
        "",
        _parse_groups,
        "Roles that each group of the claim gives, as JSON, such as "
        '`{"Dermatology": ["reader"], "IT": ["trainer", "steward"]}`.',
        "the claim holds names of roles: `reader`, `trainer`, `steward`, `auditor`",
    ),
    Setting(
        "MELANOMA_ROLES_CONTACT",
        "roles_contact",
        "a steward of this dashboard",
        _parse_text,
        "Whom a person without a role is to ask for one, such as an e-mail address.",
    ),
    Setting(
        "MELANOMA_IDLE_MINUTES",
        "idle_minutes",
        "30",
        _parse_minutes,
        "After how many minutes without a click or a key a login ends; `0` for never.",
    ),
    Setting(
        "MELANOMA_PREVALENCE",
        "prevalence",
        "",
        parse_prevalence,
        "Share of melanomas and share of skin cancers (MEL, BCC, SCC) among the lesions of your "
        "clinic, such as `0.02,0.08`; or the first alone, such as `0.02`. Readings and evaluations "
        "then also say what holds at this prevalence. On the pages, each person can set another "
        "one.",
        "none: probabilities hold for the mix of lesions in the model's training data",
    ),
    Setting(
        "MELANOMA_INDEXES",
        "indexes",
        "",
        _parse_files,
        "Files that `melanoma index` has written, in which readings find look-alikes; separated as "
        "in `PATH`: by `:`, on Windows by `;`.",
        "none",
    ),
    Setting(
        "MELANOMA_RECORDS_DIR",
        "records_dir",
        str(_DATA_HOME / "records"),
        _parse_folder,
        "Folder of the records that people create on the pages, and of a note which one is open.",
        "`records/` in a checkout, in the user's data folder when installed",
    ),
    Setting(
        "MELANOMA_RECORD",
        "record",
        "",
        _parse_optional_folder,
        "Folder of the clinic's record: patients, photographs, readings, decisions, histology. "
        "`melanoma records create` makes one.",
        "none: nothing is kept",
    ),
    Setting(
        "MELANOMA_RECORD_URL",
        "record_url",
        "",
        _parse_optional_text,
        "Address of a PostgreSQL database for the record, such as "
        "`postgresql://ada@server/clinic`. Photographs stay in the folder.",
        "none: an SQLite database in the folder of the record",
    ),
    Setting(
        "MELANOMA_FIRST_READ",
        "first_read",
        FIRST_READS[0],
        _parse_first_read,
        "When a doctor reads a lesion of the record. `doctor first`: the AI reading stays hidden "
        "until the first read is kept. `together`: both are shown. `off`: no first read is asked "
        "for.",
    ),
    Setting(
        "MELANOMA_DICOM_NODE",
        "dicom_node",
        "",
        _parse_optional_text,
        "Node to which DICOM files are sent when a person asks for it: `dicom://PACS@host:104`, "
        "`dicoms://PACS@host:2762` with TLS, or `https://host/dicom-web` for STOW-RS; "
        "`https://user:password@host/…` where it asks for them.",
        "none: nothing is sent",
    ),
    Setting(
        "MELANOMA_DICOM_TITLE",
        "dicom_title",
        "MELANOMA",
        _parse_text,
        "Application entity title by which a DICOM node is called, 1 to 16 characters.",
    ),
    Setting(
        "MELANOMA_DICOM_AUTHORITIES",
        "dicom_authorities",
        "",
        _parse_optional_folder,
        "PEM file of the authorities that certify the DICOM node.",
        "those of the system",
    ),
    Setting(
        "MELANOMA_DICOM_CERTIFICATE",
        "dicom_certificate",
        "",
        _parse_optional_folder,
        "PEM file of our own certificate and its key, for a node that asks for one.",
        "none",
    ),
    Setting(
        "MELANOMA_DICOM_TOKEN",
        "dicom_token",
        "",
        _parse_optional_text,
        "Bearer token of a DICOMweb service, instead of a user and a password in its address.",
        "none",
    ),
    Setting(
        "MELANOMA_FHIR_SERVER",
        "fhir_server",
        "",
        _parse_optional_text,
        "Base address of the FHIR R4 server to which a lesion is sent when a person asks for it, "
        "such as `https://fhir.clinic/r4`.",
        "none: nothing is sent",
    ),
    Setting(
        "MELANOMA_FHIR_TOKEN",
        "fhir_token",
        "",
        _parse_optional_text,
        "Bearer token of the FHIR server. It is sent by `https` alone, or to this machine.",
        "none",
    ),
    Setting(
        "MELANOMA_FHIR_TOKEN_FILE",
        "fhir_token_file",
        "",
        _parse_optional_folder,
        "File that holds the token instead.",
        "none",
    ),
    Setting(
        "MELANOMA_FHIR_AUTHORITIES",
        "fhir_authorities",
        "",
        _parse_optional_folder,
        "PEM file of the authorities that certify the FHIR server.",
        "those of the system",
    ),
    Setting(
        "MELANOMA_FHIR_PATIENT_SYSTEM",
        "fhir_patient_system",
        "",
        _parse_optional_text,
        "System (a URI) of the identifiers by which the FHIR server knows its patients, if the "
        "pseudonyms of the record are those. A lesion is then sent to the patient who is there.",
        "none: the record's own pseudonyms",
    ),
)

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


def set_environment_defaults(variables: Mapping[str, str]) -> None:
    """Set variables that a library reads on import, unless they are already set."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)
