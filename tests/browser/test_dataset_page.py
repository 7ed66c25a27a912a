import csv
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
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


def test_a_chart_is_downloaded_as_png_svg_or_csv(dataset_page, tmp_path):
    page = dataset_page
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.get_by_role("button", name="Download").first.click()
    files = {}
    for kind in ("PNG", "SVG", "CSV"):
        with page.expect_download() as download:
            page.get_by_role("button", name=kind, exact=True).click()
        assert download.value.suggested_filename == f"images-per-class.{kind.lower()}"
        files[kind] = tmp_path / kind
        download.value.save_as(files[kind])
    with Image.open(files["PNG"]) as picture:
        assert picture.width > 800
        assert len(picture.convert("RGB").getcolors(2**20)) > 8  # a colour for each class
    drawing = ElementTree.parse(files["SVG"]).getroot()
    assert "melanoma" in "".join(drawing.itertext())
    assert files["CSV"].read_text("utf-8").startswith("diagnosis,train,test,total\nNV,25,2,27\n")


def test_back_and_reload_keep_tab_page_and_image_of_the_gallery(dataset_page):
    page = dataset_page
    open_view(page, "Gallery")
    expect(page.get_by_text("64 images")).to_be_visible()
    page.get_by_role("button", name="Next page").click()
    first = page.locator(".st-key-gallery .file").first
    expect(first).to_contain_text("drawn-901.jpg")
    page.locator(".st-key-gallery").get_by_role("button", name="Open", exact=True).first.click()
    expect(page.get_by_text("Image 25 of 64")).to_be_visible()
    page.wait_for_function("location.search.includes('drawn-901')")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_text("Image 26 of 64")).to_be_visible()
    page.wait_for_function("!location.search.includes('drawn-901')")
    page.go_back()
    expect(page.get_by_text("Image 25 of 64")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Image 25 of 64")).to_be_visible()
    page.get_by_role("button", name="Back to gallery").click()
    expect(first).to_contain_text("drawn-901.jpg")
