"""The first steward is named at the machine; the commands list and set roles."""

import json
from pathlib import Path

import pytest

from melanoma_core.access.people import remember
from melanoma_core.access.rights import Role
from melanoma_core.access.subject import Subject
from melanoma_core.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MELANOMA_ACCESS_DIR", str(tmp_path))
    return tmp_path


def test_there_are_no_people_at_first(capsys: pytest.CaptureFixture[str]):
    assert main(["role", "list"]) == 0
    assert capsys.readouterr().out == ""


def test_roles_are_set_taken_and_reset(folder: Path, capsys: pytest.CaptureFixture[str]):
    remember(folder, Subject("ada", "Ada", frozenset({Role.READER})))

    assert main(["role", "set", "ada", "steward", "reader"]) == 0
    assert capsys.readouterr().out == "ada  Ada  reader, steward (from a steward)\n"
    assert main(["role", "set", "ada"]) == 0
    assert capsys.readouterr().out == "ada  Ada  no role (from a steward)\n"
    assert main(["role", "reset", "ada", "--json"]) == 0
    (person,) = json.loads(capsys.readouterr().out)["people"]
    assert (person["subject"], person["roles"]) == ("ada", ["reader"])
    assert person["set_by_a_steward"] is False


def test_a_role_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["role", "set", "ada", "admin"])
    said = capsys.readouterr().err
    assert 'found "admin"; it must be one of: reader, trainer, steward, auditor' in said
