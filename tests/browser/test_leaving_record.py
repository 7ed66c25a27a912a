"""What leaves the record, in a real browser: the report, letters, an export, an erasure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Page, expect

from melanoma_core.records.entities import Patient
from melanoma_core.records.ledger import Action
from melanoma_core.records.store import Record
from tests.browser.conftest import run_server
from tests.drawn_record import add_drawn_lesion

PATIENCE_MS = 60_000
HOSTILE = "<script>alert(1)</script> =1+1"


@dataclass(frozen=True)
class Clinic:
    """A record with a dashboard that serves it."""

    url: str
    record: Record

    def list_exports(self) -> list[str]:
        return [each.detail for each in self.record.list_log() if each.action is Action.EXPORTED]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    record = Record.create(folder / "record", by="dr.a")
    with run_server(folder, MELANOMA_RECORD=str(folder / "record")) as url:
        yield Clinic(url, record)
    record.close()


def open_page(chromium: Browser, address: str, width: int = 1440) -> Page:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(address)
    return page


def save(page: Page, button: str, path: Path) -> bytes:
    """Press a button, and return the file that the browser gets."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    download.value.save_as(path)
    return path.read_bytes()


def test_a_report_is_printed_alone_on_one_page_and_its_download_is_logged(
    chromium: Browser, clinic: Clinic, tmp_path: Path
):
    lesion = add_drawn_lesion(clinic.record, pseudonym="drawn-1", places=(0, 1, 2))
    page = open_page(chromium, f"{clinic.url}/lesion?lesion={lesion.lesion_id}&view=report")
    report = page.locator(".st-key-report")
    expect(report.locator("img")).to_have_count(3)
    notes = page.get_by_role("textbox", name="Notes on the report")
    notes.fill(HOSTILE)
    page.get_by_role("button", name="Put the notes on the report").click()
    expect(report).to_contain_text(HOSTILE)
    before = clinic.list_exports()
    pdf = save(page, "Download PDF", tmp_path / "lesion.pdf")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert clinic.list_exports() == ["report", *before]  # logged before the browser got it

    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    page.emulate_media(media="print")
    expect(report).to_be_visible()
    expect(notes).not_to_be_visible()
    page.close()


def test_a_letter_keeps_what_was_typed_through_a_reload(
    chromium: Browser, clinic: Clinic, tmp_path: Path
):
    lesion = add_drawn_lesion(clinic.record, pseudonym="drawn-2")
    address = f"{clinic.url}/lesion?lesion={lesion.lesion_id}&view=report&write=doctor"
    page = open_page(chromium, address)
    salutation = page.get_by_role("textbox", name="Salutation")
    salutation.fill("Dear Berta,")
    page.get_by_role("button", name="Write the letter").click()
    expect(page.locator(".letter")).to_contain_text("Dear Berta,")
    assert clinic.list_exports()[0] == "letter, doctor"  # logged before it can leave
    text = save(page, "Download text", tmp_path / "letter.txt").decode()
    assert "Dear Berta,\n\n" in text
    assert "We have examined lesion 1 (left upper back)" in text
    page.reload()
    expect(page.get_by_role("textbox", name="Salutation")).to_have_value("Dear Berta,")
    page.close()


def test_a_patient_is_exported_and_then_erased(chromium: Browser, clinic: Clinic, tmp_path: Path):
    lesion = add_drawn_lesion(clinic.record, pseudonym="drawn-3")
    page = open_page(chromium, f"{clinic.url}/patients?patient={lesion.patient_id}&view=record")
    page.get_by_role("button", name="Prepare the export").click()
    save(page, "Download ZIP", tmp_path / "patient.zip")
    with ZipFile(tmp_path / "patient.zip") as archive:
        archive.extractall(tmp_path)
    index = open_page(chromium, (tmp_path / "patient-drawn-3" / "index.html").as_uri())
    expect(index.get_by_role("heading", name="Patient drawn-3")).to_be_visible()
    assert index.locator("img").evaluate("image => image.naturalWidth") == 600
    index.close()

    erase = page.get_by_role("button", name="Erase this patient")
    expect(erase).to_be_disabled()
    field = page.get_by_role("textbox", name="To erase, type the patient's pseudonym")
    field.fill("drawn-3")
    field.press("Enter")
    expect(erase).to_be_enabled()
    erase.click()
    expect(page.get_by_text("Erased 4 entries with all their versions")).to_be_visible()
    assert clinic.record.find(Patient, pseudonym="drawn-3") == ()
    assert clinic.record.verify().faults == ()
    page.close()
