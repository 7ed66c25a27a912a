"""The node to which DICOM files are sent: its address, and how it is reached."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from melanoma_core.errors import SettingsError, hide_passwords
from melanoma_core.settings import Settings

_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # ASCII without a backslash (PS3.5, AE)
_PLAIN, _TLS, _WEB = "dicom", "dicoms", ("https", "http")
_PORTS = {_PLAIN: 104, _TLS: 2762}
_EXAMPLES = (
    "It must be an address such as dicom://<TITLE>@pacs.clinic:104, with the title of its "
    "application entity, dicoms://<TITLE>@pacs.clinic:2762 (with TLS) or "
    "https://pacs.clinic/dicom-web (STOW-RS). Change it."
)


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node of the DICOM network, or a DICOMweb service.

    Attributes:
        host: Name or number of the host.
        port: TCP port; of a DIMSE node alone.
        title: Application entity title of the node; "" for a DICOMweb service.
        own_title: Title by which we call.
        url: Address of a DICOMweb service, without a password; "" for a DIMSE node.
        user: Name and password of a DICOMweb service; None if it has none.
        token: Bearer token of a DICOMweb service; "" if it has none.
        uses_tls: Whether a DIMSE association is encrypted.
        authorities: PEM file of the authorities that certify the node; None for the system's.
        certificate: PEM file of our certificate and its key; None if the node asks for none.
    """

    host: str
    port: int = 0
    title: str = ""
    own_title: str = "MELANOMA"
    url: str = ""
    user: tuple[str, str] | None = field(default=None, repr=False)
    token: str = field(default="", repr=False)
    uses_tls: bool = False
    authorities: Path | None = None
    certificate: Path | None = None

    @property
    def is_web(self) -> bool:
        """Whether it is a DICOMweb service."""
        return bool(self.url)

    @property
    def name(self) -> str:
        """Its name for people, without any password.

        >>> Node(host="pacs.clinic", port=2762, title="PACS", uses_tls=True).name
        'PACS at pacs.clinic:2762 (TLS)'
        """
        tls = " (TLS)" if self.uses_tls else ""
        return self.url or f"{self.title} at {_bracket(self.host)}:{self.port}{tls}"


def find_node(settings: Settings, address: str = "") -> Node | None:
    """Return the node that is set.

    Args:
        settings: The settings.
        address: Another address than that of the settings; "" for theirs. It is never given the
            token that is set.

    Returns:
        None if no node is set.

    Raises:
        SettingsError: The address cannot be used.
    """
    text = address or settings.dicom_node or ""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _explain(text) from None
    if not parts.hostname or parts.scheme not in (_PLAIN, _TLS, *_WEB):
        raise _explain(text)
    own_title = settings.dicom_title
    if not _TITLE.fullmatch(own_title) or not own_title.strip():
        raise SettingsError(
            f'Found MELANOMA_DICOM_TITLE="{own_title}". A title has 1 to 16 characters of ASCII '
            "and no backslash. Change it."
        )
    if parts.scheme in _WEB:
        bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        return Node(
            host=parts.hostname,
            own_title=own_title,
            url=bare.rstrip("/"),
            user=(unquote(parts.username or ""), unquote(parts.password or ""))
            if parts.username is not None
            else None,
            token=(settings.dicom_token or "") if text == settings.dicom_node else "",
            authorities=settings.dicom_authorities,
            certificate=settings.dicom_certificate,
        )
    title = unquote(parts.username or "")
    if not _TITLE.fullmatch(title) or not title.strip() or parts.path.strip("/"):
        raise _explain(text)
    return Node(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        title=title,
        own_title=own_title,
        uses_tls=parts.scheme == _TLS,
        authorities=settings.dicom_authorities,
        certificate=settings.dicom_certificate,
    )


def _explain(text: str) -> SettingsError:
    return SettingsError(f'Found the DICOM node "{hide_passwords(text)}". {_EXAMPLES}')


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host
