"""The loop of one lesion in a real browser: from the first read to the informed patient."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from melanoma_core.records.loop import (
    Acknowledgement,
    AiReading,
    Decision,
    FirstRead,
    Histology,
    Information,
    Specimen,
)
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder
from tests.browser.conftest import run_server
from tests.drawn_record import DrawnLesion, add_drawn_lesion

PATIENCE_MS = 90_000  # the first AI reading loads the model
WORDS = "Diagnosis: words or short forms, such as spitz nevus or SSM"


@dataclass(frozen=True)
class Clinic:
    """A record with a dashboard that serves it.

    Attributes:
        url: Address of the dashboard.
        record: The record.
    """

    url: str
    record: Record

    def add_lesion(self, number: int) -> DrawnLesion:
        return add_drawn_lesion(self.record, pseudonym=f"drawn-{number}")

    def name(self, lesion: DrawnLesion) -> str:
        return f"{self.url}/lesion?lesion={lesion.lesion_id}"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    record = Record.create(folder / "record", by="dr.a")
    with run_server(folder, MELANOMA_RECORD=str(folder / "record")) as url:
        yield Clinic(url, record)
    record.close()


def open_lesion(chromium: Browser | BrowserContext, address: str) -> Page:
    page = chromium.new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(address)
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    return page


def choose(page: Page, key: str, label: str) -> None:
    """Press a key that the page offers, and wait until the page shows what it chose."""
    expect(page.get_by_role("button", name=f"{label} Shortcut {key.upper()}")).to_be_visible()
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
    page.keyboard.press(key)
    expect(page.get_by_role("button", name=f"✓ {label}").last).to_be_visible()


def save_until(page: Page, button: str, waits_for: str) -> None:
    """Press the keys of a button, and wait until the lesion waits for the next step."""
    expect(page.get_by_role("button", name=button)).to_be_enabled()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".waits, .fact").get_by_text(waits_for)).to_be_visible()


def type_text(page: Page, label: str, text: str) -> None:
    """Type a text into a field, leave it by Tab, and wait until the server has it."""
    field = page.get_by_label(label, exact=True)
    field.focus()
    page.keyboard.type(text)
    page.keyboard.press("Tab")
    page.wait_for_timeout(500)
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()


def test_the_first_read_takes_four_clicks(chromium: Browser, clinic: Clinic):
    lesion = clinic.add_lesion(1)
    page = open_lesion(chromium, clinic.name(lesion))
    page.evaluate("addEventListener('click', () => window.clicks = (window.clicks ?? 0) + 1, true)")

    for name in ("Nevus", "1%", "Reassure"):
        page.get_by_test_id("stMain").get_by_role("button", name=name).first.click()
        expect(page.get_by_role("button", name=f"✓ {name}").last).to_be_visible()
    page.get_by_role("button", name="Save the first read").click()

    expect(page.get_by_text("Saved, version 1.")).to_be_visible()
    assert page.evaluate("window.clicks") == 4
    (read,) = clinic.record.find(FirstRead, lesion_id=lesion.lesion_id)
    assert (read.value.opinion, read.value.melanoma_probability) == (Opinion.NV, 0.01)
    assert read.value.order is ReadOrder.DOCTOR_FIRST
    assert 0 < read.value.seconds < 600
    page.close()


def test_the_whole_loop_by_keyboard_alone(chromium: Browser, clinic: Clinic):
    lesion = clinic.add_lesion(2)
    page = open_lesion(chromium, clinic.name(lesion))
    page.evaluate("addEventListener('mousedown', () => { window.hasMouse = true }, true)")

    def find_one(kind: type[Any]) -> Any:
        (entry,) = clinic.record.find(kind, lesion_id=lesion.lesion_id)
        return entry

    choose(page, "m", "Melanoma")
    choose(page, "7", "65%")
    choose(page, "e", "Excision")
    assert page.locator(".banner").count() == 0
    save_until(page, "Save the first read", "Next: AI reading")
    assert find_one(FirstRead).value.management is Management.EXCISION

    save_until(page, "Read the photograph", "Next: decision")
    expect(page.locator(".banner")).to_be_visible()
    reading = find_one(AiReading)
    assert reading.value.was_read

    page.keyboard.press("i")
    expect(page.get_by_role("application", name="Heatmap for melanoma")).to_be_visible()
    choose(page, "e", "Excision")
    save_until(page, "Sign and save", "Next: specimen")
    decision = find_one(Decision)
    assert decision.value.ai_reading_id == reading.id

    type_text(page, "Number of the specimen", "H-1")
    page.get_by_role("combobox", name="Method").focus()  # no key saves from within a date
    save_until(page, "Save the specimen", "Next: histology")
    assert find_one(Specimen).value.decision_id == decision.id

    type_text(page, WORDS, "SSM")
    invasive = page.get_by_role("radio", name=re.compile("^Melanoma Invasive, Superficial"))
    invasive.focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Breslow thickness, mm")).to_be_visible()
    type_text(page, "Breslow thickness, mm", "1,2")
    expect(page.get_by_text("Proposed: pT2", exact=True)).to_be_visible()
    page.get_by_label("Words of the report (optional)").focus()
    save_until(page, "Save the report", "Next: acknowledge")
    histology = find_one(Histology).value
    assert (histology.breslow_mm, histology.pt) == (1.2, "pT2")

    save_until(page, "I have seen this report", "Next: inform the patient")
    assert find_one(Acknowledgement)
    save_until(page, "Save: the patient is informed", "Next: re-excision")
    assert find_one(Information)

    choose(page, "e", "Excision")  # the margins are not stated
    save_until(page, "Sign and save", "Next: specimen")
    assert len(clinic.record.find(Decision, lesion_id=lesion.lesion_id)) == 2
    assert not page.evaluate("window.hasMouse")
    page.close()


def test_what_was_typed_survives_a_reload(chromium: Browser, clinic: Clinic):
    lesion = clinic.add_lesion(3)
    page = open_lesion(chromium, clinic.name(lesion))
    choose(page, "n", "Nevus")
    choose(page, "l", "Reassure")

    page.reload()

    for label in ("Nevus", "Reassure"):
        expect(page.get_by_role("button", name=f"✓ {label}").last).to_be_visible()
    page.close()


def test_what_was_typed_survives_a_restart_of_the_server(chromium: Browser, tmp_path: Path):
    place = tmp_path / "record"
    record = Record.create(place, by="dr.a")
    lesion = add_drawn_lesion(record)
    context = chromium.new_context()
    with run_server(tmp_path, MELANOMA_RECORD=str(place)) as url:
        page = open_lesion(context, f"{url}/lesion?lesion={lesion.lesion_id}")
        choose(page, "n", "Nevus")
        choose(page, "l", "Reassure")
        page.wait_for_timeout(500)
    with run_server(tmp_path, int(url.rpartition(":")[2]), MELANOMA_RECORD=str(place)):
        again = open_lesion(context, f"{url}/lesion?lesion={lesion.lesion_id}")
        for label in ("Nevus", "Reassure"):
            expect(again.get_by_role("button", name=f"✓ {label}").last).to_be_visible()
        choose(again, "1", "1%")
        again.keyboard.press("Control+Enter")
        expect(again.get_by_text("Saved, version 1.")).to_be_visible()
    (read,) = record.find(FirstRead, lesion_id=lesion.lesion_id)
    assert (read.value.opinion, read.value.management) == (Opinion.NV, Management.REASSURE)
    assert list(record.place.drafts_folder.rglob("*.json")) == []
    context.close()
    record.close()


def test_the_second_of_two_people_learns_of_the_first_and_loses_nothing(
    chromium: Browser, clinic: Clinic
):
    lesion = clinic.add_lesion(4)
    with clinic.record.write(by="dr.a") as change:
        decision = change.add(
            Decision(
                lesion_id=lesion.lesion_id,
                visit_id=lesion.visit_id,
                management=Management.REASSURE,
            )
        )
    page = open_lesion(chromium, f"{clinic.name(lesion)}&edit={decision.id}")
    type_text(page, "Reason", "patient is afraid")
    with clinic.record.write(by="dr.b") as change:
        change.correct(decision, replace(decision.value, reason="seen twice"))

    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("dr.b changed this decision")).to_be_visible()
    expect(page.get_by_label("Reason", exact=True)).to_have_value("patient is afraid")
    page.get_by_role("button", name="Save mine as version 3").click()
    expect(page.get_by_text("Saved, version 3")).to_be_visible()
    versions = clinic.record.versions(Decision, decision.id)
    assert [each.value.reason for each in versions] == ["", "seen twice", "patient is afraid"]
    page.close()
