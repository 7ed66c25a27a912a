"""The tokens of programs that ask the HTTP API, kept as hashes in one file.

A token is 256 random bits, so one round of SHA-256 protects it: there is no word to guess. A person
who reads the file cannot act with what it holds.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from filelock import FileLock

from melanoma_core.access.rights import Right, Role
from melanoma_core.access.subject import MAX_NAME, Subject, require
from melanoma_core.errors import AccessError
from melanoma_core.files import explain_write_errors, write_file
from melanoma_core.jsonable import dump_json, from_jsonable, load_json
from melanoma_core.names import neutralise
from melanoma_core.settings import Settings

_NAME = "tokens.json"  # in MELANOMA_ACCESS_DIR
_PREFIX = "melanoma"
_FORM = re.compile(r"melanoma_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
_ID_BYTES, _SECRET_BYTES = 6, 32
_OWNER_ALONE = 0o600
_OTHERS = 0o077
_ADVICE = "or set MELANOMA_ACCESS_DIR to another folder"
_NO_HASH = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Token:
    """What is kept of a token.

    Attributes:
        id: Public part, by which it is listed, revoked and logged.
        name: What it was made for.
        roles: What its program may do.
        sha256: Hash of the whole token (hex).
        created_at: UTC, ISO 8601.
        expires_at: From then on it is refused; UTC, ISO 8601; None for never.
        revoked_at: When a person revoked it; None if no one did.
    """

    id: str
    name: str
    roles: tuple[Role, ...]
    sha256: str
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None

    @property
    def subject(self) -> Subject:
        """Who acts with it."""
        return Subject(f"token|{self.id}", self.name, frozenset(self.roles))

    def find_state(self, now: datetime) -> str:
        """Return "valid", "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        is_over = self.expires_at is not None and datetime.fromisoformat(self.expires_at) <= now
        return "expired" if is_over else "valid"


def locate_tokens(settings: Settings) -> Path:
    """Return the file of tokens."""
    return settings.access_dir / _NAME


def create_token(
    path: Path, name: str, roles: Sequence[Role], days: int | None
) -> tuple[str, Token]:
    """Make a token, and keep its hash.

    Args:
        path: The file of tokens.
        name: What it is for.
        roles: What its program may do; at least one.
        days: After so many days it expires; None for never.

    Returns:
        The token, which is not kept and is seen this once; and what is kept of it.

    Raises:
        AccessError: The name is empty, too long or not one line; the file is damaged or open to
            others.
        FolderError: The file cannot be written.
    """
    require(Right.MANAGE_USERS)
    if neutralise(name) != name or not name.strip() or len(name) > MAX_NAME:
        raise AccessError(
            f"Found {neutralise(name)[:MAX_NAME]!r} as the name of a token. It must be one line of "
            f"1 to {MAX_NAME} characters. Choose another name."
        )
    now = datetime.now(UTC)
    token_id = secrets.token_hex(_ID_BYTES)
    text = f"{_PREFIX}_{token_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    kept = Token(
        id=token_id,
        name=name,
        roles=tuple(sorted(set(roles))),
        sha256=_hash(text),
        created_at=_format(now),
        expires_at=None if days is None else _format(now + timedelta(days=days)),
    )
    with _change(path) as tokens:
        tokens.append(kept)
    return text, kept


def revoke_token(path: Path, token_id: str) -> Token:
    """Refuse a token from now on, also on a server that runs.

    Raises:
        AccessError: There is no such token, or the file is damaged or open to others.
        FolderError: The file cannot be written.
    """
    require(Right.MANAGE_USERS)
    with _change(path) as tokens:
        for place, token in enumerate(tokens):
            if token.id == token_id:
                now = _format(datetime.now(UTC))
                tokens[place] = replace(token, revoked_at=token.revoked_at or now)
                return tokens[place]
        known = ", ".join(token.id for token in tokens) or "none"
        raise AccessError(
            f'Found no token "{neutralise(token_id)[:MAX_NAME]}" in {path}. Its tokens: {known}. '
            "Name one of them."
        )


def list_tokens(path: Path) -> list[Token]:
    """Return all tokens, the oldest first; none if there is no file.

    Raises:
        AccessError: The file is damaged, or others may read or write it.
    """
    try:
        with path.open("rb") as file:
            _check_mode(file, path)
            raw = load_json(file.read())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise _explain_damage(path, error) from error
    try:
        return [from_jsonable(Token, each) for each in raw["tokens"]]
    except (LookupError, TypeError, ValueError) as error:
        raise _explain_damage(path, error) from error


def find_subject(path: Path, text: str) -> Subject | None:
    """Return who acts with a token; None if it is unknown, expired or revoked.

    The time that this takes says nothing about the hashes: they are compared in constant time, and
    an unknown id is compared as well.

    Args:
        path: The file of tokens.
        text: What a program sent.

    Raises:
        AccessError: The file is damaged, or others may read or write it.
    """
    tokens = {token.id: token for token in list_tokens(path)}
    form = _FORM.fullmatch(text)
    found = tokens.get(form[1]) if form else None
    is_same = hmac.compare_digest(_hash(text), found.sha256 if found else _NO_HASH)
    if found is None or not is_same or found.find_state(datetime.now(UTC)) != "valid":
        return None
    return found.subject


@contextmanager
def _change(path: Path) -> Generator[list[Token], None, None]:
    """Offer the tokens to be changed in a `with` statement, which then writes them."""
    with explain_write_errors(path, _ADVICE):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"), mode=_OWNER_ALONE)
        lock.acquire()
    try:
        tokens = list_tokens(path)
        yield tokens
        content = dump_json({"tokens": tokens}, indent=2, ensure_ascii=True).encode()

        def write(file: IO[bytes]) -> None:
            if hasattr(os, "fchmod"):  # Windows has other means
                os.fchmod(file.fileno(), _OWNER_ALONE)
            file.write(content)

        write_file(path, write, _ADVICE)
    finally:
        lock.release()


def _check_mode(file: IO[bytes], path: Path) -> None:
    mode = os.fstat(file.fileno()).st_mode
    if os.name == "posix" and mode & _OTHERS:
        raise AccessError(
            f"Found {path} open to other accounts (mode {mode & 0o777:o}). It must be open to its "
            f"owner alone. Run `chmod 600 {path}`, and make new tokens if others have read it."
        )


def _explain_damage(path: Path, error: Exception) -> AccessError:
    return AccessError(
        f"Cannot read the tokens in {path} ({getattr(error, 'strerror', None) or error}). Restore "
        "the file, or remove it and make new tokens with `melanoma token create`."
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _format(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
