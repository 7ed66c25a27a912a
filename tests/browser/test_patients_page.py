"""The Patients page in a real browser: from a new patient to a lesion on the body map."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.entry import Entry
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import BodyView, Laterality, MapPoint
from tests.browser.conftest import PATIENCE_MS, run_server
from tests.drawn_record import add_drawn_lesion


@dataclass(frozen=True)
class Clinic:
    """A record with a dashboard that serves it."""

    url: str
    record: Record


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("patients")
    record = Record.create(folder / "record", by="dr.a")
    with run_server(folder, MELANOMA_RECORD=str(folder / "record")) as url:
        yield Clinic(url, record)
    record.close()


@pytest.fixture
def page(chromium: Browser, clinic: Clinic) -> Iterator[Page]:
    """Return a page of a person who has given a name; errors in the browser fail the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1100})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    open_address(page, f"{clinic.url}/patients")
    name = page.get_by_role("textbox", name="Your name or initials")
    search = page.get_by_role("textbox", name="Search")
    expect(name.or_(search).first).to_be_visible()
    if name.is_visible():  # a record with drawn patients does not ask
        name.fill("dr.b")
        page.get_by_role("button", name="Continue").click()
    expect(search).to_be_visible()
    yield page
    context.close()
    assert problems == []


def open_address(page: Page, address: str) -> None:
    page.goto(address)
    wait_until_still(page)


def wait_until_still(page: Page) -> None:
    still = page.locator('[data-test-script-state="notRunning"]')
    expect(still).to_be_visible()
    page.wait_for_timeout(500)
    expect(still).to_be_visible()


def add_patient(record: Record, pseudonym: str) -> Entry[Patient]:
    with record.write(by="dr.a") as change:
        return change.add(Patient(pseudonym=pseudonym))


def click_at(page: Page, view: BodyView, x: float, y: float) -> None:
    box = page.locator(f'.body-plane[data-view="{view}"]').bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_a_new_patient_survives_a_reload_before_it_is_saved(page: Page, clinic: Clinic):
    page.get_by_role("button", name="New patient").click()
    pseudonym = page.get_by_role("textbox", name="Pseudonym")
    pseudonym.fill("4711")
    pseudonym.press("Tab")
    wait_until_still(page)
    page.reload()
    expect(page.get_by_role("textbox", name="Pseudonym")).to_have_value("4711")
    wait_until_still(page)
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("heading", name="Patient 4711")).to_be_visible()
    expect(page.get_by_text("✓ Saved, version 1.")).to_be_visible()
    found = clinic.record.find_patient("4711")
    assert found is not None
    assert found.id in page.url


def test_a_click_places_a_lesion_and_proposes_its_site(page: Page, clinic: Clinic):
    patient = add_patient(clinic.record, "clicked")
    open_address(page, f"{clinic.url}/patients?patient={patient.id}&new=lesion")
    expect(page.locator("[data-listens]")).to_have_count(1)
    click_at(page, BodyView.BACK, 0.44, 0.25)
    expect(page.get_by_text("Place: back, Upper back, left.")).to_be_visible()
    wait_until_still(page)
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("link", name=re.compile("Lesion 1: left Upper back"))).to_be_visible()
    (lesion,) = clinic.record.find(Lesion, patient_id=patient.id)
    point = lesion.value.map_point
    assert point is not None
    assert (point.view, round(point.x, 2), round(point.y, 2)) == (BodyView.BACK, 0.44, 0.25)
    assert lesion.value.site == "Trunk:Posterior trunk:Upper back"
    assert lesion.value.laterality is Laterality.LEFT


def test_arrow_keys_move_a_lesion_and_the_focus_stays(page: Page, clinic: Clinic):
    patient = add_patient(clinic.record, "moved")
    start = MapPoint(BodyView.BACK, 0.44, 0.25)
    with clinic.record.write(by="dr.a") as change:
        lesion = change.add(Lesion(patient_id=patient.id, label="1", map_point=start))
    open_address(page, f"{clinic.url}/patients?patient={patient.id}&edit={lesion.id}")
    expect(page.locator("[data-listens]")).to_have_count(1)
    marker = page.get_by_role("button", name="Place of the lesion")
    marker.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowDown", "Space"):
        page.keyboard.press(key)
    expect(page.get_by_text("Place: front, Anterior chest, right.")).to_be_visible()
    wait_until_still(page)
    expect(marker).to_be_focused()
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("✓ Saved, version 2.")).to_be_visible()
    point = clinic.record.get(Lesion, lesion.id).value.map_point
    assert point == MapPoint(BodyView.FRONT, 0.46, 0.31)


def test_a_site_that_a_person_chose_stays_when_the_lesion_is_moved(page: Page, clinic: Clinic):
    patient = add_patient(clinic.record, "chosen")
    site = "Trunk:Posterior trunk:Upper back:Lateral upper back"
    with clinic.record.write(by="dr.a") as change:
        lesion = change.add(Lesion(patient_id=patient.id, label="1", site=site))
    open_address(page, f"{clinic.url}/patients?patient={patient.id}&edit={lesion.id}")
    expect(page.locator("[data-listens]")).to_have_count(1)
    click_at(page, BodyView.BACK, 0.44, 0.3)
    expect(page.get_by_text("Place: back, Mid back, left.")).to_be_visible()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("✓ Saved, version 2.")).to_be_visible()
    assert clinic.record.get(Lesion, lesion.id).value.site == site


def test_a_point_of_the_map_and_a_row_of_the_list_open_the_lesion(page: Page, clinic: Clinic):
    drawn = add_drawn_lesion(clinic.record, pseudonym="4712")
    entry = clinic.record.get(Lesion, drawn.lesion_id)
    point = MapPoint(BodyView.BACK, 0.44, 0.25)
    with clinic.record.write(by="dr.a") as change:
        value = Lesion(patient_id=drawn.patient_id, label="1", map_point=point)
        change.correct(entry, value)
    open_address(page, f"{clinic.url}/patients?search=4712")
    page.get_by_role("link", name="4712").click()
    expect(page.get_by_role("heading", name="Patient 4712")).to_be_visible()
    wait_until_still(page)
    assert page.url.endswith(f"patients?patient={drawn.patient_id}")
    page.locator("a.map-point").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Lesion 1")).to_be_visible()
    wait_until_still(page)
    assert f"lesion={drawn.lesion_id}" in page.url
    page.go_back()
    expect(page.get_by_role("heading", name="Patient 4712")).to_be_visible()


def test_keys_step_through_the_list(page: Page, clinic: Clinic):
    add_patient(clinic.record, "key-1")
    add_patient(clinic.record, "key-2")
    open_address(page, f"{clinic.url}/patients?search=key-")
    expect(page.locator("[data-listens]")).to_have_count(1)
    page.locator("body").press("j")
    page.locator("body").press("j")
    expect(page.get_by_role("link", name="key-2")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Patient key-2")).to_be_visible()
