"""The settings: variable, default, how it is read, and what it sets. One entry each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

from melanoma_core.setting_values import (
    FIRST_READS,
    parse_absolute_folder,
    parse_count,
    parse_files,
    parse_first_read,
    parse_flag,
    parse_folder,
    parse_groups,
    parse_minutes,
    parse_optional_folder,
    parse_optional_text,
    parse_prevalence,
    parse_share,
    parse_text,
)

NAME = "melanoma-dashboard"
_PACKAGE = Path(__file__).resolve().parent
PROJECT_ROOT = _PACKAGE.parent
_IS_CHECKOUT = (PROJECT_ROOT / "pyproject.toml").is_file()
DATA_HOME = PROJECT_ROOT if _IS_CHECKOUT else user_data_path(NAME)
ASSETS = _PACKAGE / "assets" if (_PACKAGE / "assets").is_dir() else PROJECT_ROOT / "assets"


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


SETTINGS = (
    Setting(
        "MELANOMA_MODELS_DIR",
        "models_dir",
        str(DATA_HOME / "models"),
        parse_folder,
        "Folder of the models trained here. The bundled model is listed beside them.",
        "`models/` in a checkout, in the user's data folder when installed",
    ),
    Setting(
        "MELANOMA_MODEL",
        "model",
        "",
        parse_optional_text,
        "Id of the model that reads photographs, whichever model is deployed.",
        "the deployed model",
    ),
    Setting(
        "MELANOMA_DATA_DIR",
        "data_dir",
        "",
        parse_optional_folder,
        "Folder whose collections the dashboard offers.",
        "none",
    ),
    Setting(
        "MELANOMA_CACHE_DIR",
        "cache_dir",
        str(user_cache_path(NAME)),
        parse_folder,
        "Folder of files that can be created again: facts about images, evaluations, the "
        "demonstration dataset.",
        "the user's cache folder",
    ),
    Setting(
        "MELANOMA_ARCHIVE_URL",
        "archive_url",
        "https://api.isic-archive.com/api/v2/",
        parse_text,
        "Address of the ISIC Archive's API, version 2.",
    ),
    Setting(
        "MELANOMA_RUNS_DIR",
        "runs_dir",
        str(DATA_HOME / "runs"),
        parse_absolute_folder,  # a run's process has another working folder
        "Folder of the training runs and their history.",
        "`runs/` in a checkout, in the user's data folder when installed",
    ),
    Setting(
        "MELANOMA_MAX_RUNS",
        "max_runs",
        "1",
        parse_count,
        "Number of runs that train at the same time. Further runs wait in the queue.",
    ),
    Setting(
        "MELANOMA_WEIGHTS_DIR",
        "weights_dir",
        "",
        parse_optional_folder,
        "Folder searched for ImageNet weights before they are downloaded.",
        "none",
    ),
    Setting(
        "MLFLOW_TRACKING_URI",
        "tracking_uri",
        "",
        parse_text,
        "The MLflow tracking store that holds the run history.",
        "an SQLite file in the folder of the runs",
    ),
    Setting(
        "MELANOMA_SENSITIVITY_MARGIN",
        "sensitivity_margin",
        "0.05",
        parse_share,
        "Largest loss of melanoma sensitivity, from 0 to 1, that the promotion gate accepts as "
        "not excluded.",
    ),
    Setting(
        "MELANOMA_SPECIFICITY_MARGIN",
        "specificity_margin",
        "0.1",
        parse_share,
        "Largest loss of specificity, from 0 to 1, that the promotion gate accepts.",
    ),
    Setting(
        "MELANOMA_ALLOW_ANONYMOUS",
        "allow_anonymous",
        "0",
        parse_flag,
        "`1` lets a server that has no login answer other machines, as `--allow-anonymous` does. "
        "They are offered the Reading page alone.",
    ),
    Setting(
        "MELANOMA_SHARED",
        "is_shared",
        "0",
        parse_flag,
        "`1` lets datasets leave out links that lead out of the data directory, and companion "
        "collections beside it. A server that has a login or answers other machines always does.",
    ),
    Setting(
        "MELANOMA_ACCESS_DIR",
        "access_dir",
        str(DATA_HOME / "access"),
        parse_folder,
        "Folder of the people who have logged in, the roles that a steward gave them, the log of "
        "these changes, and the tokens of the HTTP API as hashes.",
        "`access/` in a checkout, in the user's data folder when installed",
    ),
    Setting(
        "MELANOMA_ROLES_CLAIM",
        "roles_claim",
        "roles",
        parse_text,
        "Claim of the login's ID token that names a person's roles or groups. Dots lead into "
        "objects, as in `realm_access.roles`.",
    ),
    Setting(
        "MELANOMA_ROLE_GROUPS",
        "role_groups",
        "",
        parse_groups,
        "Roles that each group of the claim gives, as JSON, such as "
        '`{"Dermatology": ["reader"], "IT": ["trainer", "steward"]}`.',
        "the claim holds names of roles: `reader`, `trainer`, `steward`, `auditor`",
    ),
    Setting(
        "MELANOMA_ROLES_CONTACT",
        "roles_contact",
        "a steward of this dashboard",
        parse_text,
        "Whom a person without a role is to ask for one, such as an e-mail address.",
    ),
    Setting(
        "MELANOMA_IDLE_MINUTES",
        "idle_minutes",
        "30",
        parse_minutes,
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
        parse_files,
        "Files that `melanoma index` has written, in which readings find look-alikes; separated as "
        "in `PATH`: by `:`, on Windows by `;`.",
        "none",
    ),
    Setting(
        "MELANOMA_RECORDS_DIR",
        "records_dir",
        str(DATA_HOME / "records"),
        parse_folder,
        "Folder of the records that people create on the pages, and of a note which one is open.",
        "`records/` in a checkout, in the user's data folder when installed",
    ),
    Setting(
        "MELANOMA_RECORD",
        "record",
        "",
        parse_optional_folder,
        "Folder of the clinic's record: patients, photographs, readings, decisions, histology. "
        "`melanoma records create` makes one.",
        "none: nothing is kept",
    ),
    Setting(
        "MELANOMA_RECORD_URL",
        "record_url",
        "",
        parse_optional_text,
        "Address of a PostgreSQL database for the record, such as "
        "`postgresql://ada@server/clinic`. Photographs stay in the folder.",
        "none: an SQLite database in the folder of the record",
    ),
    Setting(
        "MELANOMA_FIRST_READ",
        "first_read",
        FIRST_READS[0],
        parse_first_read,
        "When a doctor reads a lesion of the record. `doctor first`: the AI reading stays hidden "
        "until the first read is kept. `together`: both are shown. `off`: no first read is asked "
        "for.",
    ),
    Setting(
        "MELANOMA_DICOM_NODE",
        "dicom_node",
        "",
        parse_optional_text,
        "Node to which DICOM files are sent when a person asks for it: `dicom://PACS@host:104`, "
        "`dicoms://PACS@host:2762` with TLS, or `https://host/dicom-web` for STOW-RS; "
        "`https://user:password@host/…` where it asks for them.",
        "none: nothing is sent",
    ),
    Setting(
        "MELANOMA_DICOM_TITLE",
        "dicom_title",
        "MELANOMA",
        parse_text,
        "Application entity title by which a DICOM node is called, 1 to 16 characters.",
    ),
    Setting(
        "MELANOMA_DICOM_AUTHORITIES",
        "dicom_authorities",
        "",
        parse_optional_folder,
        "PEM file of the authorities that certify the DICOM node.",
        "those of the system",
    ),
    Setting(
        "MELANOMA_DICOM_CERTIFICATE",
        "dicom_certificate",
        "",
        parse_optional_folder,
        "PEM file of our own certificate and its key, for a node that asks for one.",
        "none",
    ),
    Setting(
        "MELANOMA_DICOM_TOKEN",
        "dicom_token",
        "",
        parse_optional_text,
        "Bearer token of a DICOMweb service, instead of a user and a password in its address.",
        "none",
    ),
    Setting(
        "MELANOMA_FHIR_SERVER",
        "fhir_server",
        "",
        parse_optional_text,
        "Base address of the FHIR R4 server to which a lesion is sent when a person asks for it, "
        "such as `https://fhir.clinic/r4`.",
        "none: nothing is sent",
    ),
    Setting(
        "MELANOMA_FHIR_TOKEN",
        "fhir_token",
        "",
        parse_optional_text,
        "Bearer token of the FHIR server. It is sent by `https` alone, or to this machine.",
        "none",
    ),
    Setting(
        "MELANOMA_FHIR_TOKEN_FILE",
        "fhir_token_file",
        "",
        parse_optional_folder,
        "File that holds the token instead.",
        "none",
    ),
    Setting(
        "MELANOMA_FHIR_AUTHORITIES",
        "fhir_authorities",
        "",
        parse_optional_folder,
        "PEM file of the authorities that certify the FHIR server.",
        "those of the system",
    ),
    Setting(
        "MELANOMA_FHIR_PATIENT_SYSTEM",
        "fhir_patient_system",
        "",
        parse_optional_text,
        "System (a URI) of the identifiers by which the FHIR server knows its patients, if the "
        "pseudonyms of the record are those. A lesion is then sent to the patient who is there.",
        "none: the record's own pseudonyms",
    ),
)
