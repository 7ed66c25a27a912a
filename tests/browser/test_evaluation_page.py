import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

PATIENCE_MS = 180_000


@pytest.fixture
def moles(tmp_path: Path) -> Path:
    folder = tmp_path / "moles"
    for number in range(40):
        place = folder / ("melanoma", "nevus")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (80, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
    return folder


def open_part(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()


def test_a_folder_is_evaluated_and_its_metrics_curves_and_subgroups_are_shown(
    open_page, moles: Path
):
    page = open_page()
    page.get_by_role("link", name="Evaluation").click()
    expect(page.get_by_role("heading", name="Evaluation", exact=True)).to_be_visible()
    # What both alerts of the card mean is shown before any evaluation.
    for what in ("melanomas", "skin cancers"):
        meaning = rf"At a prevalence of [\d.]+%, \d+ of 1,000 lesions are {what}"
        expect(page.get_by_text(re.compile(meaning))).to_be_visible()
    field = page.get_by_role("textbox", name="Or folder path", exact=True)
    field.fill(str(moles))
    field.press("Enter")
    page.wait_for_timeout(1000)  # the folder is scanned
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
    page.get_by_role("button", name="Evaluate", exact=True).click()
    summary = page.get_by_text("40 of 40 images of moles (subset all)")
    expect(summary).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".tiles").first.get_by_text("Melanoma ROC AUC")).to_be_visible()
    # Noise is ranked at random, and the page says so.
    expect(page.get_by_text("Not shown to be better than chance at").first).to_be_visible()
    open_part(page, "Curves")
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    expect(page.get_by_text("ROC curve, ▲ melanoma against the rest")).to_be_visible()
    open_part(page, "Diagnoses")
    expect(page.get_by_text("Confusion matrix")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("ROC curve, ▲ melanoma against the rest")).to_be_visible()
    open_part(page, "Subgroups")
    expect(page.get_by_role("heading", name="Subgroups", exact=True)).to_be_visible()
    page.reload()  # the address has the folder, and that its result is shown
    expect(page.get_by_role("heading", name="Subgroups", exact=True)).to_be_visible()
    assert page.title() == "Evaluation · Melanoma dashboard"

    with page.expect_download() as download:
        page.get_by_role("button", name="Evaluation (JSON)").click()
    assert download.value.suggested_filename.startswith("evaluation-")
    # The result is kept and shown at once the next time.
    page.get_by_role("link", name="Reading").click()
    expect(page.get_by_role("heading", name="Reading", exact=True)).to_be_visible()
    page.get_by_role("link", name="Evaluation").click()
    expect(summary).to_be_visible()
