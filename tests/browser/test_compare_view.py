"""The compare view in a real browser: two viewers that move together, and outlines that are drawn.

Screenshots are left in the folder that SCREENSHOTS names, or with the other temporary files.
"""

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from melanoma_core.records.entities import Outline
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import OutlineSource
from tests.browser.conftest import PATIENCE_MS, run_server
from tests.browser.test_viewer import SAME, differ
from tests.compared_lesion import ComparedLesion, add_compared_lesion


@dataclass(frozen=True)
class Clinic:
    """A record with a dashboard that serves it, and a lesion in it."""

    url: str
    record: Record
    lesion: ComparedLesion

    def name(self, lesion: ComparedLesion) -> str:
        return f"{self.url}/lesion?lesion={lesion.lesion_id}&view=compare"

    def find_outline(self, lesion: ComparedLesion, number: int):
        (entry,) = self.record.find(Outline, photograph_id=lesion.photograph_ids[number])
        return entry


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    record = Record.create(folder / "record", by="dr.a")
    lesion = add_compared_lesion(record)
    with run_server(folder, MELANOMA_RECORD=str(folder / "record")) as url:
        yield Clinic(url, record, lesion)
    record.close()


@pytest.fixture
def page(chromium: Browser, clinic: Clinic) -> Iterator[Page]:
    page = open_view(chromium, clinic.name(clinic.lesion))
    yield page
    page.close()


def open_view(chromium: Browser, address: str, **options) -> Page:
    page = chromium.new_page(**({"viewport": {"width": 1440, "height": 900}} | options))
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(address)
    # The first view of a server imports what registers, and starts what decodes.
    expect(page.locator("[data-viewer-stands]")).to_have_count(1, timeout=4 * PATIENCE_MS)
    expect(page.locator(".stage[data-viewport]")).to_have_count(2)
    page.wait_for_timeout(1000)
    return page


def find_stage(page: Page, name: str) -> Locator:
    return page.locator(f".stage.{name}")


def read_viewports(page: Page) -> tuple[str, str]:
    """Return what both show, once the movement has ended."""
    before: tuple[str | None, ...] = ()
    for _ in range(50):
        now = tuple(
            find_stage(page, name).get_attribute("data-viewport") for name in ("earlier", "later")
        )
        if now == before:
            break
        before = now
        page.wait_for_timeout(300)
    return str(before[0]), str(before[1])


def press(page: Page, name: str, *keys: str) -> None:
    find_stage(page, name).get_by_role("application").focus()
    for key in keys:
        page.keyboard.press(key)


def take(page: Page) -> Image.Image:
    read_viewports(page)
    box = find_stage(page, "earlier").bounding_box()
    assert box is not None
    shot = page.screenshot(clip=box)
    return Image.open(io.BytesIO(shot)).convert("RGB")


def crop(image: Image.Image, left: float, right: float) -> Image.Image:
    return image.crop((int(left * image.width), 40, int(right * image.width), image.height - 40))


def test_zoom_and_movement_of_one_photograph_are_those_of_the_other(page: Page):
    fitted = read_viewports(page)
    assert fitted[0] == fitted[1]
    press(page, "earlier", "+", "+", "ArrowRight")
    moved = read_viewports(page)
    assert moved[0] == moved[1]
    assert moved != fitted
    find_stage(page, "later").hover()
    page.mouse.wheel(0, -400)
    zoomed = read_viewports(page)
    assert zoomed[0] == zoomed[1]
    assert zoomed != moved
    box = find_stage(page, "later").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 260, steps=5)
    page.mouse.up()
    dragged = read_viewports(page)
    assert dragged[0] == dragged[1]
    assert dragged != zoomed
    page.get_by_role("button", name="Fit").click()
    assert read_viewports(page) == fitted


def test_the_same_place_is_under_both_cursors_and_the_wipe_divides_them(page: Page):
    press(page, "earlier", "b")
    expect(page.get_by_role("button", name="Blink")).to_have_attribute("aria-pressed", "true")
    later = take(page)
    press(page, "earlier", "b")
    earlier = take(page)
    apart = differ(crop(earlier, 0.2, 0.8), crop(later, 0.2, 0.8))
    assert apart > 3  # light and hair differ
    press(page, "earlier", "w")
    handle = page.get_by_role("slider", name="Position of the wipe")
    expect(handle).to_have_attribute("aria-valuenow", "50")
    wiped = take(page)
    assert differ(crop(wiped, 0.05, 0.45), crop(earlier, 0.05, 0.45)) < SAME
    assert differ(crop(wiped, 0.55, 0.95), crop(later, 0.55, 0.95)) < SAME
    handle.focus()
    page.keyboard.press("Home")
    assert differ(crop(take(page), 0.05, 0.95), crop(later, 0.05, 0.95)) < SAME
    press(page, "earlier", "s")
    expect(handle).to_be_hidden()


def test_photographs_that_are_not_laid_on_each_other_move_by_relative_position(
    chromium: Browser, clinic: Clinic
):
    lesion = add_compared_lesion(clinic.record, pseudonym="drawn-2", seeds=(3, 11))
    page = open_view(chromium, clinic.name(lesion))
    expect(
        page.get_by_text("the two move together by their relative position only")
    ).to_be_visible()
    press(page, "later", "+", "ArrowDown")
    moved = read_viewports(page)
    assert moved[0] == moved[1]  # of two photographs of one size
    page.close()


def test_an_outline_drawn_by_keyboard_is_saved_and_read_back(chromium: Browser, clinic: Clinic):
    lesion = add_compared_lesion(clinic.record, pseudonym="drawn-3", with_outlines=False)
    page = open_view(chromium, clinic.name(lesion))
    page.evaluate("addEventListener('mousedown', () => { throw Error('a mouse') }, true)")
    expect(
        page.get_by_text("The earlier photograph has no outline. Draw one.").first
    ).to_be_visible()
    draw = page.get_by_role("button", name="Draw the outline of the earlier photograph")
    draw.focus()
    page.keyboard.press("Enter")
    save = page.get_by_role("button", name="Save outline")
    expect(save).to_be_disabled()
    for key in ("a", "a", "a", *["Shift+ArrowDown"] * 12, "a", "a", "Control+z", "Delete"):
        page.keyboard.press(key)
    expect(page.get_by_text(re.compile("Corner . of 3"))).to_be_visible()
    page.reload()  # what was drawn is still there
    expect(page.get_by_text(re.compile("Corner . of 3"))).to_be_visible()
    page.wait_for_timeout(1000)
    press(page, "earlier", "Shift+ArrowLeft", "Control+Enter")
    expect(page.get_by_text("Saved, version 1.")).to_be_visible()
    entry = clinic.find_outline(lesion, 0)
    assert entry.value.source is OutlineSource.PERSON
    assert len(entry.value.points) == 3
    expect(page.get_by_role("button", name="Save outline")).to_be_hidden()
    correct = page.get_by_role("button", name="Correct the outline of the earlier photograph")
    expect(correct).to_be_visible()
    drawn = find_stage(page, "earlier").locator("polygon.over").get_attribute("points")
    assert drawn is not None
    assert len(drawn.split()) == 3
    page.close()


def test_a_corner_dragged_by_mouse_and_one_tapped_are_the_next_versions(
    chromium: Browser, clinic: Clinic
):
    lesion = add_compared_lesion(clinic.record, pseudonym="drawn-4")
    page = open_view(chromium, clinic.name(lesion), has_touch=True)
    before = clinic.find_outline(lesion, 1)
    page.get_by_role("button", name="Correct the outline of the later photograph").click()
    corner = find_stage(page, "later").locator("circle.active").bounding_box()
    assert corner is not None
    x, y = corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y - 40, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Save outline").click()
    expect(page.get_by_text("Saved, version 2.")).to_be_visible()
    after = clinic.find_outline(lesion, 1)
    assert (after.id, after.version) == (before.id, 2)
    assert np.allclose(after.value.points[1:], before.value.points[1:], atol=1e-4)
    assert abs(after.value.points[0][1] - before.value.points[0][1]) > 0.02
    page.get_by_role("button", name="Correct the outline of the later photograph").click()
    box = find_stage(page, "later").bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + 0.15 * box["width"], box["y"] + 0.5 * box["height"])
    expect(page.get_by_text(f"of {len(after.value.points) + 1},")).to_be_visible()
    page.get_by_role("button", name="Save outline").tap()
    expect(page.get_by_text("Saved, version 3.")).to_be_visible()
    assert len(clinic.find_outline(lesion, 1).value.points) == len(after.value.points) + 1
    page.close()


def test_two_people_correct_one_outline_and_the_second_sees_both(chromium: Browser, clinic: Clinic):
    lesion = add_compared_lesion(clinic.record, pseudonym="drawn-5")
    page = open_view(chromium, clinic.name(lesion))
    page.get_by_role("button", name="Correct the outline of the earlier photograph").click()
    kept = clinic.find_outline(lesion, 0)
    other = Outline(
        photograph_id=lesion.photograph_ids[0],
        lesion_id=lesion.lesion_id,
        points=((0.1, 0.1), (0.9, 0.1), (0.5, 0.9)),
        source=OutlineSource.PERSON,
    )
    with clinic.record.write(by="dr.b") as change:
        change.correct(kept, other)
    press(page, "earlier", "Delete", "Control+Enter")
    expect(page.get_by_text(re.compile("dr.b changed this outline"))).to_be_visible()
    expect(page.get_by_role("button", name="Save outline")).to_be_visible()  # nothing is lost
    page.get_by_role("button", name="Load version 2").click()
    expect(page.get_by_role("button", name="Save outline")).to_be_hidden()
    assert clinic.find_outline(lesion, 0).by == "dr.b"
    page.close()


def test_where_the_viewer_cannot_run_two_plain_images_stand_side_by_side(
    chromium: Browser, clinic: Clinic
):
    page = chromium.new_page()
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(clinic.name(clinic.lesion))
    for name in ("Earlier", "Later"):
        expect(page.get_by_alt_text(re.compile(f"^{name}: "))).to_be_visible()
    expect(find_stage(page, "earlier")).to_be_hidden()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 420])
def test_the_view_has_no_barrier_while_an_outline_is_drawn(
    chromium: Browser, clinic: Clinic, tmp_path: Path, width: int, scheme: str
):
    page = open_view(
        chromium,
        clinic.name(clinic.lesion),
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
    )
    page.get_by_role("button", name="Correct the outline of the later photograph").click()
    expect(page.get_by_role("heading", name="Probabilities over time")).to_be_visible()
    page.wait_for_timeout(1000)
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    page.screenshot(path=folder / f"compare-{width}-{scheme}.png")
    wide = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth")
    assert wide <= 0
    results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    violations = [
        (each["id"], node["target"])
        for each in results.response["violations"]
        for node in each["nodes"]
    ]
    assert violations == []
    page.close()
