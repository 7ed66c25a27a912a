"""The FHIR server that is set: its address, and how it is asked."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from melanoma_core.errors import SettingsError, hide_passwords
from melanoma_core.settings import Settings

_ADVICE = (
    "It must be the base address of a FHIR R4 server, such as https://fhir.clinic/r4, without a "
    "user, a password or a query. Change it."
)


@dataclass(frozen=True, kw_only=True)
class FhirServer:
    """A FHIR server.

    Attributes:
        url: Its base address, without a slash at its end.
        token: Bearer token; "" if it asks for none.
        authorities: PEM file of the authorities that certify it; None for the system's.
    """

    url: str
    token: str = field(default="", repr=False)
    authorities: Path | None = None


def find_server(settings: Settings, address: str = "") -> FhirServer | None:
    """Return the server that is set; None if none is.

    Args:
        settings: With MELANOMA_FHIR_SERVER and its token.
        address: Another address than the one that is set; it is never given the token that is set.

    Raises:
        SettingsError: The address or the file of the token cannot be used.
    """
    url = address or settings.fhir_server
    if not url:
        return None
    _check(url)
    token = "" if address and address != settings.fhir_server else _read_token(settings)
    if token and not _is_safe(url):
        raise SettingsError(
            "MELANOMA_FHIR_SERVER begins with http://, so that its token would be readable on the "
            "way. Give it as https://."
        )
    return FhirServer(url=url.rstrip("/"), token=token, authorities=settings.fhir_authorities)


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_bare = not (parts.query or parts.fragment or parts.username or parts.password)
        parts.port  # noqa: B018  # which raises if it is no number
    except ValueError:
        is_address = is_bare = False
    if not is_address or not is_bare or not url.isascii() or not url.isprintable() or " " in url:
        raise SettingsError(f'Found MELANOMA_FHIR_SERVER="{hide_passwords(url)}". {_ADVICE}')


def _is_safe(url: str) -> bool:
    """Return whether what is sent cannot be read on the way what is sent."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    return parts.scheme == "https" or is_here


def _read_token(settings: Settings) -> str:
    """Return the token that is set, or that of the file.

    Raises:
        SettingsError: The file cannot be read, or the token has other than printable ASCII.
    """
    token = settings.fhir_token or ""
    if not token and settings.fhir_token_file is not None:
        try:
            token = settings.fhir_token_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"Cannot read MELANOMA_FHIR_TOKEN_FILE ({type(error).__name__}). It must be a text "
                "file with the token alone. Check its path and permissions."
            ) from error
    token = token.strip()
    if not token.isascii() or any(each.isspace() or not each.isprintable() for each in token):
        raise SettingsError(
            "The token of the FHIR server holds white space or other than ASCII. Copy it again."
        )
    return token
