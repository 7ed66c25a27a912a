"""What the ISIC Archive has: its search, page by page, and how it describes a photograph.

`GET images/search/` of the API's version 2 answers `{count, next, previous, results}`, and only
the first page says the count. Nothing that it answers is believed: whatever is not as it has to
be is told, photograph by photograph.
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

_PAGE_SIZE = 100  # the most that the API gives
_MAX_PAGE_BYTES = 8 * 2**20
_ISIC_ID = re.compile(r"ISIC_[0-9]{7}")
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class ArchiveSearch:
    """Which photographs of the Archive are wanted.

    Attributes:
        query: In the Archive's language, such as `diagnosis_3:"Nevus" AND sex:female`; empty for
            all.
        collections: Numbers of the Archive's collections; empty for all.
        limit: At most as many photographs, or None for all.
    """

    query: str = ""
    collections: tuple[int, ...] = ()
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise DatasetError(
                f"Found a limit of {self.limit} photographs. Ask for at least 1, or leave it out."
            )
        if any(number < 1 for number in self.collections):
            raise DatasetError(
                f"Found the collections {', '.join(map(str, self.collections))}. Give their "
                "numbers on isic-archive.com, which begin at 1."
            )


@dataclass(frozen=True)
class ArchiveImage:
    """One photograph as the Archive describes it.

    Attributes:
        isic_id: "ISIC_" and seven digits.
        url: Where its file is; may be another server than the API's.
        size_bytes: Of the file.
        licence: Such as "CC-0", "CC-BY", "CC-BY-NC".
        attribution: Whom to name.
        metadata: What is known of it, acquisition and clinical, by the Archive's names.
    """

    isic_id: str
    url: str
    size_bytes: int
    licence: str
    attribution: str
    metadata: Mapping[str, str]

    @property
    def file_name(self) -> str:
        """Its name in the folder, made of the id and of nothing else that came from outside."""
        suffix = PurePosixPath(urlsplit(self.url).path).suffix.lower()
        return self.isic_id + (suffix if suffix in IMAGE_SUFFIXES else ".jpg")


@dataclass(frozen=True)
class Failure:
    """A photograph that did not come.

    Attributes:
        isic_id: As the Archive wrote it, at most 40 characters.
        reason: One sentence or two.
    """

    isic_id: str
    reason: str


def search_archive(
    search: ArchiveSearch, progress: Progress | None = None
) -> tuple[tuple[ArchiveImage, ...], tuple[Failure, ...]]:
    """List the photographs of a search, and what is listed but cannot be downloaded.

    Args:
        search: What to search for.
        progress: Called with the number of photographs found and their number in all.

    Raises:
        DatasetError: The Archive cannot be reached, does not understand the query, or something
            else answers in its place.
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
                num_in_all = max(page.num_in_all, len(images))
                most = search.limit or num_in_all
                progress(min(len(images), most), min(num_in_all, most))
            if search.limit and len(images) >= search.limit:
                break
            if page.next_url and len(images) + len(rejected) == num_before:
                raise DatasetError(
                    "The ISIC Archive gives the same photographs page after page. Report it to "
                    "the Archive, and try again later."
                )
    return tuple(images.values())[: search.limit], tuple(rejected.values())


@dataclass(frozen=True)
class _Page:
    entries: list[Any]
    next_url: str | None
    num_in_all: int
    scheme: str


def _read_pages(fetcher: Fetcher, search: ArchiveSearch) -> Iterator[_Page]:
    base = load_settings().archive_url.rstrip("/")
    asked = {
        "query": search.query,
        "collections": ",".join(map(str, search.collections)),
        "limit": str(min(_PAGE_SIZE, search.limit or _PAGE_SIZE)),
    }
    url: str | None = f"{base}/images/search/?" + urlencode(
        {name: value for name, value in asked.items() if value}
    )
    num_in_all = 0  # only the first page says it
    while url:
        page = _parse_page(_fetch_page(fetcher, url), url, num_in_all)
        yield page
        url, num_in_all = page.next_url, page.num_in_all


def _fetch_page(fetcher: Fetcher, url: str) -> bytes:
    try:
        return fetcher.fetch(url, _MAX_PAGE_BYTES)
    except FetchError as error:
        advice = "Check the connection (or MELANOMA_ARCHIVE_URL), and try again later."
        if error.status in {400, 422}:
            advice = "Check the query and the numbers of the collections."
        raise DatasetError(
            f"Cannot search the ISIC Archive at {_origin(url)}. {error} {advice}"
        ) from error


def _parse_page(body: bytes, url: str, num_in_all: int) -> _Page:
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        page = None
    if not isinstance(page, dict) or not isinstance(page.get("results"), list):
        raise DatasetError(
            f"What answers at {_origin(url)} is not the ISIC Archive: a list of results in JSON is "
            "needed. Check MELANOMA_ARCHIVE_URL, and whether a proxy or a login page is between."
        )
    next_url = None if page.get("next") is None else _join(url, str(page["next"]))
    if next_url and _origin(next_url) != _origin(url):
        raise DatasetError(
            f"The ISIC Archive at {_origin(url)} sends on to {_origin(next_url)} for its next "
            "page. That is not followed; check MELANOMA_ARCHIVE_URL."
        )
    count = page.get("count")
    return _Page(
        entries=page["results"],
        next_url=next_url,
        num_in_all=count if isinstance(count, int) else num_in_all,
        scheme=urlsplit(url).scheme,
    )


def _join(url: str, relative: str) -> str:
    try:
        return urljoin(url, relative)
    except ValueError:  # such as "http://["
        return relative


def _origin(url: str) -> str:
    """Return scheme, host and port of an address, by which one server is told from another."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    return f"{parts.scheme}://{parts.netloc}"


def _parse_image(entry: Any, scheme: str) -> ArchiveImage | Failure:
    """Read one entry of a page, or say why its photograph cannot be downloaded."""
    name = _clean(_dig(entry, "isic_id"))[:40]
    if not _ISIC_ID.fullmatch(name):
        return Failure(name, 'Its id is not "ISIC_" with seven digits.')
    url, size_bytes = _dig(entry, "files", "full", "url"), _dig(entry, "files", "full", "size")
    licence = _clean(_dig(entry, "copyright_license"))
    if not isinstance(url, str) or not _may_fetch(url, scheme):
        return Failure(name, "The Archive gives no address for its file that can be trusted.")
    if not isinstance(size_bytes, int) or size_bytes < 1:
        return Failure(name, "The Archive does not say how large its file is.")
    if size_bytes > MAX_BYTES:
        return Failure(
            name, f"Its file has {size_bytes:,} bytes; at most {MAX_BYTES:,} can be read."
        )
    if not licence:
        return Failure(name, "The Archive does not say under which licence it is.")
    return ArchiveImage(
        isic_id=name,
        url=url,
        size_bytes=size_bytes,
        licence=licence,
        attribution=_clean(_dig(entry, "attribution")),
        metadata=_read_facts(_dig(entry, "metadata", "acquisition"))
        | _read_facts(_dig(entry, "metadata", "clinical")),
    )


def _dig(entry: Any, *keys: str) -> Any:
    """Return what lies under the keys, or None where the entry is not made so."""
    for key in keys:
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry


def _may_fetch(url: str, scheme: str) -> bool:
    """Return whether a file may come from there: any host, but no less safely than the API."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"https", scheme} and bool(parts.hostname)


def _read_facts(facts: Any) -> dict[str, str]:
    if not isinstance(facts, dict):
        return {}
    texts = {key: _clean(value) for key, value in facts.items() if _COLUMN.fullmatch(key)}
    return {key: text for key, text in texts.items() if text}


def _clean(value: Any) -> str:
    """Return a value of JSON as one line of text; empty for a list, an object and null."""
    if not isinstance(value, str | int | float):
        return ""
    # Surrogates, which UTF-8 cannot write, are not printable either.
    text = "".join(letter if letter.isprintable() else " " for letter in str(value))
    return " ".join(text.split())
