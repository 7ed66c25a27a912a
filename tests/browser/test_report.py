import re

import pytest
from playwright.sync_api import Page, expect

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS

HOSTILE = "<script>alert(1)</script>"
NAMES = ("W" * 120 + ".jpg", "<b>bold<b> [x](y) photograph.jpg", "c.jpg")
FIND_CUT = """report => [...report.querySelectorAll("p, li, td, th, img")]
  .filter(part => part.scrollWidth > part.clientWidth + 1)
  .map(part => part.textContent)"""


def read_lesion(page: Page) -> None:
    name = DEMONSTRATION_LESIONS[0].signs.capitalize()
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator(".glance")).to_have_count(1)
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()


def test_the_answer_has_at_most_sixty_words_and_the_full_table_is_one_click_away(open_page):
    page = open_page()
    read_lesion(page)
    column = page.get_by_test_id("stColumn").filter(has=page.locator(".glance"))
    words = [word for word in column.inner_text().split() if re.search(r"\w", word)]
    assert 20 <= len(words) <= 60
    expect(page.locator(".diagnoses")).not_to_be_visible()
    page.get_by_text("All diagnoses", exact=True).click()
    expect(page.locator(".diagnoses")).to_be_visible()


def test_a_report_is_downloaded_and_printed_on_one_page_and_its_notes_are_not_kept(
    open_page, tmp_path
):
    page = open_page()
    read_lesion(page)
    page.get_by_role("button", name="Report", exact=True).click()
    report = page.locator(".st-key-report")
    expect(report.locator("img")).to_have_count(2)
    notes = page.get_by_role("textbox", name="Notes")
    notes.fill(HOSTILE)
    notes.blur()
    expect(report).to_contain_text(HOSTILE)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PDF").click()
    file = tmp_path / "reading.pdf"
    download.value.save_as(file)
    assert download.value.suggested_filename == "reading.pdf"
    assert len(re.findall(rb"/Type /Page\b", file.read_bytes())) == 1

    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    page.emulate_media(media="print")
    expect(report).to_be_visible()
    expect(page.locator(".banner")).not_to_be_visible()
    expect(notes).not_to_be_visible()
    page.emulate_media(media="screen")

    page.get_by_role("button", name="Close").click()
    expect(report).to_have_count(0)
    page.get_by_role("button", name="Report", exact=True).click()
    expect(report.locator("img")).to_have_count(2)
    expect(page.get_by_role("textbox", name="Notes")).to_have_value("")
    expect(report).not_to_contain_text(HOSTILE)


@pytest.mark.parametrize("width", [420, 1440])
def test_a_lesion_of_several_photographs_has_a_report_of_one_page(open_page, tmp_path, width):
    page = open_page(width=width)
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(
        [
            {"name": name, "mimeType": "image/jpeg", "buffer": lesion.path.read_bytes()}
            for name, lesion in zip(NAMES, DEMONSTRATION_LESIONS, strict=False)
        ]
    )
    expect(page.locator('[class*="st-key-lesion-row-"]')).to_have_count(3)
    if width < 1000:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("button", name="Select all shown").click()
    page.get_by_role("button", name="Combine 3 as one lesion").click()
    expect(page.locator(".own")).to_have_count(3)
    if width < 1000:
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    page.get_by_role("button", name="Report", exact=True).click()
    report = page.locator(".st-key-report")
    expect(report.locator("img")).to_have_count(4)
    expect(report).to_contain_text("Reading of Lesion 1, 3 photographs")
    expect(report).to_contain_text("The photographs disagree")
    expect(report).to_contain_text("<b>bold<b> [x](y) photograph.jpg: ")
    assert report.evaluate(FIND_CUT) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PDF").click()
    download.value.save_as(tmp_path / "lesion.pdf")
    assert len(re.findall(rb"/Type /Page\b", (tmp_path / "lesion.pdf").read_bytes())) == 1
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_a_letter_about_a_reading_that_is_not_kept_can_be_changed_and_taken_away(
    open_page, tmp_path
):
    page = open_page()
    read_lesion(page)
    page.get_by_role("button", name="Report", exact=True).click()
    page.get_by_role("radio", name="Letter to the referring doctor").click()
    text = page.get_by_role("textbox", name="Text")
    expect(text).to_have_value(re.compile("Melanoma: .*alert.*threshold"))
    text.fill(HOSTILE)
    page.get_by_role("button", name="Write the letter").click()
    expect(page.locator(".letter")).to_contain_text(HOSTILE)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PDF").click()
    download.value.save_as(tmp_path / "letter.pdf")
    assert (tmp_path / "letter.pdf").read_bytes().startswith(b"%PDF-")
