"""Who acts now, and whether they may.

A page, a command or the HTTP API says at its entrance who acts; the functions that change something
ask `require`. Without a login, a person at their own machine acts, and may do everything.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from melanoma_core.access.rights import NEEDED, Right, Role
from melanoma_core.errors import AccessError

MAX_NAME = 80


@dataclass(frozen=True)
class Subject:
    """A person or a program that acts.

    Attributes:
        id: The subject of the token; "" for a person without a login.
        name: The name to show.
        roles: Their roles.
        rights: What they may do besides, without a role.
    """

    id: str = ""
    name: str = ""
    roles: frozenset[Role] = frozenset()
    rights: frozenset[Right] = frozenset()

    @property
    def signature(self) -> str:
        """What the record keeps of who wrote: the name, and the subject of the token.

        Example:
            >>> Subject("auth0|5f", "Dr. Ada <Lovelace>").signature
            'Dr. Ada Lovelace <auth0|5f>'
            >>> Subject("auth0|5f").signature
            '<auth0|5f>'
        """
        name = " ".join(self.name.replace("<", "").replace(">", "").split())[:MAX_NAME]
        return f"{name} <{self.id}>".strip() if self.id else ""

    def may(self, right: Right) -> bool:
        """Return whether the subject may do something.

        Example:
            >>> Subject("ada", "Ada", frozenset({Role.READER})).may(Right.WRITE_RECORD)
            True
            >>> Subject("ada", "Ada", frozenset({Role.READER})).may(Right.ERASE)
            False
        """
        return right in self.rights or bool(self.roles & NEEDED[right])

    def explain_lack(self, right: Right) -> str:
        """Return which role the subject lacks to do something; "" if they may do it.

        Example:
            >>> Subject("ada", "Ada", frozenset({Role.READER})).explain_lack(Right.ERASE)
            'To erase a patient needs the role steward. Ask a steward for it.'
        """
        if self.may(right):
            return ""
        needed = " or ".join(sorted(NEEDED[right]))
        return f"To {right} needs the role {needed}. Ask a steward for it."


LOCAL = Subject(roles=frozenset(Role))
"""A person at their own machine without a login."""
ANONYMOUS = Subject(rights=frozenset({Right.READ}))
"""A person elsewhere, of a server without a login: they may read, and nothing is kept."""
NO_ONE = Subject()
"""Nothing that has logged in."""

_ACTING: ContextVar[Subject | None] = ContextVar("acting", default=None)
_find_subject: Callable[[], Subject] = lambda: LOCAL  # noqa: E731


@contextmanager
def acting_as(subject: Subject) -> Generator[None, None, None]:
    """Act as a subject in a `with` statement, in this thread or task alone.

    Example:
        >>> with acting_as(ANONYMOUS):
        ...     get_subject().may(Right.WRITE_RECORD)
        False
    """
    token = _ACTING.set(subject)
    try:
        yield
    finally:
        _ACTING.reset(token)


def identify_by(find: Callable[[], Subject]) -> None:
    """Ask a function who acts, wherever `acting_as` does not say it; for a whole server.

    A callback of a page runs before the page does, so pages cannot use `acting_as`.
    """
    global _find_subject  # noqa: PLW0603
    _find_subject = find


def get_subject() -> Subject:
    """Return who acts now."""
    return _ACTING.get() or _find_subject()


def require(right: Right) -> None:
    """Refuse what the subject that acts may not do.

    Raises:
        AccessError: They have none of the roles that it needs.
    """
    subject = get_subject()
    lack = subject.explain_lack(right)
    if lack:
        found = ", ".join(sorted(subject.roles)) or "no role"
        who = subject.signature or "a person without a login"
        raise AccessError(f"Found {found} for {who}. {lack}")


def check_signature(by: str) -> None:
    """Refuse a name that is not the one of the subject that has logged in.

    Args:
        by: What is to be kept as the person who wrote.

    Raises:
        AccessError: Another person is named.
    """
    signature = get_subject().signature
    if signature and by != signature:
        raise AccessError(
            f'Found the name "{by}", but {signature} has logged in. The record keeps who did what: '
            "write under your own login."
        )
