"""Take every picture of the documents again, in a real browser: `make pictures`.

The pictures show drawn lesions only: the demonstration lesions of the Reading page and the
demonstration dataset. No photograph of a data set is opened. Runs, models and the cache lie in a
temporary folder.
"""

import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM_OPTIONS, run_server

FOLDER = Path(__file__).with_name("pictures")
MOST_BYTES = 260_000
_WIDTH = 1280  # px
_NUM_COLOURS = 256
_PATIENCE_MS = 300_000  # a run starts TensorFlow, on a machine that may be busy
_SETTLE_MS = 1_000  # charts and tables are still drawn after the page's script has ended
# The first column of a table, where its rows are selected. A table is a canvas without elements.
_SELECT_X, _HEAD_Y, _ROW_Y = 18, 35, 35
_NUM_POINTS = """() => document.querySelector(".js-plotly-plot")?._fullData
  ?.find(line => line.name === "validation")?.x.length ?? 0"""


def main() -> int:
    """Take every picture and return the exit status."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Found no chromium on the PATH. The pictures need one. Install Chromium.")
        return 1
    expect.set_options(timeout=_PATIENCE_MS)
    with tempfile.TemporaryDirectory() as scratch:
        # The data directory and the model of this machine must not show.
        for name in ("MELANOMA_DATA_DIR", "MELANOMA_MODEL", "MLFLOW_TRACKING_URI"):
            os.environ.pop(name, None)
        os.environ["MELANOMA_CACHE_DIR"] = str(Path(scratch) / "cache")
        with run_server(Path(scratch)) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
            page = browser.new_page(viewport={"width": _WIDTH, "height": 900})
            page.set_default_timeout(_PATIENCE_MS)
            page.goto(url)
            for title, take in _PAGES.items():
                _open_page(page, title)
                take(page)
            browser.close()
    return 0


def _take_reading(page: Page) -> None:
    """Read a drawn lesion, then upload a page of text."""
    page.get_by_role("button", name="Many colours, streaks", exact=True).click()
    expect(page.locator(".banner")).to_have_count(1)
    _take(page, "reading", 860, _reduce_photograph)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([_write_page_of_text()])
    expect(page.get_by_text("page-of-text.png was not read")).to_be_visible()
    _take(page, "refusal", 480)


def _take_dataset(page: Page) -> None:
    """Show the demonstration dataset, its defects, its split, and oversampling before a split."""
    expect(page.get_by_text("64 files in drawn lesions")).to_be_visible()
    _take(page, "overview", 800)
    _open_view(page, "Audit")
    expect(page.locator(".verdict-of-audit")).to_be_visible()
    _take(page, "audit", 860)
    _open_view(page, "Split")
    expect(page.get_by_text("groups have images in more than one subset")).to_be_visible()
    _take(page, "split", 860)
    _open_view(page, "Balancing")
    page.get_by_text("Augmentor oversampling").click()
    page.get_by_text("Simulate oversampling before the split").click()
    banner = page.locator(".banner")
    expect(banner).to_be_visible()
    # Cut off below the banner, where the page names a folder of this machine.
    _settle(page)
    box = banner.bounding_box()
    assert box is not None
    _take(page, "leakage", int(box["y"] + box["height"]) + 16)


def _take_training(page: Page) -> None:
    """Launch two runs on the demonstration dataset, and compare them."""
    page.get_by_text("Train on drawn lesions", exact=True).click()
    page.get_by_role("button", name="Launch", exact=True).click()
    page.wait_for_function(f"() => ({_NUM_POINTS})() >= 4")
    _take(page, "run", 900)
    _finish_run(page, "baseline 1")
    page.get_by_role("combobox", name="Preset").click()
    page.get_by_role("option", name="augmented", exact=True).click()
    expect(page.get_by_text("The preset augmented, unchanged.")).to_be_visible()
    page.get_by_role("button", name="Launch", exact=True).click()
    _finish_run(page, "augmented 1")
    _open_view(page, "Compare")
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    _settle(page)
    for row in range(2):
        box = table.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + _SELECT_X, box["y"] + _HEAD_Y + _ROW_Y * (row + 0.5))
        _settle(page)
    expect(page.get_by_text("Recipe differences", exact=True)).to_be_visible()
    _take(page, "comparison", 900)


def _take_evaluation(page: Page) -> None:
    """Evaluate a trained network on the test subset of the demonstration dataset."""
    page.get_by_role("combobox", name="Model to evaluate").click()
    page.get_by_role("option", name=re.compile("smallcnn")).first.click()
    _settle(page)
    page.get_by_role("button", name="Evaluate", exact=True).click()
    expect(page.get_by_text("11 of 11 images of drawn lesions")).to_be_visible()
    _take(page, "evaluation", 900)


def _take_models(page: Page) -> None:
    """Ask the gate about the newest network."""
    _open_view(page, "Compare and promote")
    page.get_by_role("button", name=re.compile("Find and predict the 18 missing")).click()
    expect(page.get_by_text("Compared on 18 images")).to_be_visible()
    _take(page, "gate", 960)


_PAGES: dict[str, Callable[[Page], None]] = {
    "Reading": _take_reading,
    "Dataset": _take_dataset,
    "Training": _take_training,
    "Evaluation": _take_evaluation,
    "Models": _take_models,
}


def _open_page(page: Page, title: str) -> None:
    page.get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    _settle(page)


def _open_view(page: Page, title: str) -> None:
    tab = page.get_by_role("tab", name=title, exact=True)
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")
    _settle(page)


def _finish_run(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    verdict = page.locator(".run-state .verdict")
    expect(verdict).to_have_text(re.compile("Finished|Failed"))
    assert verdict.inner_text() == "Finished", page.locator(".run-state").inner_text()


def _settle(page: Page) -> None:
    """Wait until the page has stopped running, loading and drawing."""
    page.wait_for_timeout(_SETTLE_MS)
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
    page.wait_for_function("[...document.images].every(image => image.complete)")
    page.wait_for_timeout(_SETTLE_MS)


def _reduce(image: Image.Image) -> Image.Image:
    """Return a picture of text and charts with few colours."""
    return image.quantize(_NUM_COLOURS, Image.Quantize.MEDIANCUT)


def _reduce_photograph(image: Image.Image) -> Image.Image:
    """Return a picture with few colours, among them the rare ones of the heatmap's scale."""
    palette = image.quantize(_NUM_COLOURS, Image.Quantize.MAXCOVERAGE)
    return image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _take(
    page: Page,
    name: str,
    height: int,
    reduce: Callable[[Image.Image], Image.Image] = _reduce,
) -> None:
    """Write a picture of the window at a height in px."""
    page.set_viewport_size({"width": _WIDTH, "height": height})
    page.mouse.move(_WIDTH - 1, 1)  # no help text and no toolbar
    _settle(page)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = FOLDER / f"{name}.png"
    reduce(image).save(path, optimize=True)
    num_bytes = path.stat().st_size
    assert num_bytes < MOST_BYTES, f"{path.name} has {num_bytes:,} bytes; take less of the page"
    print(f"{path.name}: {image.width} × {image.height} px, {num_bytes:,} bytes")


def _write_page_of_text() -> FilePayload:
    """Draw a photograph that shows no lesion."""
    image = Image.new("RGB", (600, 400), "white")
    draw = ImageDraw.Draw(image)
    for row in range(12):
        draw.text((20, 20 + 30 * row), "This is a page of text, not a skin lesion. " * 2, "black")
    content = io.BytesIO()
    image.save(content, "PNG")
    return {"name": "page-of-text.png", "mimeType": "image/png", "buffer": content.getvalue()}


if __name__ == "__main__":
    sys.exit(main())
