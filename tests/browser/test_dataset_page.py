import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

PATIENCE_MS = 180_000  # without a cache, thousands of images are measured


@pytest.fixture
def dataset_page(open_page) -> Page:
    page = open_page()
    page.get_by_role("link", name="Dataset").click()
    expect(page.get_by_role("heading", name="Dataset", exact=True)).to_be_visible()
    return page


def choose_path(page: Page, folder: Path) -> None:
    field = page.get_by_role("textbox", name="Or folder path", exact=True)
    field.fill(str(folder))
    field.press("Enter")
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_contain_text(f"files in {folder.name}", timeout=PATIENCE_MS)


def open_view(page: Page, name: str) -> None:
    tab = page.get_by_role("tab", name=name)
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")


def test_the_known_defects_of_the_nine_class_dataset_are_found_shown_and_cleaned(
    dataset_page, shared_data, tmp_path
):
    page = dataset_page
    choose_path(page, shared_data / "isic9")
    counted = page.get_by_text("Files: 2,359, including copies. Unreadable: 0.")
    expect(counted).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()

    open_view(page, "Audit")
    expect(page.locator(".verdict-of-audit")).to_contain_text(
        "Do not train or evaluate", timeout=PATIENCE_MS
    )
    findings = page.locator(".st-key-findings")
    expect(findings).to_contain_text("Found 159 photographs stored as 318 byte-identical files")
    expect(findings).to_contain_text(
        "Found 155 photographs with more than one label: 78 melanoma / seborrheic keratosis, "
        "77 actinic keratosis / nevus"
    )
    expect(findings).to_contain_text("in Train for 18 of 118 Test images")
    expect(findings).to_contain_text("in Train for 44 of 118 Test images")

    expect(page.get_by_role("button", name="Download cleaned table")).to_be_visible()
    chosen = page.get_by_role("radio", name="Copies in Train and Test: 18 groups")
    page.get_by_text("Copies in Train and Test: 18 groups").click()
    expect(chosen).to_be_checked()
    pair = page.locator(".st-key-groups > *").first
    expect(pair.locator(".file")).to_contain_text([re.compile(", test"), re.compile(", train")])
    expect(pair.get_by_role("img")).to_have_count(2)

    with page.expect_download() as cleaned:
        page.get_by_role("button", name="Download cleaned table").click()
    cleaned.value.save_as(tmp_path / "cleaned.csv")
    with (tmp_path / "cleaned.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2359
    assert all(row["reason"] for row in rows if row["action"] == "drop")
    assert rows[0]["path"].startswith("Test/")

    open_view(page, "Split")
    check = page.get_by_text(re.compile(r"0 of [\d,]+ groups have images in more than one subset"))
    expect(check).to_be_visible()
    with page.expect_download() as split:
        page.get_by_role("button", name="Download split").click()
    assert split.value.suggested_filename == "split-0.csv"

    open_view(page, "Balancing")
    page.get_by_text("Augmentor oversampling").click()
    expect(page.locator(".st-key-previews").get_by_role("img")).to_have_count(16)
    expect(page.get_by_role("button", name=re.compile(r"Create [\d,]+ images"))).to_be_visible()


def test_a_narrow_window_has_no_horizontal_scroll(open_page):
    page = open_page(width=420)
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Dataset").click()
    expect(page.get_by_role("heading", name="Dataset", exact=True)).to_be_visible()
    page.get_by_test_id("stSidebarCollapseButton").click(force=True)
    expect(page.get_by_text("Files: 64, including copies. Unreadable: 1.")).to_be_visible()
    for view, shown in (
        ("Gallery", "64 images"),
        ("Audit", "Cleaned table"),
        ("Split", "in more than one subset"),
        ("Balancing", "imbalance ratio"),
        ("Get data", "Search the archive"),
    ):
        # Streamlit drops the images of a tab that is left before they are loaded.
        page.wait_for_function("[...document.images].every(image => image.complete)")
        open_view(page, view)
        expect(page.get_by_role("tabpanel").get_by_text(shown).first).to_be_visible()
        main = page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
