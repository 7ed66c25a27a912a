"""Each role is offered what it may do, and reads which role the rest needs."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton
from streamlit.testing.v1 import AppTest

from dashboard.shared.access import find_subject
from melanoma_core.access.rights import Role
from melanoma_core.access.subject import LOCAL, acting_as, identify_by
from melanoma_core.deployment.promotion import promote, propose
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.entities import Visit
from melanoma_core.records.opened import Opened, find_folder, remember_opened
from melanoma_core.records.store import Record
from melanoma_core.settings import PROJECT_ROOT, load_settings
from tests.dashboard.reading.driver import html
from tests.drawn_models import write_model
from tests.drawn_record import DrawnLesion, add_drawn_lesion

LOGIN = f"""
[auth]
redirect_uri = "http://localhost:8501/oauth2callback"
cookie_secret = "{"0" * 40}"
client_id = "melanoma"
client_secret = "secret"
server_metadata_url = "http://localhost:1/.well-known/openid-configuration"
"""
WITH_RECORD = [Role.READER, Role.STEWARD, Role.AUDITOR]
NEEDS_READER = "To write into the record needs the role reader. Ask a steward for it."
NEEDS_STEWARD = "To {} needs the role steward. Ask a steward for it."


@pytest.fixture
def lesion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DrawnLesion:
    """Return a lesion of the record that is open; a visit of its patient was withdrawn."""
    folder = tmp_path / "record"
    monkeypatch.setenv("MELANOMA_RECORD", str(folder))
    with acting_as(LOCAL):
        record = Record.create(folder, by="dr.a")
        lesion = add_drawn_lesion(record)
        with record.write(by="dr.a") as change:
            visit = change.add(Visit(patient_id=lesion.patient_id, on=date(2026, 1, 2)))
            change.withdraw(visit, "of another patient")
        record.close()
    return lesion


@pytest.fixture
def _with_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let everyone log in, as on a server; the core asks the page's login who acts, too."""
    file = tmp_path / "secrets.toml"
    file.write_text(LOGIN)
    monkeypatch.setenv("MELANOMA_ACCESS_DIR", str(tmp_path / "access"))
    monkeypatch.delenv("MELANOMA_ROLES_CLAIM", raising=False)
    files = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(file)])
    secrets_singleton._reset()
    identify_by(find_subject)
    yield
    identify_by(lambda: LOCAL)
    config.set_option("secrets.files", files)
    secrets_singleton._reset()


def open_page(page: str, *roles: Role, **address: str) -> AppTest:
    """Open a page as a person whose login gives these roles."""
    app = AppTest.from_file(PROJECT_ROOT / "dashboard" / "navigation.py", default_timeout=120)
    now = time.time()
    app.user = {
        "is_logged_in": True,
        "sub": "5f",
        "name": "Ada",
        "iat": now,
        "exp": now + 3600,
        load_settings().roles_claim: [str(role) for role in roles],
    }
    app.run()
    app.switch_page(f"{page}/page.py")
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert 'class="error"' not in html(app)
    return app


def list_buttons(app: AppTest) -> set[str]:
    return {each.label for each in app.button}


@pytest.mark.parametrize("role", WITH_RECORD)
@pytest.mark.usefixtures("_with_login")
def test_only_a_steward_is_offered_to_erase_and_all_may_export(lesion: DrawnLesion, role: Role):
    app = open_page("patients", role, patient=lesion.patient_id, view="record")

    is_offered = "Erase this patient" in list_buttons(app)
    assert is_offered == (role is Role.STEWARD)
    assert (NEEDS_STEWARD.format("erase a patient") in html(app)) != is_offered
    assert "Prepare the export" in list_buttons(app)
    assert ("Take the withdrawal back" in list_buttons(app)) == (role is Role.READER)
    assert ("Correct" in list_buttons(app)) == (role is Role.READER)


@pytest.mark.parametrize("role", WITH_RECORD)
@pytest.mark.parametrize(
    ("view", "label"),
    [("lesions", "New lesion"), ("visits", "New visit"), ("visits", "Add overview photographs")],
)
@pytest.mark.usefixtures("_with_login")
def test_only_a_reader_is_offered_what_adds_to_a_patient(
    lesion: DrawnLesion, role: Role, view: str, label: str
):
    app = open_page("patients", role, patient=lesion.patient_id, view=view)

    assert (label in list_buttons(app)) == (role is Role.READER)
    assert (NEEDS_READER in html(app)) == (role is not Role.READER)


@pytest.mark.parametrize("role", WITH_RECORD)
@pytest.mark.usefixtures("_with_login")
def test_only_a_reader_is_offered_a_new_patient_by_button_or_address(
    lesion: DrawnLesion,  # noqa: ARG001  # of the record that is open
    role: Role,
):
    assert ("New patient" in list_buttons(open_page("patients", role))) == (role is Role.READER)
    app = open_page("patients", role, new="patient")
    assert ("Save" in list_buttons(app)) == (role is Role.READER)


@pytest.mark.parametrize("role", WITH_RECORD)
@pytest.mark.parametrize("step", ["photographs", "AI reading", "decision", "recall"])
@pytest.mark.usefixtures("_with_login")
def test_only_a_reader_is_offered_the_steps_of_a_lesion(
    lesion: DrawnLesion, role: Role, step: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_FIRST_READ", "off")
    app = open_page("lesion", role, lesion=lesion.lesion_id, step=step)

    writes = {"Add another", "Correct", "Sign and save", "Save the recall"}
    offered = {each for each in list_buttons(app) if each in writes or each.startswith("Read ")}
    assert bool(offered) == (role is Role.READER)
    assert (NEEDS_READER in html(app)) == (role is not Role.READER)


@pytest.mark.parametrize("role", WITH_RECORD)
@pytest.mark.usefixtures("_with_login")
def test_only_a_reader_opens_the_correction_of_an_entry_by_its_address(
    lesion: DrawnLesion, role: Role
):
    app = open_page("lesion", role, lesion=lesion.lesion_id, edit=lesion.photograph_ids[0])

    assert ("Correct: Photograph" in html(app)) == (role is Role.READER)


@pytest.mark.parametrize("role", WITH_RECORD)
@pytest.mark.usefixtures("_with_login")
def test_only_an_auditor_reads_the_audit_log(lesion: DrawnLesion, role: Role):  # noqa: ARG001
    app = open_page("performance", role, view="Audit log")

    lack = "To read the audit log needs the role auditor. Ask a steward for it."
    assert (lack in html(app)) == (role is not Role.AUDITOR)
    assert ("entries, the newest first" in html(app)) == (role is Role.AUDITOR)


@pytest.mark.parametrize("roles", [(Role.READER,), (Role.READER, Role.TRAINER)])
@pytest.mark.usefixtures("_with_login")
def test_a_dataset_of_confirmed_lesions_is_offered_to_a_trainer_who_reads(
    lesion: DrawnLesion,  # noqa: ARG001  # of the record that is open
    roles: tuple[Role, ...],
):
    app = open_page("performance", *roles)

    is_offered = "Make the dataset" in list_buttons(app)
    assert is_offered == (Role.TRAINER in roles)
    assert ("To download or write a dataset needs the role trainer." in html(app)) != is_offered


@pytest.mark.parametrize("role", WITH_RECORD)
@pytest.mark.usefixtures("_with_login")
def test_only_a_steward_is_offered_to_create_and_to_close_a_record(
    role: Role,
):
    app = open_page("today", role)
    assert ("Create a record" in list_buttons(app)) == (role is Role.STEWARD)
    lack = NEEDS_STEWARD.format("create, open, close or upgrade a record")
    assert (lack in html(app)) == (role is not Role.STEWARD)

    with acting_as(LOCAL):
        Record.create(find_folder(load_settings(), Opened.CLINIC), by="dr.a").close()
        remember_opened(load_settings(), Opened.CLINIC)
    app = open_page("today", role)
    assert ("Close the record" in list_buttons(app)) == (role is Role.STEWARD)


@pytest.mark.slow
@pytest.mark.usefixtures("_with_login")
def test_only_a_steward_is_offered_to_promote_and_to_roll_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    models = tmp_path / "models"
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(models))
    monkeypatch.setenv("MELANOMA_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.delenv("MELANOMA_MODEL", raising=False)
    write_model(models, "candidate", can_read=False)
    with acting_as(LOCAL):
        proposal = propose(load_settings(), "candidate", load_card(BUNDLED).model_id)
        promote(load_settings(), proposal, "Ada", "a test of the page")

    for role in Role:
        app = open_page("models", role, tab="Compare and promote")
        offered = {each for each in list_buttons(app) if each.startswith(("Promote ", "Roll back"))}
        assert bool(offered) == (role is Role.STEWARD)
        assert ("Roll back" in offered) == (role is Role.STEWARD)
        lack = NEEDS_STEWARD.format("promote a model or roll it back")
        assert (lack in html(app)) == (role is not Role.STEWARD)
