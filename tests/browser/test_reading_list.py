"""The list of readings in Chromium: reload, keys, crop, and forgetting with its undo."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from tests.core.reading.test_cropping import draw_ring

LESIONS = [lesion.path for lesion in DEMONSTRATION_LESIONS[:3]]


def upload(page: Page, paths: list[Path], rows: int) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(paths)
    expect(find_rows(page)).to_have_count(rows)
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()


def find_rows(page: Page):
    return page.locator('[class*="st-key-lesion-row-"]')


def find_name(page: Page):
    return page.locator(".st-key-steps .name")


def test_a_reload_loses_nothing_and_another_browser_sees_nothing(open_page):
    page = open_page()
    upload(page, LESIONS, 3)
    page.reload()
    expect(find_rows(page)).to_have_count(3)
    (cookie,) = (each for each in page.context.cookies() if "melanoma" in each["name"])
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Strict", -1)
    assert cookie["value"] not in page.url
    other = open_page()
    expect(other.get_by_text("Upload a photograph, or try a drawn lesion.")).to_be_visible()
    expect(find_rows(other)).to_have_count(0)


def test_the_keys_j_and_k_step_through_the_list_unless_one_types(open_page):
    page = open_page()
    upload(page, LESIONS, 3)
    first = find_name(page).inner_text()
    page.keyboard.press("j")
    expect(find_name(page)).not_to_have_text(first)
    page.keyboard.press("k")
    expect(find_name(page)).to_have_text(first)
    page.get_by_label("Search").fill("jk")
    page.wait_for_timeout(500)
    expect(find_name(page)).to_have_text(first)


def test_the_table_is_still_there_after_the_page_has_run_again(open_page):
    page = open_page()
    upload(page, LESIONS, 3)
    for _ in range(2):
        page.keyboard.press("j")
        page.wait_for_timeout(300)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download table").click()
        assert len(download.value.path().read_text("utf-8-sig").splitlines()) == 1 + 3


def test_what_was_forgotten_can_be_undone_for_ten_seconds(open_page):
    page = open_page()
    upload(page, LESIONS, 3)
    for undo in (True, False):
        page.get_by_role("button", name="Forget all").click()
        page.get_by_role("button", name="Forget them").click()
        expect(find_rows(page)).to_have_count(0)
        expect(page.get_by_text(re.compile("3 photographs forgotten"))).to_be_visible()
        if undo:
            page.get_by_role("button", name="Undo").click()
            expect(find_rows(page)).to_have_count(3)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)  # after ten seconds
    page.reload()
    expect(page.get_by_text("Upload a photograph, or try a drawn lesion.")).to_be_visible()


@pytest.mark.parametrize("chosen", [False, True], ids=["black border", "chosen part"])
def test_a_photograph_refused_for_its_ring_is_cropped_and_read(open_page, tmp_path, chosen):
    path = tmp_path / "ring.png"
    path.write_bytes(draw_ring())
    page = open_page()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([path])
    expect(page.get_by_alt_text("Refused: ring.png")).to_have_count(1)
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
    if chosen:
        page.get_by_role("button", name="Crop", exact=True).click()
        expect(page.get_by_alt_text("ring.png, dark outside the crop")).to_be_visible()
        page.get_by_role("slider").first.press("ArrowRight")
        page.get_by_role("button", name=re.compile("^Read this 3.% of the photograph")).click()
    else:
        page.get_by_role("button", name="Crop black border and read").click()
    expect(page.get_by_text("⚠ Read from a crop", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("Read from a crop, 3.% of the photograph"))).to_have_count(1)
    expect(page.get_by_alt_text("Refused: ring.png")).to_have_count(0)


def test_a_rectangle_drawn_on_a_refused_photograph_is_its_crop(open_page, tmp_path):
    path = tmp_path / "ring.png"
    path.write_bytes(draw_ring())
    page = open_page()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([path])
    expect(page.get_by_alt_text("Refused: ring.png")).to_have_count(1)
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
    page.get_by_role("button", name="Crop", exact=True).click()
    picture = page.get_by_alt_text("ring.png, dark outside the crop")
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # the dialog opens with a movement
    box = picture.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.8 * box["height"])
    page.mouse.up()
    button = page.get_by_role("button", name=re.compile("^Read this 24% of the photograph"))
    expect(button).to_be_visible()
    button.click()
    expect(page.get_by_text("⚠ Read from a crop", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("Read from a crop, 24% of the photograph"))).to_have_count(1)
