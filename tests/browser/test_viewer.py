import io
import re

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Locator, Page, Response, expect

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from tests.browser.test_reading_page import expect_no_horizontal_scroll, wait_for_answer

LESION = DEMONSTRATION_LESIONS[0]
SAME = 0.2  # levels of 255: rounding where images are mixed
FIND_FOCUSED = """() => {
  let focused = document.activeElement;
  while (focused.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  return focused.ariaLabel || focused.innerText || focused.labels?.[0].innerText;
}"""


@pytest.fixture
def page(open_page):
    return open_lesion(open_page())


def open_lesion(page: Page) -> Page:
    page.get_by_role("button", name=LESION.signs.capitalize(), exact=True).click()
    wait_for_answer(page, LESION.name)
    expect(find_image(page)).to_be_visible()
    expect(page.locator("[data-viewer-stands]")).to_have_count(1)
    return page


def find_image(page: Page) -> Locator:
    return page.get_by_role("application", name=re.compile("Photograph with the heatmap for"))


def read_zoom(page: Page) -> int:
    """Return the zoom in percent, once the movement has ended."""
    zoom, seen = page.get_by_label("Zoom", exact=True), [""]
    expect(zoom).to_have_text(re.compile(r"^\d+%$"))
    while len(seen) < 3 or len(set(seen[-3:])) > 1:
        page.wait_for_timeout(200)
        seen.append(zoom.inner_text())
    return int(seen[-1].rstrip("%"))


def take(page: Page) -> Image.Image:
    """Take a picture of the middle of the viewer, without the frame that shows the focus."""
    read_zoom(page)
    shot = Image.open(io.BytesIO(find_image(page).screenshot())).convert("RGB")
    width, height = shot.size
    return shot.crop((10, height // 4, width - 10, 3 * height // 4))


def differ(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference between the pixels of two pictures, in levels of 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def list_sizes(fetched: list[Response]) -> list[tuple[int, int]]:
    return [
        Image.open(io.BytesIO(response.body())).size
        for response in fetched
        if response.url.endswith(".jpg")
    ]


def expect_size(page: Page, fetched: list[Response], size: tuple[int, int]) -> None:
    for _ in range(50):
        if size in list_sizes(fetched):
            return
        page.wait_for_timeout(200)
    pytest.fail(f"{size} was never fetched, but {list_sizes(fetched)}")


def press(page: Page, key: str) -> None:
    find_image(page).focus()
    page.keyboard.press(key)


def test_the_image_takes_most_of_the_screen_and_the_plain_images_give_way(page):
    box = find_image(page).bounding_box()
    assert box is not None
    assert 0.6 <= box["width"] / 1440 <= 0.7
    expect(page.get_by_alt_text("Original photograph")).to_be_hidden()
    expect_no_horizontal_scroll(page)


def test_where_the_viewer_cannot_run_the_plain_images_stand_side_by_side(chromium, server):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(server)
    page.get_by_role("button", name=LESION.signs.capitalize(), exact=True).wait_for()
    page.evaluate("HTMLCanvasElement.prototype.getContext = () => null")
    page.get_by_role("button", name=LESION.signs.capitalize(), exact=True).click()
    wait_for_answer(page, LESION.name)
    expect(page.get_by_alt_text("Original photograph")).to_be_visible()
    expect(page.get_by_alt_text(re.compile("with the heatmap for"))).to_be_visible()
    expect(find_image(page)).to_be_hidden()
    context.close()


def test_wheel_keys_and_buttons_zoom_and_the_whole_photograph_fits_again(page):
    fitted = read_zoom(page)
    find_image(page).hover()
    page.mouse.wheel(0, -300)
    by_wheel = read_zoom(page)
    assert by_wheel > fitted
    press(page, "+")
    by_key = read_zoom(page)
    assert by_key > by_wheel
    page.get_by_role("button", name="Zoom out").click()
    assert read_zoom(page) < by_key
    press(page, "1")
    assert read_zoom(page) == 100
    page.get_by_role("button", name="Fit").click()
    assert read_zoom(page) == fitted


def test_arrows_and_dragging_move_the_photograph(page):
    press(page, "+")
    press(page, "+")
    read_zoom(page)
    before = take(page)
    press(page, "ArrowRight")
    page.wait_for_timeout(1000)
    moved = take(page)
    assert differ(moved, before) > 1
    box = find_image(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 450, box["y"] + 300, steps=5)
    page.mouse.up()
    page.wait_for_timeout(1000)
    assert differ(take(page), moved) > 1


def test_one_key_takes_the_overlay_away_and_brings_it_back(page):
    toggle = page.get_by_role("button", name="Overlay", exact=True)
    expect(toggle).to_have_attribute("aria-pressed", "true")
    with_overlay = take(page)
    press(page, "o")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    without = take(page)
    assert differ(with_overlay, without) > 1
    press(page, "o")
    assert differ(take(page), with_overlay) < SAME
    # No opacity is the photograph alone.
    page.get_by_label("Opacity").focus()
    page.keyboard.press("Home")
    assert differ(take(page), without) < SAME
    page.keyboard.press("End")
    assert differ(take(page), without) > differ(with_overlay, without)


def test_the_wipe_shows_the_photograph_on_one_side_and_the_overlay_on_the_other(page):
    with_overlay = take(page)
    press(page, "o")
    without = take(page)
    press(page, "w")
    handle = page.get_by_role("slider", name="Position of the wipe")
    expect(handle).to_have_attribute("aria-valuenow", "50")
    width = with_overlay.width
    left, right = (0, 0, int(0.45 * width), 99), (int(0.55 * width), 0, width, 99)
    wiped = take(page)
    assert differ(wiped.crop(left), without.crop(left)) < SAME
    assert differ(wiped.crop(right), with_overlay.crop(right)) < SAME
    handle.focus()
    page.keyboard.press("End")
    expect(handle).to_have_attribute("aria-valuenow", "100")
    wiped = take(page)
    most = (0, 0, int(0.9 * width), wiped.height)
    assert differ(wiped.crop(most), without.crop(most)) < SAME
    press(page, "w")
    expect(handle).to_be_hidden()
    assert differ(take(page), with_overlay) < SAME


def test_the_own_pixels_of_a_photograph_are_fetched_when_one_zooms_in(open_page):
    page, fetched = open_page(), []
    page.on(
        "response", lambda response: fetched.append(response) if "/media/" in response.url else 0
    )
    content = io.BytesIO()
    Image.open(DEMONSTRATION_LESIONS[0].path).resize((3000, 2250)).save(content, "JPEG")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        [{"name": "large.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()}]
    )
    wait_for_answer(page, "large.jpg")
    fitted = read_zoom(page)
    assert fitted < 40  # percent of its own pixels, not of those of the first picture
    assert (3000, 2250) not in list_sizes(fetched)
    before = take(page)
    press(page, "1")
    assert read_zoom(page) == 100
    expect_size(page, fetched, (3000, 2250))
    page.get_by_role("button", name="Fit").click()
    assert read_zoom(page) == fitted
    assert differ(take(page), before) < 1
    # The photograph keeps its place when another heatmap is chosen.
    press(page, "1")
    page.get_by_text("Contour lines").click()
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()
    assert read_zoom(page) == 100


def test_full_screen_has_the_controls_and_is_left_by_the_same_key(page):
    small = find_image(page).bounding_box()
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("document.fullscreenElement !== null")
    expect(page.get_by_role("button", name="Zoom in")).to_be_in_viewport()
    large = find_image(page).bounding_box()
    assert small is not None
    assert large is not None
    assert large["width"] > small["width"]
    press(page, "f")
    page.wait_for_function("document.fullscreenElement === null")


def test_the_keyboard_reaches_everything_with_a_visible_focus(page):
    names = []
    page.get_by_role("button", name="Overlay", exact=True).focus()
    for _ in range(9):
        page.keyboard.press("Tab")
        names.append(page.evaluate(FIND_FOCUSED))
    assert names == [
        "Opacity", "Wipe", "Zoom out", "Zoom in", "Fit", "Actual pixels, 1:1", "Keys",
        "Full screen", "Photograph with the heatmap for melanoma",
    ]  # fmt: skip
    frame = "image => getComputedStyle(image, '::after').borderTopWidth"
    assert find_image(page).evaluate(frame) == "3px"


def test_the_opacity_is_kept_for_the_next_photograph_and_after_a_reload(page):
    press(page, "]")
    expect(page.get_by_label("Opacity")).to_have_value("65")
    page.reload()
    if page.get_by_role("button", name=LESION.signs.capitalize(), exact=True).is_visible():
        open_lesion(page)
    expect(page.get_by_label("Opacity")).to_have_value("65")


def test_a_narrow_window_shows_the_viewer_within_its_width(open_page):
    page = open_lesion(open_page(width=420))
    box = find_image(page).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 420
    assert box["width"] >= 0.85 * 420
    expect_no_horizontal_scroll(page)


def touch(page: Page, *moves: list[tuple[float, float]]) -> None:
    """Lay fingers on the viewer, move them, and lift them.

    Args:
        page: With touch.
        moves: Where the fingers are, first and after each movement, as shares of the viewer.
    """
    box = find_image(page).bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    for place, fingers in enumerate([*moves, []]):
        kind = "touchStart" if place == 0 else "touchMove" if fingers else "touchEnd"
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": finger}
            for finger, (x, y) in enumerate(fingers)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(30)


def pinch(start: float, end: float) -> list[list[tuple[float, float]]]:
    """Return the movements of two fingers from one distance to another."""
    steps = [start + (end - start) * step / 6 for step in range(7)]
    return [[(0.5 - half, 0.5), (0.5 + half, 0.5)] for half in steps]


@pytest.mark.parametrize("width", [420, 1440])
def test_fingers_zoom_and_move_the_photograph_and_a_tap_leaves_it(open_page, width):
    page = open_lesion(open_page(width=width, has_touch=True))
    find_image(page).scroll_into_view_if_needed()
    fitted = read_zoom(page)
    touch(page, *pinch(0.1, 0.3))
    zoomed = read_zoom(page)
    assert zoomed > 1.5 * fitted
    before, scrolled = take(page), page.get_by_test_id("stMain").evaluate("main => main.scrollTop")
    touch(page, *([(0.5, 0.7 - 0.07 * step)] for step in range(6)))
    assert differ(take(page), before) > 1
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollTop") == scrolled
    assert read_zoom(page) == zoomed
    before = take(page)
    touch(page, [(0.5, 0.5)])
    page.wait_for_timeout(500)  # until a second tap would make it two
    assert differ(take(page), before) < SAME
    touch(page, *pinch(0.3, 0.1))
    assert read_zoom(page) < 0.7 * zoomed


def test_a_finger_presses_the_controls_and_moves_the_wipe(open_page):
    page = open_lesion(open_page(width=420, has_touch=True))
    overlay = page.get_by_role("button", name="Overlay", exact=True)
    overlay.tap()
    expect(overlay).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Wipe", exact=True).tap()
    handle = page.get_by_role("slider", name="Position of the wipe")
    expect(handle).to_have_attribute("aria-valuenow", "50")
    find_image(page).scroll_into_view_if_needed()
    touch(page, *([(0.5 + 0.05 * step, 0.5)] for step in range(6)))
    expect(handle).to_have_attribute("aria-valuenow", "75")
