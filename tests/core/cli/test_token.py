"""`token`: made, listed and revoked on the command line."""

import json
from pathlib import Path

import pytest

from melanoma_core.access.rights import Role
from melanoma_core.cli.main import main
from melanoma_core.service.tokens import find_subject


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tokens.json"
    monkeypatch.setenv("MELANOMA_ACCESS_DIR", str(tmp_path))
    return path


def test_only_the_token_goes_to_standard_output(path: Path, capfd):
    assert main(["token", "create", "page", "--role", "reader"]) == 0
    output, errors = capfd.readouterr()

    subject = find_subject(path, output.removesuffix("\n"))
    assert subject is not None
    assert subject.roles == {Role.READER}
    assert errors == f"Kept its hash in {path}. The token is shown this once:\n"


def test_a_token_is_listed_without_its_secret_and_then_revoked(path: Path, capfd):
    main(["token", "create", "metrics", "--role", "auditor", "--days", "never", "--json"])
    made = json.loads(capfd.readouterr().out)
    assert main(["token", "list"]) == 0
    listed = capfd.readouterr().out
    assert listed == f"{made['id']}  valid    auditor, without an end: metrics\n"

    assert main(["token", "revoke", made["id"]]) == 0
    assert capfd.readouterr().out == f"{made['id']} is revoked: metrics\n"
    main(["token", "list", "--json"])
    (row,) = json.loads(capfd.readouterr().out)
    assert row["state"] == "revoked"
    assert not {"sha256", "token"} & row.keys()
    assert find_subject(path, made["token"]) is None


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "soon", "36501"])
def test_a_number_of_days_out_of_range_is_refused(days: str, path: Path, capfd):
    with pytest.raises(SystemExit):
        main(["token", "create", "page", "--role", "reader", "--days", days])
    assert "it must be a whole number of days" in capfd.readouterr().err
    assert not path.exists()


def test_a_token_without_a_role_or_with_another_role_is_refused(path: Path, capfd):
    for arguments in ([], ["--role", "owner"]):
        with pytest.raises(SystemExit):
            main(["token", "create", "page", *arguments])
    capfd.readouterr()
    assert not path.exists()


def test_an_id_that_is_unknown_is_refused(capfd):
    assert main(["token", "revoke", "0123"]) == 2
    assert capfd.readouterr().err.startswith('Found no token "0123" in ')
