"""Tokens of programs: kept as hashes, refused once they are over or revoked."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from melanoma_core.access.rights import Right, Role
from melanoma_core.errors import AccessError
from melanoma_core.service.tokens import create_token, find_subject, list_tokens, revoke_token

READER = [Role.READER]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access" / "tokens.json"


def test_without_a_file_no_token_is_known(path: Path):
    assert list_tokens(path) == []
    assert find_subject(path, "") is None
    assert find_subject(path, "melanoma_0123456789ab_" + "a" * 43) is None


def test_a_token_names_its_subject_and_its_roles(path: Path):
    text, token = create_token(path, "page of the clinic", [Role.READER, Role.AUDITOR], 30)

    subject = find_subject(path, text)

    assert subject is not None
    assert (subject.id, subject.name) == (f"token|{token.id}", "page of the clinic")
    assert subject.may(Right.READ)
    assert subject.may(Right.READ_LOG)
    assert not subject.may(Right.DEPLOY)


def test_the_file_holds_no_token_and_is_open_to_its_owner_alone(path: Path):
    text, token = create_token(path, "page", READER, None)
    content = path.read_text()

    assert text not in content
    assert text.rsplit("_", 1)[1] not in content
    assert token.sha256 in content
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir() if not each.name.startswith(".")] == [
        "tokens.json"
    ]


@pytest.mark.parametrize("change", ["", " ", "x", "é", "\n", "\ud800"])
def test_a_token_with_anything_more_is_another_one(path: Path, change: str):
    text, _ = create_token(path, "page", READER, None)
    assert (find_subject(path, text + change) is not None) == (change == "")
    assert find_subject(path, change) is None
    assert find_subject(path, text[:-1]) is None


def test_the_secret_of_one_token_does_not_open_another(path: Path):
    first, _ = create_token(path, "first", READER, None)
    second, _ = create_token(path, "second", READER, None)
    prefix, secret = first.rsplit("_", 1)[0], second[-43:]
    assert find_subject(path, f"{prefix}_{secret}") is None


def test_an_expired_token_is_refused(path: Path):
    text, token = create_token(path, "page", READER, 1)
    assert find_subject(path, text) is not None
    raw = json.loads(path.read_text())
    raw["tokens"][0]["expires_at"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    path.write_text(json.dumps(raw))

    assert find_subject(path, text) is None
    (kept,) = list_tokens(path)
    assert (kept.id, kept.find_state(datetime.now(UTC))) == (token.id, "expired")


def test_a_revoked_token_is_refused_and_stays_listed(path: Path):
    text, token = create_token(path, "page", READER, None)
    other, _ = create_token(path, "other", READER, None)

    first = revoke_token(path, token.id)
    assert revoke_token(path, token.id) == first  # the first time counts

    assert find_subject(path, text) is None
    assert find_subject(path, other) is not None
    assert [each.find_state(datetime.now(UTC)) for each in list_tokens(path)] == [
        "revoked",
        "valid",
    ]


def test_an_unknown_id_cannot_be_revoked(path: Path):
    create_token(path, "page", READER, None)
    with pytest.raises(AccessError, match='Found no token "nothing"'):
        revoke_token(path, "nothing")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a" * 81, "gpj.\u202eexe"])
def test_a_name_that_is_not_one_short_line_is_refused(path: Path, name: str):
    with pytest.raises(AccessError, match="as the name of a token"):
        create_token(path, name, READER, None)
    assert not path.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_file_that_others_may_open_is_refused(path: Path, mode: int):
    text, _ = create_token(path, "page", READER, None)
    path.chmod(mode)
    with pytest.raises(AccessError, match=f"mode {mode:o}.*chmod 600"):
        find_subject(path, text)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"tokens": [1]}', '{"tokens": [{"id": "a"}]}', '{"tokens": null}']
)
def test_a_damaged_file_is_refused_and_stays(path: Path, content: str):
    path.parent.mkdir()
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(AccessError, match="Cannot read the tokens"):
        create_token(path, "page", READER, None)
    assert path.read_text() == content
