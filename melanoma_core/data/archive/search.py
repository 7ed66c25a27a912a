"""Search the ISIC Archive.

`GET images/search/` of its API (version 2) returns pages `{count, next, previous, results}`; only
the first page has the count. Responses are not trusted: every invalid entry is reported.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from melanoma_core.data.archive.http import Fetcher, FetchError
from melanoma_core.data.folders import IMAGE_SUFFIXES
from melanoma_core.data.images import MAX_BYTES
from melanoma_core.errors import DatasetError
from melanoma_core.progress import Progress
from melanoma_core.settings import load_settings

_PAGE_SIZE = 100  # maximum of the API
_MAX_PAGE_BYTES = 8 * 2**20
_ISIC_ID = re.compile(r"ISIC_[0-9]{7}")
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class ArchiveSearch:
    """A search of the Archive.

    Attributes:
        query: In the Archive's query language, such as `diagnosis_3:"Nevus" AND sex:female`; empty
            for all images.
        collections: Collection numbers of the Archive; empty for all.
        limit: Maximum number of images, or None for all.

    Raises:
        DatasetError: The limit or a collection number is below 1.

    Examples:
        >>> ArchiveSearch('diagnosis_3:"Nevus"', collections=(212,), limit=100).limit
        100
    """

    query: str = ""
    collections: tuple[int, ...] = ()
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise DatasetError(
                f"Found a limit of {self.limit} images. It must be at least 1. Raise it, or "
                "omit it for all images."
            )
        if any(number < 1 for number in self.collections):
            raise DatasetError(
                f"Found the collections {', '.join(map(str, self.collections))}. Collection "
                "numbers start at 1. Look them up on isic-archive.com."
            )


@dataclass(frozen=True)
class ArchiveImage:
    """An image in the Archive.

    Attributes:
        isic_id: "ISIC_" and seven digits.
        url: URL of its file, possibly on another server than the API.
        size_bytes: Size of the file.
        licence: Such as "CC-0", "CC-BY" or "CC-BY-NC".
        attribution: Who must be credited.
        metadata: Acquisition and clinical metadata, by the Archive's names.
    """

    isic_id: str
    url: str
    size_bytes: int
    licence: str
    attribution: str
    metadata: Mapping[str, str]

    @property
    def file_name(self) -> str:
        """Its local file name, made from the id and a known suffix only."""
        suffix = PurePosixPath(urlsplit(self.url).path).suffix.lower()
        return self.isic_id + (suffix if suffix in IMAGE_SUFFIXES else ".jpg")


@dataclass(frozen=True)
class Failure:
    """An image that cannot be downloaded.

    Attributes:
        isic_id: As in the response, at most 40 characters.
        reason: One or two sentences.
    """

    isic_id: str
    reason: str


def search_archive(
    search: ArchiveSearch, progress: Progress | None = None
) -> tuple[tuple[ArchiveImage, ...], tuple[Failure, ...]]:
    """Search the Archive.

    Args:
        search: What to search for.
        progress: Called with the number of images found and the total.

    Returns:
        The images, and the entries that cannot be downloaded.

    Raises:
        DatasetError: The Archive cannot be reached, rejects the query, or another server responds.
    """
    images: dict[str, ArchiveImage] = {}
    rejected: dict[str, Failure] = {}
    with Fetcher() as fetcher:
        for page in _read_pages(fetcher, search):
            num_before = len(images) + len(rejected)
            for entry in page.entries:
                found = _parse_image(entry, page.scheme)
                if isinstance(found, Failure):
                    rejected[found.isic_id] = found
                else:
                    images[found.isic_id] = found
            if progress:
                num_total = max(page.num_total, len(images))
                limit = search.limit or num_total
                progress(min(len(images), limit), min(num_total, limit))
            if search.limit and len(images) >= search.limit:
                break
            if page.next_url and len(images) + len(rejected) == num_before:
                raise DatasetError(
                    "Found the same images on every page of the ISIC Archive. Each page must have "
                    "new ones. Report it to the Archive and try again later."
                )
    return tuple(images.values())[: search.limit], tuple(rejected.values())


@dataclass(frozen=True)
class _Page:
    entries: list[Any]
    next_url: str | None
    num_total: int
    scheme: str


def _read_pages(fetcher: Fetcher, search: ArchiveSearch) -> Iterator[_Page]:
    base = load_settings().archive_url.rstrip("/")
    parameters = {
        "query": search.query,
        "collections": ",".join(map(str, search.collections)),
        "limit": str(min(_PAGE_SIZE, search.limit or _PAGE_SIZE)),
    }
    url: str | None = f"{base}/images/search/?" + urlencode(
        {name: value for name, value in parameters.items() if value}
    )
    num_total = 0  # only the first page has it
    while url:
        page = _parse_page(_fetch_page(fetcher, url), url, num_total)
        yield page
        url, num_total = page.next_url, page.num_total


def _fetch_page(fetcher: Fetcher, url: str) -> bytes:
    try:
        return fetcher.fetch(url, _MAX_PAGE_BYTES)
    except FetchError as error:
        advice = "Check the connection and MELANOMA_ARCHIVE_URL, then try again later."
        if error.status in {400, 422}:
            advice = "Check the query and the collection numbers."
        raise DatasetError(
            f"Cannot search the ISIC Archive at {_origin(url)}. {error} {advice}"
        ) from error


def _parse_page(body: bytes, url: str, num_total: int) -> _Page:
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        page = None
    if not isinstance(page, dict) or not isinstance(page.get("results"), list):
        raise DatasetError(
            f"Found that the server at {_origin(url)} is not the ISIC Archive. A list of results "
            "in JSON is needed. Check MELANOMA_ARCHIVE_URL, and whether a proxy or a login page "
            "intervenes."
        )
    next_url = None if page.get("next") is None else _join(url, str(page["next"]))
    if next_url and _origin(next_url) != _origin(url):
        raise DatasetError(
            f"Found that the ISIC Archive at {_origin(url)} refers to {_origin(next_url)} for its "
            "next page. All pages must come from one server. Check MELANOMA_ARCHIVE_URL."
        )
    count = page.get("count")
    return _Page(
        entries=page["results"],
        next_url=next_url,
        num_total=count if isinstance(count, int) else num_total,
        scheme=urlsplit(url).scheme,
    )


def _join(url: str, relative: str) -> str:
    try:
        return urljoin(url, relative)
    except ValueError:  # such as "http://["
        return relative


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an invalid URL"
    return f"{parts.scheme}://{parts.netloc}"


def _parse_image(entry: Any, scheme: str) -> ArchiveImage | Failure:
    """Parse one entry of a page, or return why it cannot be downloaded."""
    name = _clean(_get_nested(entry, "isic_id"))[:40]
    if not _ISIC_ID.fullmatch(name):
        return Failure(name, 'Its id is not "ISIC_" and seven digits.')
    url, size_bytes = (
        _get_nested(entry, "files", "full", "url"),
        _get_nested(entry, "files", "full", "size"),
    )
    licence = _clean(_get_nested(entry, "copyright_license"))
    if not isinstance(url, str) or not _is_safe(url, scheme):
        return Failure(name, "The Archive gives no safe URL for its file.")
    if not isinstance(size_bytes, int) or size_bytes < 1:
        return Failure(name, "The Archive does not give the size of its file.")
    if size_bytes > MAX_BYTES:
        return Failure(name, f"Its file has {size_bytes:,} bytes; the maximum is {MAX_BYTES:,}.")
    if not licence:
        return Failure(name, "The Archive does not give its licence.")
    return ArchiveImage(
        isic_id=name,
        url=url,
        size_bytes=size_bytes,
        licence=licence,
        attribution=_clean(_get_nested(entry, "attribution")),
        metadata=_parse_metadata(_get_nested(entry, "metadata", "acquisition"))
        | _parse_metadata(_get_nested(entry, "metadata", "clinical")),
    )


def _get_nested(entry: Any, *keys: str) -> Any:
    """Return the value under nested keys, or None if there is none."""
    for key in keys:
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry


def _is_safe(url: str, scheme: str) -> bool:
    """Return whether a file URL is safe: HTTPS, or the scheme of the API, on any host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"https", scheme} and bool(parts.hostname)


def _parse_metadata(raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict):
        return {}
    texts = {key: _clean(value) for key, value in raw.items() if _COLUMN.fullmatch(key)}
    return {key: text for key, text in texts.items() if text}


def _clean(value: Any) -> str:
    """Return a JSON value as a line of text; empty for lists, objects and null."""
    if not isinstance(value, str | int | float):
        return ""
    # Surrogates, which UTF-8 cannot encode, are not printable.
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return " ".join(text.split())
