"""Promotion, refusal, override and rollback of models, with their effect on the Reading page."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from melanoma_core.deployment.promotion import promote, propose
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.settings import load_settings
from tests.browser.conftest import run_server
from tests.drawn_models import write_model


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a dashboard with "steady" deployed and two candidates."""
    folder = tmp_path_factory.mktemp("server")
    models_dir = folder / "MELANOMA_MODELS_DIR"
    write_model(models_dir, "steady", missed=10, false_alerts=120)
    write_model(models_dir, "better", missed=4, false_alerts=100)
    write_model(models_dir, "worse", missed=40, false_alerts=60)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MELANOMA_MODEL", raising=False)
        for name in ("MELANOMA_RUNS_DIR", "MELANOMA_MODELS_DIR"):
            patch.setenv(name, str(folder / name))
        settings = load_settings()
        first = propose(settings, "steady", load_card(BUNDLED).model_id)
        promote(settings, first, "Setup", "the first of its kind")
        with run_server(folder) as url:
            yield url


def open_models(page: Page) -> None:
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    # The first time, the registry is opened, which takes long on a busy machine.
    expect(page.locator(".deployment")).to_be_visible(timeout=120_000)


def open_view(page: Page, name: str) -> None:
    tab = page.get_by_role("tab", name=name)
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")


def choose_candidate(page: Page, name: str) -> None:
    page.get_by_role("combobox", name="Candidate").click()
    page.get_by_role("option", name=name, exact=True).click()
    expect(page.get_by_role("button", name=f"Promote {name}", exact=True)).to_be_visible()


def expect_reading_by(page: Page, model_id: str) -> None:
    page.get_by_role("link", name="Reading").click()
    expect(page.get_by_role("heading", name="Reading", exact=True)).to_be_visible()
    expect(page.locator(".trust strong").first).to_have_text(model_id)


def expect_reason_beside(page: Page, model_id: str) -> None:
    """Expect that Promote is off, and that the reason is on its right."""
    promote_button = page.get_by_role("button", name=f"Promote {model_id}", exact=True)
    expect(promote_button).to_be_disabled()
    beside = page.locator(".off", has_text="Off: the gate refuses it.")
    expect(beside).to_contain_text("Its melanoma sensitivity may be lower")
    button, text = promote_button.bounding_box(), beside.bounding_box()
    assert button
    assert text
    assert text["x"] >= button["x"] + button["width"]


def override_gate(page: Page, text: str) -> None:
    page.get_by_text("Override the gate").click()
    override = page.get_by_role("button", name="Promote despite the gate")
    expect(override).to_be_disabled()
    reason = page.get_by_role("textbox", name="Reason")
    reason.fill(text)
    reason.press("Enter")
    expect(override).to_be_enabled()
    override.click()


def take_screenshot(page: Page, name: str) -> None:
    """Take a screenshot if SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def expect_no_sideways_scroll(page: Page) -> None:
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")


def test_a_better_model_is_promoted_a_worse_one_refused_overridden_and_rolled_back(open_page):
    page = open_page(height=1100)
    expect(page.locator(".trust strong").first).to_have_text("steady")

    open_models(page)
    open_view(page, "Compare and promote")
    expect(page.locator(".deployment")).to_contain_text("Deployed: steady")
    choose_candidate(page, "better")
    expect(page.locator(".gate .verdict")).to_have_text("The candidate passes the gate")
    expect(page.locator(".gate")).to_contain_text("+3.0 percentage points")
    expect(page.get_by_text("melanoma found by the candidate only").first).to_be_visible()
    promote_button = page.get_by_role("button", name="Promote better", exact=True)
    expect(promote_button).to_be_disabled()
    name = page.get_by_role("textbox", name="Your name")
    name.fill("Ada Lovelace")
    name.press("Enter")
    take_screenshot(page, "promote-allowed")
    promote_button.click()
    expect(page.get_by_text("better is now deployed.")).to_be_visible()
    expect(page.locator(".deployment")).to_contain_text("Deployed: better")
    expect_reading_by(page, "better")

    open_models(page)
    open_view(page, "Compare and promote")
    choose_candidate(page, "worse")
    expect(page.locator(".gate .verdict")).to_have_text("The gate refuses the candidate")
    expect(page.locator(".gate")).to_contain_text("may be lower than that of the deployed model")
    expect(page.get_by_text("Melanoma missed by the candidate only").first).to_be_visible()
    expect(page.get_by_role("textbox", name="Your name")).to_have_value("Ada Lovelace")
    expect_reason_beside(page, "worse")
    take_screenshot(page, "promote-refused")

    override_gate(page, "To study its errors")
    expect(page.locator(".deployment")).to_contain_text("Deployed: worse")
    expect(page.locator(".deployment")).to_contain_text("promoted against the gate on")
    strip = page.locator(".caution-strip")
    expect(strip).to_contain_text("worse, was promoted against the gate")
    expect_reading_by(page, "worse")
    expect(strip).to_be_visible()
    page.get_by_role("link", name="Evaluation").click()
    expect(page.get_by_role("heading", name="Evaluation", exact=True)).to_be_visible()
    expect(strip).to_be_visible()

    open_models(page)  # a rollback is offered where the deployed model is shown, on every tab
    page.get_by_role("button", name="Roll back to better").click()
    page.get_by_role("button", name="Roll back", exact=True).click()
    expect(page.locator(".deployment")).to_contain_text("Deployed: better")
    expect(page.get_by_role("button", name="Roll back", exact=True)).to_be_hidden()
    expect(strip).to_be_hidden()
    open_view(page, "History")
    take_screenshot(page, "history")
    expect_reading_by(page, "better")


def test_every_view_of_the_models_has_an_address_and_back_works(open_page, server):
    page = open_page()
    page.goto(f"{server}/models?tab=Compare+and+promote&candidate=worse")
    expect(page.get_by_role("combobox", name="Candidate")).to_have_value("worse")
    assert page.title() == "Models · Melanoma dashboard"
    open_view(page, "History")
    expect(page).to_have_url(f"{server}/models?tab=History&candidate=worse")
    page.go_back()
    expect(page.get_by_role("combobox", name="Candidate")).to_have_value("worse")
    page.goto(f"{server}/models?model=better&part=Subgroups")
    expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("better")
    heading = page.get_by_role("heading", name="Performance by subgroup and confirmation")
    expect(heading).to_be_visible()
    page.get_by_role("radio", name="Summary").click()
    expect(page.locator(".tiles")).to_be_visible()
    page.go_back()
    expect(heading).to_be_visible()


def test_every_view_fits_a_phone(open_page):
    page = open_page(width=420, color_scheme="dark")
    page.get_by_test_id("stExpandSidebarButton").click()
    open_models(page)
    page.get_by_test_id("stSidebarCollapseButton").click(force=True)
    for view, shown in (
        ("Card", "Intended use"),
        ("Compare and promote", "Comparison with the deployed model"),
        ("History", "Roll back to"),
    ):
        open_view(page, view)
        expect(page.get_by_test_id("stMain").get_by_text(shown).first).to_be_visible()
        expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
        take_screenshot(page, f"narrow-{view.split()[0]}")
        expect_no_sideways_scroll(page)


def test_the_card_is_downloaded_as_json_markdown_and_pdf(open_page, tmp_path):
    page = open_page(height=1000)
    open_models(page)
    take_screenshot(page, "card")
    for label, start in (
        ("Evidence (JSON)", b'{"format"'),
        ("Card (Markdown)", b"# Model card"),
        ("Card (PDF)", b"%PDF-"),
    ):
        with page.expect_download() as download:
            page.get_by_role("button", name=label, exact=True).click()
        download.value.save_as(tmp_path / "file")
        assert (tmp_path / "file").read_bytes().startswith(start)
