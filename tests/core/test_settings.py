import ast
import os
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
from platformdirs import user_cache_path, user_data_path

from melanoma_core.errors import SettingsError
from melanoma_core.settings import (
    ASSETS,
    PROJECT_ROOT,
    SETTINGS,
    Settings,
    describe_settings,
    load_settings,
    make_environment,
)

NAMES = tuple(setting.variable for setting in SETTINGS)


def check_defaults(settings: Settings) -> None:
    assert settings.models_dir == PROJECT_ROOT / "models"
    assert settings.model is None
    assert settings.data_dir is None
    assert settings.cache_dir == user_cache_path("melanoma-dashboard")
    assert settings.archive_url == "https://api.isic-archive.com/api/v2/"
    assert settings.runs_dir == PROJECT_ROOT / "runs"
    assert settings.max_runs == 1
    assert settings.weights_dir is None
    assert (settings.sensitivity_margin, settings.specificity_margin) == (0.05, 0.10)
    assert settings.allow_anonymous is False
    assert settings.access_dir == PROJECT_ROOT / "access"
    assert (settings.roles_claim, settings.role_groups) == ("roles", None)
    assert settings.roles_contact == "a steward of this dashboard"
    assert settings.idle_minutes == 30
    assert settings.prevalence is None
    assert settings.indexes == ()
    assert (settings.record, settings.record_url) == (None, None)
    assert settings.tracking_uri == f"sqlite:///{PROJECT_ROOT.as_posix()}/runs/mlflow.db"


def test_without_variables_a_checkout_keeps_models_and_runs_in_the_project(
    monkeypatch: pytest.MonkeyPatch,
):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)

    check_defaults(load_settings())


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch):
    for name in NAMES:
        monkeypatch.setenv(name, "")

    check_defaults(load_settings())


def test_every_call_reads_the_environment_again(monkeypatch: pytest.MonkeyPatch):
    for name in ("one", "other"):
        monkeypatch.setenv("MELANOMA_MODELS_DIR", f"/somewhere/{name}")
        monkeypatch.setenv("MELANOMA_MODEL", name)
        monkeypatch.setenv("MELANOMA_DATA_DIR", f"/data/{name}")
        monkeypatch.setenv("MELANOMA_CACHE_DIR", f"/cache/{name}")
        monkeypatch.setenv("MELANOMA_ARCHIVE_URL", f"https://{name}.example/")
        monkeypatch.setenv("MELANOMA_RUNS_DIR", f"/runs/{name}")
        monkeypatch.setenv("MELANOMA_MAX_RUNS", "2")
        monkeypatch.setenv("MELANOMA_WEIGHTS_DIR", f"/weights/{name}")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://{name}.example/mlflow")
        monkeypatch.setenv("MELANOMA_ALLOW_ANONYMOUS", "1")
        monkeypatch.setenv("MELANOMA_SHARED", "1")
        monkeypatch.setenv("MELANOMA_ACCESS_DIR", f"/people/{name}")
        monkeypatch.setenv("MELANOMA_ROLES_CLAIM", "realm_access.roles")
        monkeypatch.setenv("MELANOMA_ROLE_GROUPS", '{"CN=A,OU=B": ["reader", "steward"]}')
        monkeypatch.setenv("MELANOMA_ROLES_CONTACT", f"it@{name}.example")
        monkeypatch.setenv("MELANOMA_IDLE_MINUTES", "7.5")
        monkeypatch.setenv("MELANOMA_PREVALENCE", "0.02,0.08")
        monkeypatch.setenv("MELANOMA_RECORDS_DIR", f"/kept/{name}")
        monkeypatch.setenv("MELANOMA_RECORD", f"/records/{name}")
        monkeypatch.setenv("MELANOMA_RECORD_URL", f"postgresql://{name}.example/clinic")
        monkeypatch.setenv("MELANOMA_FIRST_READ", "together")
        monkeypatch.setenv("MELANOMA_DICOM_NODE", f"dicom://PACS@{name}.example:104")
        monkeypatch.setenv("MELANOMA_DICOM_TITLE", "US")
        monkeypatch.setenv("MELANOMA_DICOM_AUTHORITIES", f"/pem/{name}")
        monkeypatch.setenv("MELANOMA_DICOM_CERTIFICATE", f"/own/{name}")
        monkeypatch.setenv("MELANOMA_DICOM_TOKEN", name)
        monkeypatch.setenv("MELANOMA_FHIR_SERVER", f"https://{name}.example/r4")
        monkeypatch.setenv("MELANOMA_FHIR_TOKEN", name)
        monkeypatch.setenv("MELANOMA_FHIR_TOKEN_FILE", f"/token/{name}")
        monkeypatch.setenv("MELANOMA_FHIR_AUTHORITIES", f"/pem/{name}")
        monkeypatch.setenv("MELANOMA_FHIR_PATIENT_SYSTEM", "urn:oid:1.2.3")
        monkeypatch.setenv("MELANOMA_INDEXES", os.pathsep.join(["/a/one", "/b, c/two", ""]))

        assert load_settings() == Settings(
            models_dir=Path("/somewhere") / name,
            model=name,
            data_dir=Path("/data") / name,
            cache_dir=Path("/cache") / name,
            archive_url=f"https://{name}.example/",
            runs_dir=Path("/runs") / name,
            max_runs=2,
            weights_dir=Path("/weights") / name,
            tracking_uri=f"https://{name}.example/mlflow",
            sensitivity_margin=0.05,
            specificity_margin=0.1,
            allow_anonymous=True,
            is_shared=True,
            access_dir=Path("/people") / name,
            roles_claim="realm_access.roles",
            role_groups={"CN=A,OU=B": ("reader", "steward")},
            roles_contact=f"it@{name}.example",
            idle_minutes=7.5,
            prevalence=(0.02, 0.08),
            indexes=(Path("/a/one"), Path("/b, c/two")),
            records_dir=Path("/kept") / name,
            record=Path("/records") / name,
            record_url=f"postgresql://{name}.example/clinic",
            first_read="together",
            dicom_node=f"dicom://PACS@{name}.example:104",
            dicom_title="US",
            dicom_authorities=Path("/pem") / name,
            dicom_certificate=Path("/own") / name,
            dicom_token=name,
            fhir_server=f"https://{name}.example/r4",
            fhir_token=name,
            fhir_token_file=Path("/token") / name,
            fhir_authorities=Path("/pem") / name,
            fhir_patient_system="urn:oid:1.2.3",
        )


def test_another_order_of_the_first_read_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MELANOMA_FIRST_READ", "network first")
    with pytest.raises(SettingsError, match="doctor first, together, off"):
        load_settings()


@pytest.mark.parametrize("text", ["two", "0", "-1", "1.5"])
def test_a_wrong_number_of_runs_is_refused(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("MELANOMA_MAX_RUNS", text)

    with pytest.raises(SettingsError, match=f'Found MELANOMA_MAX_RUNS="{text}"'):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "needed"),
    [
        ("MELANOMA_PUBLIC_PAGES", "all", "no longer exists. Other machines are offered what a"),
        ("MELANOMA_ALLOW_ANONYMOUS", "yes", "must be 0 or 1"),
        ("MELANOMA_IDLE_MINUTES", "-1", "must be a number of minutes"),
        ("MELANOMA_IDLE_MINUTES", "nan", "must be a number of minutes"),
        ("MELANOMA_ROLE_GROUPS", "Dermatology=reader", "must be a JSON object with the roles"),
        ("MELANOMA_ROLE_GROUPS", '{"Dermatology": "reader"}', "must be a JSON object"),
        ("MELANOMA_ROLE_GROUPS", "[]", "must be a JSON object"),
    ],
)
def test_values_that_would_open_the_server_by_mistake_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, needed: str
):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=needed):
        load_settings()


def test_a_process_can_be_given_the_same_settings(monkeypatch: pytest.MonkeyPatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    settings = replace(load_settings(), runs_dir=Path("/runs"), max_runs=3, model="one")
    settings = replace(settings, prevalence=(0.02, 0.08), indexes=(Path("/a,b"), Path("/c")))
    settings = replace(settings, allow_anonymous=True, role_groups={"a": ("reader",)})

    environment = make_environment(settings)

    assert environment["PATH"]  # and all else
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_every_setting_is_a_field_with_a_default_and_a_description():
    assert [setting.field for setting in SETTINGS] == [each.name for each in fields(Settings)]
    rows = describe_settings()
    assert len({row["variable"] for row in rows}) == len(rows)
    assert all(row["default"] and row["description"].endswith(".") for row in rows)
    # No row holds a path of this machine.
    assert not any(str(Path.home()) in row["default"] for row in rows)
    assert not any(str(PROJECT_ROOT) in row["default"] for row in rows)


def test_an_installed_package_keeps_its_files_in_the_user_data_folder_and_ships_its_assets(
    tmp_path: Path,
):
    package = tmp_path / "site" / "melanoma_core"
    (package / "assets").mkdir(parents=True)
    names = ("__init__", "software", "settings", "setting_list", "setting_values", "errors")
    for name in names:
        shutil.copy(PROJECT_ROOT / "melanoma_core" / f"{name}.py", package)
    code = (
        "from melanoma_core.settings import ASSETS, load_settings\n"
        "print(ASSETS, load_settings().models_dir, load_settings().runs_dir, sep='\\n')"
    )
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )

    home = user_data_path("melanoma-dashboard")
    assert done.stdout.split() == [str(package / "assets"), f"{home}/models", f"{home}/runs"]


def test_the_assets_are_those_of_the_checkout():
    assert (ASSETS.parent / "pyproject.toml").is_file()


def test_no_other_module_reads_the_environment():
    readers = set()
    for package in ("melanoma_core", "dashboard"):
        for path in sorted((PROJECT_ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
                    readers.add(path.relative_to(PROJECT_ROOT).as_posix())

    assert readers == {"melanoma_core/settings.py"}


@pytest.mark.parametrize("text", ["five", "-0.1", "1.5", "nan"])
def test_a_margin_outside_0_to_1_is_refused(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("MELANOMA_SENSITIVITY_MARGIN", text)

    with pytest.raises(SettingsError, match=r"It must be a number from 0 to 1, such as 0\.05"):
        load_settings()


@pytest.mark.parametrize(
    "text", ["2%,8%", "1.02", "0.02,0.08,0.1", "0.08,0.02", "-0.1,0.2", "0.5,1.5", "nan,nan", ","]
)
def test_a_prevalence_that_no_clinic_can_have_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
):
    monkeypatch.setenv("MELANOMA_PREVALENCE", text)

    with pytest.raises(SettingsError, match=f'Found MELANOMA_PREVALENCE="{text}"'):
        load_settings()


@pytest.mark.parametrize(
    ("text", "shares"),
    [("0,0", (0, 0)), (" 0.02 , 0.08 ", (0.02, 0.08)), ("1,1", (1, 1)), ("0.02", (0.02,))],
)
def test_a_prevalence_is_one_share_or_two(monkeypatch: pytest.MonkeyPatch, text: str, shares):
    monkeypatch.setenv("MELANOMA_PREVALENCE", text)

    assert load_settings().prevalence == shares
