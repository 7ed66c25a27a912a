"""A record in Chromium: created, its list by keyboard, a lesion kept, and what a reload keeps."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.records.entities import Patient, Photograph
from melanoma_core.records.loop import AiReading
from melanoma_core.records.store import Record
from tests.browser.conftest import PATIENCE_MS, run_server
from tests.browser.test_accessibility import list_overflow, list_violations, wait_until_still
from tests.core.records.made_entries import add_seen, read_drawn

LESION = DEMONSTRATION_LESIONS[0].path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a record in which three invented patients wait to be read."""
    folder = tmp_path_factory.mktemp("today") / "record"
    record = Record.create(folder, by="dr.a")
    image = record.images.put(read_drawn())
    with record.write(by="dr.a") as change:
        for number in range(3):
            add_seen(change, f"drawn-{number}", image)
    record.close()
    return folder


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_server(tmp_path_factory.mktemp("server"), MELANOMA_RECORD=str(folder)) as url:
        yield url


def open_today(page: Page, server: str) -> None:
    page.goto(f"{server}/today")
    expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()
    wait_until_still(page)


def list_focus(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText"))


def test_the_list_is_used_by_keyboard_alone(open_page, server):
    page = open_page()
    open_today(page, server)
    rows = page.locator(".st-key-today-rows a")
    expect(rows).to_have_count(3)
    expect(page.locator("[data-listens]")).to_have_count(1)

    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")  # there is no fourth one
    expect(rows.nth(2)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(1)).to_be_focused()

    page.keyboard.press("/")
    search = page.get_by_role("textbox", name="Search")
    expect(search).to_be_focused()
    page.keyboard.type("j/drawn-2")  # the keys are letters here
    expect(search).to_have_value("j/drawn-2")
    search.fill("drawn-2")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    assert "search=drawn-2" in page.url

    page.keyboard.press("Tab")
    rows.first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lesion", exact=True)).to_be_visible()
    assert "lesion?lesion=" in page.url


def test_single_keys_can_be_switched_off(open_page, server):
    page = open_page()
    open_today(page, server)
    page.get_by_text("Keys: J and K").click()
    wait_until_still(page)

    page.keyboard.press("j")

    assert "drawn" not in list_focus(page)


def test_a_click_anywhere_on_a_row_opens_its_lesion_and_back_returns(open_page, server):
    page = open_page()
    open_today(page, server)
    box = page.locator(".task-row").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("heading", name="Lesion", exact=True)).to_be_visible()
    page.go_back()
    expect(page.locator(".st-key-today-rows a")).to_have_count(3)


def test_the_name_outlives_a_reload_and_another_browser_has_its_own(open_page, server):
    page = open_page()
    open_today(page, server)
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_text("You are visitor.")).to_be_visible()  # it is asked in the real one
    other = open_page()
    open_today(other, server)
    expect(other.get_by_text("You are visitor.")).to_be_visible()


def test_a_lesion_that_was_read_and_kept_waits_for_the_first_read(open_page, server, folder):
    page = open_page()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([LESION])
    page.get_by_role("button", name="Keep in the record").click()
    dialog = page.get_by_role("dialog")
    patient_field = dialog.get_by_role("textbox", name="Patient (pseudonym)")
    expect(patient_field).to_be_visible(timeout=4 * PATIENCE_MS)  # the record is opened first
    patient_field.fill("drawn-9")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("A new patient drawn-9 is made")).to_be_visible()
    dialog.get_by_role("button", name="Keep", exact=True).click()
    expect(dialog.get_by_text("Saved, version 1.")).to_be_visible()

    dialog.get_by_role("link", name="Open the lesion").click()
    expect(page.get_by_role("heading", name="Lesion", exact=True)).to_be_visible()

    record = Record.open(folder)
    (patient,) = record.find(Patient, pseudonym="drawn-9")
    assert len(record.find(Photograph, patient_id=patient.id)) == 1
    (reading,) = record.find(AiReading)
    assert reading.by == "visitor"
    record.close()
    open_today(page, server)
    expect(page.get_by_text("To read (4)")).to_be_visible()  # the doctor reads first
    expect(page.get_by_text("drawn-9, lesion 1")).to_be_visible()


def test_a_record_is_created_in_the_browser_and_its_name_is_asked_once(
    chromium: Browser, tmp_path: Path
):
    with run_server(tmp_path) as server:
        context = chromium.new_context()
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        open_today(page, server)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(500)
            assert [*list_violations(page), *list_overflow(page)] == []

        name = page.get_by_role("textbox", name="Your name or initials")
        name.fill("dr.a")
        page.get_by_role("button", name="Create a record").click()
        expect(page.get_by_text("Nothing waits.").first).to_be_visible()
        page.reload()
        expect(page.get_by_text("You are dr.a.")).to_be_visible()

        other = chromium.new_context().new_page()
        open_today(other, server)
        expect(other.get_by_role("heading", name="Who are you?")).to_be_visible()
        other.get_by_role("textbox", name="Your name or initials").fill("dr.b")
        other.keyboard.press("Enter")
        expect(other.get_by_text("You are dr.b.")).to_be_visible()
        other.context.close()
        context.close()
    assert (tmp_path / "MELANOMA_RECORDS_DIR" / "clinic" / "record.sqlite").is_file()
