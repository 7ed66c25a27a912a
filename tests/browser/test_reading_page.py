import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from melanoma_core.data.drawn.non_lesions import NonLesionKind, draw_non_lesion
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS

BANNER = re.compile("alert|suspected", re.IGNORECASE)
# In a row of the list, with or without an alert before it.
ANY_SKIN_CANCER = re.compile(r"Any skin cancer: .*?([0-9.]+)%")


@pytest.fixture
def photographs(shared_data: Path) -> list[Path]:
    """Return real photographs: three in camera resolution and three small ones."""
    large = sorted(shared_data.glob("full_resolution/*.jpg"))[:3]
    return large + sorted(shared_data.glob("ham10000/images/*.jpg"))[:3]


def upload(page: Page, paths: list[Path]) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(paths)


def wait_for_answer(page: Page, name: str | None = None) -> None:
    # During a rerun, Streamlit shows elements of the last run beside new ones.
    expect(page.locator(".banner")).to_have_count(1)
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
    expect(page.get_by_test_id("stFileUploader")).to_have_count(1)
    expect(page.locator(".banner")).to_contain_text(BANNER)
    if name:
        expect(page.locator(".st-key-steps .name")).to_have_text(name)


def fetch_overlay(page: Page, unlike: str = "") -> tuple[str, bytes]:
    """Return address and content of the overlay, once its address differs from `unlike`."""
    image = page.get_by_alt_text(re.compile("with the heatmap for"))
    expect(image).not_to_have_attribute("src", unlike)
    address = image.evaluate("image => image.src")  # absolute
    response = page.request.get(address)
    assert response.headers["content-type"] == "image/png"  # transparent
    return image.get_attribute("src") or "", response.body()


def choose(page: Page, name: str, option: str | re.Pattern[str]) -> None:
    chooser = page.get_by_role("combobox", name=re.compile(name))
    chooser.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # a list of options closes when the page scrolls
    chooser.click()
    page.get_by_role("option", name=option).click()


def expect_no_horizontal_scroll(page: Page) -> None:
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_photograph_is_uploaded_read_and_explained(open_page, photographs):
    page = open_page()
    upload(page, photographs[:1])
    wait_for_answer(page, photographs[0].name)
    expect(page.locator(".probability")).to_have_count(2)
    expect(page.locator(".probability").first).to_contain_text("Melanoma")
    expect(page.locator(".probability").last).to_contain_text(
        re.compile("skin cancer", re.IGNORECASE)
    )
    expect(page.locator(".st-key-opened .trust")).to_contain_text("sensitivity")
    expect(page.locator(".diagnoses tbody")).to_have_count(3)
    expect(page.locator(".diagnoses tr:not(.tier)")).to_have_count(8)
    expect(page.get_by_role("application", name="Photograph with")).to_be_visible()
    expect(page.get_by_role("note")).to_contain_text("Not a medical device")
    # The upload field is empty again.
    expect(page.get_by_test_id("stFileUploader")).to_contain_text("32MB per file")
    expect(page.get_by_test_id("stFileUploader")).not_to_contain_text(photographs[0].name)
    # Answer and image fit on a laptop screen without scrolling.
    for part in (page.locator(".probability").last, page.get_by_role("application")):
        box = part.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900


def test_the_overlay_follows_the_diagnosis(open_page, photographs):
    page = open_page()
    upload(page, photographs[3:4])
    wait_for_answer(page)
    expect(page.get_by_label("Zoom", exact=True)).to_have_text(
        re.compile("%")
    )  # the image is there
    address, of_one_diagnosis = fetch_overlay(page)
    choose(page, "Explain diagnosis", re.compile("vascular lesion"))
    expect(page.locator(".scale")).to_contain_text("for vascular lesion")
    _, of_another_diagnosis = fetch_overlay(page, unlike=address)
    assert of_another_diagnosis != of_one_diagnosis


def test_several_photographs_are_listed_most_suspicious_first_and_a_bad_file_is_refused(
    open_page, photographs, tmp_path
):
    bad = tmp_path / "<b>not a photograph<b>.jpg"
    bad.write_text("just text", "utf-8")
    page = open_page()
    upload(page, [*photographs[:2], bad, *photographs[2:]])
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_contain_text("6 readings, most suspicious first")
    wait_for_answer(page)
    expect(page.get_by_role("alert")).to_contain_text(
        "<b>not a photograph<b>.jpg was not read. The file is a text file."
    )
    rows = sidebar.get_by_role("button", name=BANNER)
    expect(rows).to_have_count(6)
    shares = list(map(float, ANY_SKIN_CANCER.findall(sidebar.inner_text())))
    assert len(shares) == 6
    assert shares == sorted(shares, reverse=True)
    second = sidebar.locator(".name").nth(1).inner_text()
    # With the keyboard only.
    rows.nth(1).focus()
    page.keyboard.press("Enter")
    wait_for_answer(page, second)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_photographs_are_combined_as_one_lesion_and_taken_apart_with_the_keyboard(
    open_page, photographs
):
    page = open_page()
    upload(page, photographs[3:6])
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_contain_text("3 readings, most suspicious first")
    wait_for_answer(page)
    boxes = sidebar.locator(".st-key-worklist").get_by_role("checkbox")
    expect(boxes).to_have_count(3)
    names = sidebar.locator(".name").all_inner_texts()
    for place in (0, 2):
        boxes.nth(place).focus()
        page.keyboard.press("Space")
        expect(boxes.nth(place)).to_be_checked()
    name = sidebar.get_by_role("textbox", name="Name of the lesion")
    expect(name).to_have_value("Lesion 1")
    name.fill("left arm")
    page.keyboard.press("Enter")
    wait_for_answer(page, "left arm: 2 photographs")
    expect(sidebar).to_contain_text("2 readings of 3 photographs, most suspicious first")
    expect(page.locator(".own")).to_have_count(2)
    expect(page.locator(".own strong")).to_have_text([names[0], names[2]])
    # Each photograph's own reading, and the way back.
    page.get_by_role("button", name="Open", exact=True).last.focus()
    page.keyboard.press("Enter")
    wait_for_answer(page, f"left arm: {names[2]}")
    expect(page.get_by_role("application", name="Photograph with")).to_be_visible()
    page.get_by_role("button", name="All 2 photographs").focus()
    page.keyboard.press("Enter")
    wait_for_answer(page, "left arm: 2 photographs")
    page.get_by_role("button", name="Separate").focus()
    page.keyboard.press("Enter")
    expect(sidebar).to_contain_text("3 readings, most suspicious first")


def test_a_picture_of_the_list_is_dragged_onto_another_of_the_same_lesion(open_page, photographs):
    page = open_page()
    upload(page, photographs[3:6])
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_contain_text("3 readings, most suspicious first")
    wait_for_answer(page)
    rows = sidebar.locator('[class*="st-key-lesion-row-"]')
    expect(rows).to_have_count(3)
    expect(sidebar.locator("[data-listens]")).to_have_count(1)
    rows.nth(2).locator("img").drag_to(rows.nth(0))
    expect(rows).to_have_count(2)
    wait_for_answer(page, "Lesion 1: 2 photographs")
    # Dropped beside the list, it stays where it is.
    rows.nth(0).locator("img").drag_to(page.get_by_role("heading", name="Reading", exact=True))
    rows.nth(1).locator("img").drag_to(rows.nth(0))
    expect(rows).to_have_count(1)
    wait_for_answer(page, "Lesion 1: 3 photographs")


@pytest.mark.parametrize("width", [420, 1440])
def test_a_refused_photograph_is_read_anyway_after_a_warning_and_stays_marked(open_page, width):
    page = open_page(width=width)
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(
        [{"name": "noise.png", "mimeType": "image/png", "buffer": draw_noise()}]
    )
    expect(page.get_by_role("alert")).to_contain_text("noise.png was not read")
    expect(page.locator(".banner")).to_have_count(0)
    # The reason is not cut, and the offer is on the screen.
    assert page.locator(".refused").evaluate("box => box.scrollHeight <= box.clientHeight")
    expect(page.get_by_role("button", name="Read this photograph anyway")).to_be_in_viewport()
    page.get_by_role("button", name="Read this photograph anyway").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("noise.png")
    expect(dialog).to_contain_text("A low probability excludes nothing.")
    expect_no_horizontal_scroll(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("alert")).to_contain_text("noise.png was not read")
    page.get_by_role("button", name="Read this photograph anyway").click()
    page.get_by_role("button", name="I understand, read it").click()
    wait_for_answer(page, "noise.png")
    expect(dialog).to_have_count(0)
    expect(page.locator(".warning")).to_contain_text("Out of distribution, read anyway")
    expect_no_horizontal_scroll(page)


def draw_noise() -> bytes:
    content = io.BytesIO()
    Image.fromarray(draw_non_lesion(NonLesionKind.NOISE, 0)).save(content, "PNG")
    return content.getvalue()


def choose_method(page: Page, method: str) -> None:
    choose(page, "Heatmap method", method)


def test_another_heatmap_method_runs_without_blocking_other_sessions(open_page, photographs):
    page, other = open_page(), open_page()
    upload(page, photographs[3:4])
    wait_for_answer(page, photographs[3].name)
    before, instant = fetch_overlay(page)

    choose_method(page, "Score-CAM")
    expect(page.get_by_text("Starting TensorFlow")).to_be_visible()
    # Meanwhile the server answers other sessions.
    upload(other, photographs[4:5])
    wait_for_answer(other, photographs[4].name)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".scale").first).to_contain_text("(Grad-CAM)")

    choose_method(page, "Grad-CAM++")
    # Starting TensorFlow takes long on a busy machine.
    expect(page.locator(".scale").first).to_contain_text("(Grad-CAM++)", timeout=180_000)
    expect(page.locator(".map-trust")).to_contain_text(
        "Compare regions within it, not two photographs"
    )
    assert fetch_overlay(page, unlike=before)[1] != instant


def test_a_drawn_lesion_is_read_with_one_click(open_page):
    page = open_page()
    expect(page.locator(".st-key-lesions img")).to_have_count(len(DEMONSTRATION_LESIONS))
    lesion = DEMONSTRATION_LESIONS[0]
    page.get_by_role("button", name=lesion.signs.capitalize(), exact=True).click()
    wait_for_answer(page, lesion.name)


def test_a_narrow_window_shows_the_reading_first_and_has_no_horizontal_scroll(
    open_page, photographs
):
    page = open_page(width=420)
    expect_no_horizontal_scroll(page)
    upload(page, photographs[:2])
    wait_for_answer(page)
    banner, image = (
        page.locator(".banner").bounding_box(),
        page.get_by_role("application", name="Photograph with").bounding_box(),
    )
    assert banner is not None
    assert image is not None
    assert banner["y"] < image["y"]
    assert image["x"] + image["width"] <= 420
    expect_no_horizontal_scroll(page)


def test_the_theme_follows_the_browser(open_page):
    background = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    assert open_page(color_scheme="light").evaluate(background) == "rgb(255, 255, 255)"
    assert open_page(color_scheme="dark").evaluate(background) == "rgb(18, 24, 31)"


def test_two_browsers_at_once_get_their_own_readings(open_page, photographs):
    first, second = open_page(), open_page()
    upload(first, photographs[:1])
    upload(second, photographs[3:4])
    wait_for_answer(first, photographs[0].name)
    wait_for_answer(second, photographs[3].name)
    expect(first.get_by_text(photographs[3].name)).to_have_count(0)
    expect(second.get_by_text(photographs[0].name)).to_have_count(0)


def test_the_model_card_is_one_click_away_and_the_readings_are_kept(open_page, photographs):
    page = open_page()
    upload(page, photographs[3:4])
    wait_for_answer(page)
    page.get_by_role("link", name="Full model card").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Intended use", exact=True)).to_be_visible()
    page.get_by_role("link", name="Reading").click()
    wait_for_answer(page, photographs[3].name)
