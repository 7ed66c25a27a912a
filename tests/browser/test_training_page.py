import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import run_server
from tests.held_runs import Hold

PATIENCE_MS = 240_000  # a process starts TensorFlow, on a machine that may be busy
NUM_EPOCHS = 4

# Points of the validation loss in the first chart; 0 if there is no chart yet.
COUNT_POINTS = """() => {
  const chart = document.querySelector(".js-plotly-plot");
  return chart?._fullData?.find(line => line.name === "validation")?.x.length ?? 0;
}"""


@pytest.fixture
def hold(tmp_path: Path) -> Hold:
    return Hold(tmp_path, 0, 2, 3)


@pytest.fixture
def server(tmp_path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of a dashboard whose runs wait in epoch 1 and after 2 and 3."""
    for name, value in hold.environment.items():
        monkeypatch.setenv(name, value)
    with run_server(tmp_path / "server") as url:
        yield url


@pytest.fixture
def training_page(open_page) -> Page:
    page = open_page()
    page.get_by_role("link", name="Training").click()
    expect(page.get_by_role("heading", name="Training", exact=True)).to_be_visible()
    return page


def fill_number(page: Page, group: str, label: str, value: int) -> None:
    page.get_by_role("tab", name="Recipe").click()
    expect(page.get_by_role("heading", name=group, exact=True, level=2)).to_be_visible()
    field = page.get_by_role("spinbutton", name=label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    changed = re.compile(rf"{re.escape(label)}: {value} instead of")
    expect(page.get_by_test_id("stSidebar")).to_contain_text(changed)


def wait_for_points(page: Page, number: int) -> None:
    page.wait_for_function(f"() => ({COUNT_POINTS})() === {number}", timeout=PATIENCE_MS)


def expect_state(page: Page, state: str) -> None:
    verdict = page.locator(".run-state .verdict")
    expect(verdict).to_have_text(state, timeout=PATIENCE_MS)


def parse_run(url: str) -> str:
    return parse_qs(urlsplit(url).query)["run"][0]


def expect_no_sideways_scroll(page: Page) -> None:
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")


def test_a_run_is_launched_reloaded_stopped_resumed_and_finished(training_page, open_page, hold):
    page = training_page
    fill_number(page, "Network", "Input size, px", 32)
    fill_number(page, "Training", "Epochs", NUM_EPOCHS)
    fill_number(page, "Training", "Images per epoch", 64)
    page.reload()  # the recipe survives
    field = page.get_by_role("spinbutton", name="Epochs", exact=True)
    expect(field).to_have_value(str(NUM_EPOCHS))
    launch = page.get_by_role("button", name="Launch", exact=True)
    expect(launch).to_be_in_viewport()
    expect(launch).to_be_disabled()  # the lesions are drawn
    page.get_by_text("Train on drawn lesions", exact=True).click()
    launch.click()  # opens the tab Runs
    expect_state(page, "Running")

    # In the first epoch, there are no metrics of an epoch yet.
    expect(page.locator(".js-plotly-plot")).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    hold.let_go(0)
    wait_for_points(page, 2)
    hold.let_go(2)
    wait_for_points(page, 3)  # the page refreshes without any interaction
    expect(page.get_by_text(f"Epoch 3 of {NUM_EPOCHS}", exact=True)).to_be_visible()

    assert "run=" in page.url
    page.reload()
    expect(page.get_by_role("heading", name="baseline 1", exact=True)).to_be_visible()
    wait_for_points(page, 3)

    page.get_by_role("button", name="Stop", exact=True).click()
    expect_state(page, "Stopped")
    expect(page.locator(".run-state")).to_contain_text(re.compile("[Rr]esume.* from epoch 4"))
    wait_for_points(page, 3)

    # Another browser sees the same, at the width of a phone.
    other = open_page(width=420)
    other.goto(page.url)
    expect_state(other, "Stopped")
    expect_no_sideways_scroll(other)

    hold.let_go(3)
    page.get_by_role("button", name="Resume", exact=True).click()
    expect_state(page, "Finished")
    expect_state(other, "Finished")
    wait_for_points(page, NUM_EPOCHS)
    expect(page.get_by_text(re.compile("On 18 held-out test images"))).to_be_visible()

    expect(page.locator(".run-state time").first).to_have_attribute("title", re.compile("UTC$"))

    page.get_by_role("tab", name="Compare").click()
    expect(page).to_have_url(re.compile("tab=Compare"))
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    page.goto(f"{page.url}&compared={parse_run(page.url)[:8]}")
    expect(page.get_by_role("heading", name="Recipe differences")).to_be_visible()
    expect_no_sideways_scroll(page)
    page.get_by_role("tab", name="Study").click()
    page.get_by_role("button", name="Start a study").click()
    expect(page.get_by_text(re.compile("This trains 10 runs"))).to_be_visible()
    expect(page.get_by_role("button", name="Train these presets")).to_be_disabled()
