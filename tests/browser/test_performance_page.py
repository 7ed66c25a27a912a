"""The Audit page in a real browser: views, links, and the check of the record."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from melanoma_core.records.ledger import Action
from melanoma_core.records.log_search import LogQuery
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from tests.browser.conftest import PATIENCE_MS, run_server
from tests.core.records.made_cases import INVASIVE, NEVUS
from tests.core.records.made_loops import add_loop

Clinic = tuple[str, Record]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    record = Record.create(folder / "record", by="dr.a")
    add_loop(record, "drawn-1", INVASIVE, Management.REASSURE)
    add_loop(record, "drawn-2", NEVUS, Management.EXCISION, "drawn-nevus.jpg")
    with run_server(folder, MELANOMA_RECORD=str(folder / "record")) as url:
        yield url, record
    record.close()


def open_page(chromium: Browser, address: str, width: int = 1440) -> Page:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(address)
    return page


def test_a_view_is_chosen_and_back_returns_to_the_one_before(
    chromium: Browser, clinic: Clinic
) -> None:
    url, _ = clinic
    page = open_page(chromium, f"{url}/audit")
    expect(page.get_by_text("Doctor with network: sensitivity")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    page.get_by_text("Flow and bias", exact=True).click()
    expect(page.get_by_text("What these figures hide")).to_be_visible()
    assert page.url.endswith("/audit?view=Flow+and+bias")
    page.go_back()
    expect(page.get_by_text("Judged by")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Judged by")).to_be_visible()
    page.close()


def test_a_missed_melanoma_leads_to_its_lesion(chromium: Browser, clinic: Clinic) -> None:
    url, _ = clinic
    page = open_page(chromium, f"{url}/audit?view=Missed+melanomas")
    page.get_by_role("link", name="Open the lesion seen on").click()
    expect(page.get_by_role("heading", name="Lesion", level=1)).to_be_visible()
    page.close()


def test_the_files_and_the_log_of_their_export(chromium: Browser, clinic: Clinic) -> None:
    url, record = clinic
    page = open_page(chromium, f"{url}/audit")
    page.get_by_role("button", name="Export").click()
    page.get_by_role("button", name="Prepare the files").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="audit.json").click()
    document = json.loads(download.value.path().read_bytes())
    assert document["audit"]["performance"]["num_melanomas"] == 1
    assert record.search_log(LogQuery(actions=(Action.EXPORTED,))).total == 1
    page.close()


def test_a_dataset_of_confirmed_lesions_opens_on_the_dataset_page(
    chromium: Browser, clinic: Clinic, tmp_path: Path
) -> None:
    url, _ = clinic
    page = open_page(chromium, f"{url}/audit", width=420)
    page.get_by_text("Make a dataset of confirmed lesions").click(timeout=2 * PATIENCE_MS)
    folder = page.get_by_role("textbox", name="New folder")
    folder.fill(str(tmp_path / "confirmed"))
    folder.press("Enter")
    page.get_by_role("button", name="Make the dataset").click()
    expect(page.get_by_text("Made: 2 photographs of 2 lesions of 2 patients.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 420
    page.get_by_role("link", name="Open it on the page Dataset").click()
    expect(page.get_by_role("heading", name="Dataset", level=1)).to_be_visible()
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.get_by_text("2 files in confirmed, 1 collection.")).to_be_visible()
    page.close()


def test_the_record_is_checked_and_the_log_fits_a_telephone(
    chromium: Browser, clinic: Clinic
) -> None:
    url, _ = clinic
    page = open_page(chromium, f"{url}/audit?view=Audit+log", width=420)
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text("Nothing was altered, removed or moved.")).to_be_visible()
    expect(page.get_by_role("link", name="drawn-1").first).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == 420
    page.close()
