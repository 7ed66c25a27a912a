"""The tables of the Users page as rows of text."""

from collections.abc import Iterable, Sequence

from dashboard.shared.tables import Row
from melanoma_core.access.people import Person, RoleChange


def list_person_rows(people: Iterable[Person]) -> list[Row]:
    """Return a row per person: name, subject, roles, where they come from, last login."""
    return [
        {
            "Name": person.name or "not yet logged in",
            "Subject of the token": person.id,
            "Roles": _join(sorted(person.roles)),
            "From": "the login" if person.given is None else "a steward",
            "Last login": person.seen_at or "never",
        }
        for person in people
    ]


def list_change_rows(changes: Iterable[RoleChange]) -> list[Row]:
    """Return a row per change: when, by whom, whose roles, before and after."""
    return [
        {
            "When (UTC)": change.at,
            "By": change.by or "a person at the machine",
            "Subject of the token": change.subject,
            "Before": _describe(change.before),
            "After": _describe(change.after),
        }
        for change in changes
    ]


def _describe(roles: Sequence[str] | None) -> str:
    return "those of the login" if roles is None else _join(roles)


def _join(roles: Sequence[str]) -> str:
    return ", ".join(roles) or "no role"
