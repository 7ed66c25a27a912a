"""A reading leaves the Reading page as DICOM: to a file, and to a real storescp."""

import io
import zipfile
from collections.abc import Iterator

import pydicom
import pytest
from playwright.sync_api import Browser, Page, expect

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from tests.browser.conftest import PATIENCE_MS, run_server
from tests.core.exchange.dicom.conftest import find_port, running


@pytest.fixture
def sent_to(tmp_path_factory: pytest.TempPathFactory, tmp_path) -> Iterator[str]:
    """Address of a dashboard whose node is a storescp that keeps files in `tmp_path`."""
    port = find_port()
    options = ["-od", str(tmp_path), "--accept-all", str(port)]
    folder = tmp_path_factory.mktemp("server")
    node = f"dicom://PACS@127.0.0.1:{port}"
    with running("storescp", options, port), run_server(folder, MELANOMA_DICOM_NODE=node) as url:
        yield url


def _open_report(page: Page, url: str) -> None:
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    name = DEMONSTRATION_LESIONS[0].signs.capitalize()
    page.get_by_role("button", name=name, exact=True).click()
    page.get_by_role("button", name="Report", exact=True).click()
    expect(page.locator(".st-key-report").locator("img")).to_have_count(2, timeout=PATIENCE_MS)


def test_a_reading_is_downloaded_and_sent_once_a_person_asks(
    chromium: Browser, sent_to: str, tmp_path
):
    page = chromium.new_page(viewport={"width": 420, "height": 900})
    _open_report(page, sent_to)
    assert list(tmp_path.iterdir()) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Download DICOM").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    datasets = [pydicom.dcmread(io.BytesIO(content)) for content in contents]
    assert [each.Modality for each in datasets] == ["DMS", "OT", "SR"]
    assert all("Research" in each.SeriesDescription for each in datasets)

    page.get_by_role("button", name="Send to PACS").click()
    receipt = page.get_by_role("status").filter(has_text="3 DICOM files were sent to PACS")
    expect(receipt).to_be_visible(timeout=PATIENCE_MS)
    stored = {pydicom.dcmread(each).SOPInstanceUID for each in tmp_path.iterdir()}
    assert stored == {each.SOPInstanceUID for each in datasets}
    page.close()
