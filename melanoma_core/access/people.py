"""The people who have logged in, and the roles that a steward gave them.

A person's roles come from the claim of their token. A steward may set others, which then count
instead. `people.json` keeps both; each change is a line of `changes.jsonl`, which only grows.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from filelock import FileLock

from melanoma_core.access.rights import Right, Role
from melanoma_core.access.subject import Subject, get_subject, require
from melanoma_core.errors import AccessError
from melanoma_core.files import explain_write_errors, write_file

_PEOPLE, _CHANGES, _LOCK = "people.json", "changes.jsonl", "people.lock"
_ADVICE = "or set MELANOMA_ACCESS_DIR"


@dataclass(frozen=True)
class Person:
    """A person who has logged in, or to whom a steward has given roles.

    Attributes:
        id: The subject of their token.
        name: Their name at the last login; "" before the first one.
        claimed: Roles that their token gave at the last login.
        given: Roles that a steward has set, which count instead; None for none set.
        seen_at: Day of the last login, in UTC; "" before the first one.
    """

    id: str
    name: str = ""
    claimed: tuple[Role, ...] = ()
    given: tuple[Role, ...] | None = None
    seen_at: str = ""

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that count."""
        return frozenset(self.claimed if self.given is None else self.given)


@dataclass(frozen=True)
class RoleChange:
    """A line of the log.

    Attributes:
        at: When, in UTC.
        by: The signature of who changed it; "" for a person at the machine.
        subject: Whose roles.
        before: The roles that were set; None for those of the claim.
        after: The roles that are set; None for those of the claim.
    """

    at: str
    by: str
    subject: str
    before: tuple[str, ...] | None
    after: tuple[str, ...] | None


def list_people(folder: Path) -> list[Person]:
    """Return all people, by name.

    Raises:
        AccessError: The person who acts is no steward, or the file is damaged.
    """
    require(Right.MANAGE_USERS)
    return sorted(_read(folder).values(), key=lambda person: (person.name.casefold(), person.id))


def list_role_changes(folder: Path) -> list[RoleChange]:
    """Return the changes of roles, the newest first.

    Raises:
        AccessError: The person who acts is no steward.
    """
    require(Right.MANAGE_USERS)
    path = folder / _CHANGES
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    return [RoleChange(**json.loads(line)) for line in reversed(lines)]


def set_roles(folder: Path, person_id: str, roles: frozenset[Role] | None) -> Person:
    """Set the roles of a person; None lets those of the claim count again.

    Args:
        folder: Of the people (MELANOMA_ACCESS_DIR).
        person_id: The subject of their token; they need not have logged in.
        roles: Empty to take all roles.

    Raises:
        AccessError: The person who acts is no steward, or would no longer be one.
        FolderError: The file cannot be written.
    """
    require(Right.MANAGE_USERS)
    person_id = person_id.strip()
    if not person_id:
        raise AccessError("Found no person. Give the subject of their token.")
    acting = get_subject()
    given = None if roles is None else tuple(sorted(roles))
    with _lock(folder):
        people = dict(_read(folder))
        before = people.get(person_id, Person(person_id))
        after = replace(before, given=given)
        if acting.id == person_id and Role.STEWARD not in after.roles:
            raise AccessError(
                "You would no longer be a steward, and could not undo it. Ask another steward."
            )
        change = RoleChange(_now(), acting.signature, person_id, before.given, given)
        with explain_write_errors(folder, _ADVICE), (folder / _CHANGES).open("a") as log:
            log.write(json.dumps(asdict(change)) + "\n")  # before it counts
            log.flush()
            os.fsync(log.fileno())
        _write(folder, people | {person_id: after})
    return after


def remember(folder: Path, subject: Subject) -> Subject:
    """Note that a person has logged in, and return them with the roles that count.

    Args:
        folder: Of the people.
        subject: With the roles of the claim.

    Raises:
        AccessError: The file is damaged.
        FolderError: The file cannot be written.
    """
    claimed, today = tuple(sorted(subject.roles)), _now()[:10]
    known = _read(folder).get(subject.id)
    person = replace(known or Person(subject.id), name=subject.name, claimed=claimed, seen_at=today)
    if person != known:
        with _lock(folder):
            people = dict(_read(folder))
            given = people.get(subject.id, person).given
            _write(folder, people | {subject.id: replace(person, given=given)})
    return replace(subject, roles=person.roles)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _lock(folder: Path) -> FileLock:
    with explain_write_errors(folder, _ADVICE):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock(folder / _LOCK)


def _read(folder: Path) -> Mapping[str, Person]:
    path = folder / _PEOPLE
    try:
        status = path.stat()
    except FileNotFoundError:
        return MappingProxyType({})
    return _parse(path, status.st_mtime_ns, status.st_ino)


@lru_cache(maxsize=8)
def _parse(path: Path, modified_at: int, inode: int) -> Mapping[str, Person]:  # noqa: ARG001
    try:
        rows = json.loads(path.read_bytes())
        return MappingProxyType({key: _make_person(key, row) for key, row in rows.items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AccessError(
            f"Cannot read the roles of people in {path} ({error}). Restore the file, or remove it: "
            "roles then come from the login alone."
        ) from error


def _make_person(key: str, row: dict[str, Any]) -> Person:
    given = row["given"]
    return Person(
        id=key,
        name=str(row["name"]),
        claimed=tuple(map(Role, row["claimed"])),
        given=None if given is None else tuple(map(Role, given)),
        seen_at=str(row["seen_at"]),
    )


def _write(folder: Path, people: Mapping[str, Person]) -> None:
    rows = {key: {**asdict(person), "id": key} for key, person in sorted(people.items())}
    content = json.dumps(rows, indent=1, ensure_ascii=False).encode()
    write_file(folder / _PEOPLE, content, _ADVICE, several_writers=True)
