"""Whatever people type, nothing that leaves the record runs, links, reorders or breaks a line."""

import csv
import io
import json
import re
from collections.abc import Generator
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from melanoma_core.records.entities import Photograph
from melanoma_core.records.loop import AiReading, PhotographReading
from melanoma_core.records.store import Record
from tests.core.records.made_entries import Filled, fill
from tests.core.records.outputs import decompress, write_outputs

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><b>&lt;",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "wide formula": "＝1+1\t@SUM(1)",
    "control": "ab\x07c\r\nd\x1b[31me\x7f\x85f",
    "turned": "\u202egpj.exe\u2066x\u2069\u200b\ufeff",
    "markdown": "[x](javascript:alert(1)) **b** $\\frac{1}{2}$ :red[x]",
    "calendar": "x\r\nATTACH:file:///etc/passwd\r\nBEGIN:VALARM",
    "pdf": "{nb} \\) Tj ET (x) /JavaScript %PDF",
    "path": "../../etc/passwd\\..\\CON|a:b*?",
    "letters": "中文 日本語 한국어 שלום سلام हिन्दी 🙂",
    "long": "W" * 190,
}
# Texts that a vocabulary or an id fixes.
_FIXED = {
    *("sha256", "media_type", "site", "noticed", "diagnosis", "pt", "heatmap_sha256", "refusal"),
    *("class_names", "birth_year", "points"),
}
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")


def poison(value: Any, text: str) -> Any:
    """Return an entry with a text in every field that a person or another program fills in."""
    changes = {}
    for field in fields(value):
        content = getattr(value, field.name)
        if field.name in _FIXED or field.name.endswith("_id"):
            continue
        if type(content) is str:
            changes[field.name] = text
        elif isinstance(value, AiReading) and field.name == "photographs":
            changes[field.name] = tuple(poison(each, text) for each in content)
        elif isinstance(value, PhotographReading) and field.name == "findings":
            changes[field.name] = (text,)
        assert not is_dataclass(content) or field.name in {"map_point", "seven_points", "abcd"}
    return replace(value, **changes)


def write_poisoned(record: Record, text: str) -> tuple[Filled, dict[str, bytes]]:
    """Write a text past all checks into every field, and return all outputs."""
    filled = fill(record, by="dr.a")
    with record.write(by=text[:40]) as change:
        for entry in filled.entries:
            change.correct(entry, poison(entry.value, text))
        extra = change.add(replace(filled.photograph.value, device=text))
    with record.write(by="dr.a") as change:
        change.withdraw(extra, text)
    return filled, write_outputs(record, filled, notes=f"\0{text}")


@pytest.fixture
def record(tmp_path: Path) -> Generator[Record, None, None]:
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_every_output_of_a_record_is_harmless(record: Record, name: str):
    _, outputs = write_poisoned(record, HOSTILE[name])

    kinds = {Path(output).suffix for output in outputs}
    assert kinds == {".html", ".pdf", ".ics", ".txt", ".csv", ".json", ".jpg", ".png"}
    for output, content in outputs.items():
        assert re.fullmatch(r"[A-Za-z0-9 ._/-]+", output), output
        assert ".." not in output
        CHECKS[Path(output).suffix](content)
        if "report.pdf" in output or ("lesion-" in output and output.endswith(".pdf")):
            assert len(re.findall(rb"/Type /Page\b", content)) == 1, output


def check_html(content: bytes) -> None:
    page = Page(content.decode())
    allowed = {
        *("html", "head", "meta", "title", "style", "body", "main", "section", "h1", "h2", "p"),
        *("table", "thead", "tbody", "tr", "th", "td", "ul", "li", "br", "a", "figure", "img"),
        *("figcaption", "code", "strong"),
    }
    assert {tag for tag, _ in page.elements} <= allowed
    names = {name for _, attributes in page.elements for name in attributes}
    assert names <= {
        *(
            "lang",
            "charset",
            "http-equiv",
            "content",
            "name",
            "class",
            "scope",
            "href",
            "src",
            "alt",
        )
    }
    targets = [each.get("href") or each.get("src") for _, each in page.elements]
    for target in filter(None, targets):
        assert re.fullmatch(r"(photographs/|tables/)?[A-Za-z0-9.-]+", target), target
    assert not _UNSEEN.search(page.text)


def check_pdf(content: bytes) -> None:
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", content)) >= 1
    bare = re.sub(rb"stream\r?\n.*?endstream", b"", content, flags=re.DOTALL)
    while (inner := re.sub(rb"\((\\.|[^\\()])*\)", b"", bare, flags=re.DOTALL)) != bare:
        bare = inner  # without the texts, which may hold anything
    for action in (b"/JavaScript", b"/JS", b"/URI", b"/Launch", b"/Annots"):
        assert action not in bare
        assert not any(action in stream for stream in decompress(content))


def check_csv(content: bytes) -> None:
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    for cell in (cell for row in rows for cell in row):
        is_number = re.fullmatch(r"[-+]?\d+(\.\d+)?(e-?\d+)?", cell)
        assert is_number or not re.match("[=+\\-@\t\r\n＝＋－＠].", cell), cell


def check_calendar(content: bytes) -> None:
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    assert "attach" not in event
    assert len(Calendar.from_ical(content).walk("VALARM")) == 1
    assert not _UNSEEN.search(str(event["summary"]))


def check_text(content: bytes) -> None:
    assert not _UNSEEN.search(content.decode().replace("\n", ""))


def check_json(content: bytes) -> None:
    assert json.loads(content)["entries"]


def check_image(content: bytes) -> None:
    assert content[:4] in {b"\xff\xd8\xff\xe0", b"\x89PNG"}


CHECKS = {
    ".html": check_html,
    ".pdf": check_pdf,
    ".csv": check_csv,
    ".ics": check_calendar,
    ".txt": check_text,
    ".json": check_json,
    ".jpg": check_image,
    ".png": check_image,
}


def test_the_texts_are_all_there_on_the_page_as_they_were_typed(record: Record):
    _, outputs = write_poisoned(record, HOSTILE["letters"])
    index = next(each for name, each in outputs.items() if name.endswith("index.html"))
    assert HOSTILE["letters"] in Page(index.decode()).text


def test_every_kind_of_entry_is_in_the_export_in_each_of_its_versions(record: Record):
    filled, outputs = write_poisoned(record, "plain")
    entries = next(each for name, each in outputs.items() if name.endswith("entries.json"))
    found = json.loads(entries)["entries"]
    versions = {each["versions"][0]["id"]: len(each["versions"]) for each in found}
    assert {each.id for each in filled.entries} < set(versions)
    changed = [each for each in filled.entries if poison(each.value, "plain") != each.value]
    assert all(versions[each.id] == 2 for each in changed)
    assert Photograph.__name__ in {each["kind"] for each in found}
