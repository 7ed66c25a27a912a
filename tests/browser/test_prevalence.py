import re

from playwright.sync_api import Page, expect

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS

PANEL = "Prevalence in your clinic"
UNADAPTED = "Without your clinic's prevalence"


def read_lesion(page: Page) -> None:
    name = DEMONSTRATION_LESIONS[0].signs.capitalize()
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator(".st-key-opened .meaning")).to_have_count(1)
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()


def test_a_prevalence_is_entered_with_the_keyboard_and_survives_a_reload(open_page):
    page = open_page()
    read_lesion(page)
    expect(page.locator(".adapted")).to_have_count(0)
    panel = page.get_by_test_id("stSidebar").get_by_text(PANEL, exact=True)
    panel.focus()
    panel.click()
    field = page.get_by_role("textbox", name="Melanomas, % of lesions")
    field.fill("2")
    field.press("Enter")
    expect(page.get_by_text("Found no share of skin cancers.")).to_be_visible()
    other = page.get_by_role("textbox", name="Skin cancers, % of lesions")
    other.focus()
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    expect(page.locator(".adapted")).to_contain_text("2.0% of lesions are melanomas")
    expect(page).to_have_url(re.compile(r"[?&]prevalence=0\.02(,|%2C)0\.08"))

    # A decimal comma, as many keyboards have it.
    field.fill("2,5")
    field.press("Enter")
    expect(page.locator(".adapted")).to_contain_text("2.5% of lesions are melanomas")
    field.fill("2")
    field.press("Enter")
    expect(page.locator(".adapted")).to_contain_text("2.0% of lesions are melanomas")

    # The unadapted probabilities are with the table of all diagnoses.
    page.get_by_text("All diagnoses", exact=True).click()
    expect(page.locator(".probabilities")).not_to_be_visible()
    page.get_by_text(UNADAPTED, exact=True).click()
    expect(page.locator(".probabilities")).to_be_visible()

    page.reload()  # keeps the reading
    expect(page.locator(".st-key-opened .meaning")).to_have_count(1)
    expect(page.locator(".adapted")).to_contain_text("2.0% of lesions are melanomas")

    # The Evaluation page has the same prevalence.
    page.get_by_role("link", name="Evaluation", exact=True).click()
    expect(page.get_by_text("At a prevalence of 2.0%, 20 of 1,000 lesions")).to_be_visible()


def test_a_wrong_prevalence_in_the_address_is_said_on_the_page(open_page, server):
    page = open_page(width=420)
    page.goto(f"{server}/?prevalence=2%25")
    message = page.get_by_role("alert").filter(has_text="Found prevalence in the address")
    expect(message).to_be_visible()
    read_lesion(page)
    expect(message).to_be_visible()
    expect(page.locator(".adapted")).to_have_count(0)
