"""The Quiz in a real browser: answered by keys, kept through a reload, the same for a class."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, run_server

DRAWING_MS = 180_000  # the first page that opens the drawn lesions draws and measures them


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("class")
    with run_server(folder, MELANOMA_CACHE_DIR=str(folder / "cache")) as url:
        yield url


def open_quiz(chromium: Browser, address: str) -> Page:
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(address)
    page.get_by_role("button", name="Start").click(timeout=DRAWING_MS)
    expect(page.get_by_text("Case 1 of 10")).to_be_visible()
    return page


def choose(page: Page, key: str, label: str) -> None:
    """Press a key, and wait until the page shows what it chose."""
    page.keyboard.press(key)
    expect(page.get_by_role("button", name=f"✓ {label}")).to_be_visible()


def answer(page: Page) -> None:
    # The keys belong to buttons, which come after the number of the case.
    expect(page.get_by_role("button", name="Finish now")).to_be_visible()
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
    choose(page, "7", "70%")
    choose(page, "m", "Melanoma")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Network:", exact=True)).to_be_visible()


def find_picture(page: Page) -> bytes:
    source = page.get_by_role("img", name="Photograph of case").first.get_attribute("src")
    response = page.request.get(source if source.startswith("http") else page.url + source)
    return response.body()


def test_a_quiz_is_answered_by_keys_and_kept_through_a_reload(
    chromium: Browser, place: str
) -> None:
    page = open_quiz(chromium, f"{place}/quiz?seed=4")
    answer(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Case 2 of 10")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Case 2 of 10")).to_be_visible()
    answer(page)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Finish now").click()
    expect(page.get_by_role("heading", name="2 of 10 cases answered")).to_be_visible()
    expect(page.get_by_text("You: right diagnosis")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Your answers as CSV").click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("1,")
    page.context.close()


def test_the_same_address_asks_a_class_the_same_cases(chromium: Browser, place: str) -> None:
    pictures = []
    for seed in (8, 8, 9):
        page = open_quiz(chromium, f"{place}/quiz?seed={seed}")
        pictures.append(find_picture(page))
        page.context.close()
    assert pictures[0] == pictures[1]
    assert pictures[0] != pictures[2]
