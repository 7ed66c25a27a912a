"""Who a login says that a person is: the claims of an ID token of OpenID Connect."""

from collections.abc import Mapping
from typing import Any

from melanoma_core.access.rights import Role
from melanoma_core.errors import SettingsError
from melanoma_core.settings import Settings

_MAX_ID = 255  # characters of a subject, OpenID Connect Core 1.0, section 2
_NAMES = ("name", "preferred_username", "nickname", "email")


def check_groups(settings: Settings) -> None:
    """Refuse a mapping of groups that names a role that there is not.

    Raises:
        SettingsError: There is one.
    """
    for group, roles in (settings.role_groups or {}).items():
        for role in roles:
            if role not in set(Role):
                raise SettingsError(
                    f'Found the role "{role}" for the group "{group}" in MELANOMA_ROLE_GROUPS. '
                    f"Roles are {', '.join(Role)}. Change it."
                )


def read_roles(claims: Mapping[str, Any], settings: Settings) -> frozenset[Role]:
    """Return the roles that a token gives; none where the claim is missing or of another form.

    Args:
        claims: Of the ID token.
        settings: With the name of the claim, and the groups.

    Example:
        >>> from dataclasses import replace
        >>> from melanoma_core.settings import load_settings
        >>> settings = replace(load_settings(), roles_claim="realm_access.roles")
        >>> claims = {"realm_access": {"roles": ["reader", "offline_access"]}}
        >>> [str(role) for role in read_roles(claims, settings)]
        ['reader']
    """
    values = _list_values(_find(claims, settings.roles_claim))
    if settings.role_groups is None:
        found = values
    else:
        found = [role for each in values for role in settings.role_groups.get(each, ())]
    return frozenset(Role(each) for each in found if each in set(Role))


def read_id(claims: Mapping[str, Any]) -> str:
    """Return the subject of a token; "" if it has none that can be kept.

    Subjects of two providers may be the same text, so those of a named provider begin with it.

    Example:
        >>> read_id({"sub": "5f", "provider": "okta"})
        'okta:5f'
    """
    subject, provider = claims.get("sub"), claims.get("provider")
    if not isinstance(subject, str) or not subject.strip() or len(subject) > _MAX_ID:
        return ""
    if not subject.isprintable():
        return ""
    return subject if provider in {None, "", "default"} else f"{provider}:{subject}"


def read_name(claims: Mapping[str, Any]) -> str:
    """Return the name to show; "" if the token has none.

    Example:
        >>> read_name({"preferred_username": "ada"})
        'ada'
    """
    for key in _NAMES:
        value = claims.get(key)
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return ""


def _find(claims: Mapping[str, Any], path: str) -> Any:
    """Return the value of a claim; a name with dots, such as an address, comes before a path."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def _list_values(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value, *value.replace(",", " ").split()]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
