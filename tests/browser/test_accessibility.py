"""Every page in its important states by WCAG 2.2 AA: axe-core in light and dark, wide and narrow.

Each state leaves four screenshots in the folder that SCREENSHOTS names, or with the other temporary
files of the tests.
"""

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from melanoma_core.data.drawn.non_lesions import NonLesionKind, draw_non_lesion
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.deployment.promotion import promote, propose
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from melanoma_core.runs.run import RunState
from melanoma_core.settings import load_settings
from tests.browser.conftest import run_server
from tests.core.records.made_cases import INVASIVE, NEVUS
from tests.core.records.made_entries import add_seen, fill, read_drawn
from tests.core.records.made_loops import add_loop
from tests.drawn_models import write_model
from tests.written_runs import RunWriter

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS, SCHEMES = (1440, 420), ("light", "dark")
PATIENCE_MS = 180_000  # the first page that opens the drawn lesions measures them
# Violations inside widgets of Streamlit that neither style sheet nor labels reach: a rule, a part
# of the element, and why.
ALLOWED = (
    (
        "presentation-role-conflict",
        "stFileUploaderDropzone",
        "Streamlit labels the area around its upload button, which has the role presentation; the "
        "button inside has name, role and focus.",
    ),
)

# The page is given the state that Streamlit gives it at a click.
READ_SPINNER = """() => {
  const app = document.querySelector(".stApp");
  const before = app.dataset.testScriptState;
  app.dataset.testScriptState = "rerunRequested";
  const { content, animationDelay } = getComputedStyle(app, "::after");
  app.dataset.testScriptState = before;
  return { content, delay: animationDelay };
}"""


@dataclass(frozen=True)
class State:
    """A page in a state: its address, and what a person does there.

    Attributes:
        name: Of the screenshots.
        address: Path and query; `{finished}`, `{other}`, `{running}`, `{stopped}` are ids of runs,
            `{bundled}` of the bundled model, `{patient}` and `{lesion}` of the record.
        prepare: What is done after the page is open.
    """

    name: str
    address: str
    prepare: Callable[[Page], None] = lambda _: None


def wait_until_still(page: Page) -> None:
    still = page.locator('[data-test-script-state="notRunning"]')
    expect(still).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_function("[...document.images].every(image => image.complete)")


def read_lesion(page: Page) -> None:
    page.get_by_role("button", name="Many colours, streaks", exact=True).click()
    expect(page.locator(".glance")).to_have_count(1, timeout=PATIENCE_MS)


def open_report(page: Page) -> None:
    read_lesion(page)
    page.get_by_role("button", name="Report", exact=True).click()
    expect(page.locator(".st-key-report img")).to_have_count(2)


def open_keeping(page: Page) -> None:
    read_lesion(page)
    page.get_by_role("button", name="Keep in the record").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Patient (pseudonym)").fill("drawn-1")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("drawn-1 is in the record")).to_be_visible()


def upload_noise(page: Page) -> None:
    content = io.BytesIO()
    Image.fromarray(draw_non_lesion(NonLesionKind.NOISE, 0)).save(content, "PNG")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        [{"name": "noise.png", "mimeType": "image/png", "buffer": content.getvalue()}]
    )
    expect(page.get_by_role("alert").filter(has_text="noise.png was not read")).to_be_visible()


def open_crop(page: Page) -> None:
    upload_noise(page)
    page.get_by_role("button", name="Crop", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def combine_lesion(page: Page) -> None:
    paths = [lesion.path for lesion in DEMONSTRATION_LESIONS[:3]]
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(paths)
    boxes = page.locator('[class*="st-key-lesion-row-"]').get_by_role("checkbox")
    expect(boxes).to_have_count(3)
    wait_until_still(page)
    for place in (0, 2):
        boxes.nth(place).focus()
        page.keyboard.press("Space")
        expect(boxes.nth(place)).to_be_checked()
    name = page.get_by_role("textbox", name="Name of the lesion")
    name.fill("left arm")
    name.press("Enter")
    expect(page.locator(".own")).to_have_count(2)


def expect_text(text: str) -> Callable[[Page], None]:
    def wait(page: Page) -> None:
        shown = page.get_by_test_id("stMain").get_by_text(text).first
        expect(shown).to_be_visible(timeout=PATIENCE_MS)

    return wait


def open_another(page: Page) -> None:
    expect_text("Timeline")(page)
    wait_until_still(page)
    another = page.get_by_role("button", name="Add another")
    if another.count():
        another.click()
        wait_until_still(page)


def open_first_read(page: Page) -> None:
    open_another(page)
    page.get_by_text("Checklists of dermoscopy").click()
    page.get_by_test_id("stExpanderDetails").get_by_text("Seven-point checklist").click()
    expect(page.get_by_text("0 of 10 points")).to_be_visible()


def open_image(page: Page) -> None:
    expect_text("64 images")(page)
    page.locator(".st-key-gallery").get_by_role("button", name="Open", exact=True).first.click()
    expect(page.get_by_text("Image 1 of 64")).to_be_visible()


def choose_augmentation(page: Page) -> None:
    page.get_by_text("Augmentor oversampling").click()
    expect(page.locator(".st-key-previews").get_by_role("img")).to_have_count(16)


def evaluate(page: Page) -> None:
    page.get_by_role("button", name="Evaluate", exact=True).click()
    expect(page.get_by_text("(subset").first).to_be_visible(timeout=PATIENCE_MS)


def evaluate_part(part: str) -> Callable[[Page], None]:
    def open_part(page: Page) -> None:
        evaluate(page)
        page.get_by_role("radio", name=part, exact=True).click()

    return open_part


def verify_record(page: Page) -> None:
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text("Nothing was altered, removed or moved.")).to_be_visible()


def start_quiz(page: Page) -> None:
    # The answers of a browser session are kept: another test may have started the quiz.
    start, ask = (page.get_by_role("button", name=name) for name in ("Start", "Answer"))
    expect(start.or_(ask).first).to_be_visible()
    if start.is_visible():
        start.click()
    expect(ask).to_be_visible()


def answer_case(page: Page) -> None:
    start_quiz(page)
    page.get_by_role("button", name="70%").click()
    page.get_by_role("button", name="Melanoma", exact=False).first.click()
    expect(page.get_by_role("button", name="✓ Melanoma")).to_be_visible()
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("Network:")).to_be_visible()


def finish_quiz(page: Page) -> None:
    answer_case(page)
    page.get_by_role("button", name=re.compile("Next case|See the result")).click()
    page.get_by_role("button", name="Finish now").click()
    expect(
        page.get_by_text("Your curve is that of your probabilities.")
        .or_(page.get_by_text("The cases were: "))
        .first
    ).to_be_visible()


STATES = (
    State("reading-empty", "/", expect_text("Many colours, streaks")),
    State("reading-open", "/", read_lesion),
    State("reading-report", "/", open_report),
    State("reading-refused", "/", upload_noise),
    State("reading-crop", "/", open_crop),
    State("reading-lesion", "/", combine_lesion),
    State("reading-keep", "/", open_keeping),
    State("today", "/today", expect_text("The most severe is first.")),
    State("today-nothing", "/today?search=nowhere", expect_text("Nothing waits that fits")),
    State("patients", "/patients", expect_text("by pseudonym")),
    State("patients-new", "/patients?new=patient", expect_text("Year of birth")),
    State("patients-map", "/patients?patient={patient}", expect_text("Front")),
    State(
        "patients-mosaic",
        "/patients?patient={patient}&view=mosaic&order=unlike",
        expect_text("At least 3 lesions"),
    ),
    State("patients-visits", "/patients?patient={patient}&view=visits", expect_text("New visit")),
    State("patients-record", "/patients?patient={patient}&view=record", expect_text("Versions")),
    State("patients-lesion", "/patients?patient={patient}&new=lesion", expect_text("not placed")),
    State("lesion-visit", "/lesion?lesion={lesion}", expect_text("Next:")),
    State("lesion-first-read", "/lesion?lesion={lesion}&step=first+read", open_first_read),
    State("lesion-photographs", "/lesion?lesion={lesion}&step=photographs", open_another),
    State("lesion-reading", "/lesion?lesion={lesion}&step=AI+reading", expect_text("Timeline")),
    State("lesion-histology", "/lesion?lesion={lesion}&step=histology", expect_text("Timeline")),
    State("lesion-lookalikes", "/lesion?lesion={lesion}&view=lookalikes", expect_text("In this")),
    State("lesion-report", "/lesion?lesion={lesion}&view=report", expect_text("Download PDF")),
    State(
        "lesion-letter",
        "/lesion?lesion={lesion}&view=report&write=patient",
        expect_text("Write the letter"),
    ),
    State("audit-figures", "/audit", expect_text("Lesions excised per melanoma found")),
    State("audit-groups", "/audit?view=Groups", expect_text("Of 20 comparisons")),
    State("audit-curves", "/audit?view=Curves", expect_text("Predicted, on average")),
    State("audit-missed", "/audit?view=Missed+melanomas", expect_text("Missed by")),
    State("audit-drift", "/audit?view=Drift", expect_text("Unusual photographs")),
    State("audit-flow", "/audit?view=Flow+and+bias", expect_text("What these figures hide")),
    State("audit-log", "/audit?view=Audit+log", verify_record),
    State("quiz-start", "/quiz", expect_text("A program has drawn these lesions")),
    State("quiz-case", "/quiz?seed=1", start_quiz),
    State("quiz-truth", "/quiz?seed=2", answer_case),
    State("quiz-result", "/quiz?seed=3", finish_quiz),
    State("dataset-overview", "/dataset", expect_text("Files: 64")),
    State("dataset-gallery", "/dataset?tab=Gallery", expect_text("64 images")),
    State("dataset-image", "/dataset?tab=Gallery", open_image),
    State("dataset-audit", "/dataset?tab=Audit", expect_text("Cleaned table")),
    State("dataset-split", "/dataset?tab=Split", expect_text("in more than one subset")),
    State("dataset-balancing", "/dataset?tab=Balancing", choose_augmentation),
    State("dataset-get-data", "/dataset?tab=Get+data", expect_text("Search the archive")),
    State("training-running", "/training?run={running}", expect_text("Time left")),
    State("training-finished", "/training?run={finished}", expect_text("held-out test images")),
    State("training-stopped", "/training?run={stopped}", expect_text("The disk is full.")),
    State("training-recipe", "/training?tab=Recipe", expect_text("Images per epoch")),
    State(
        "training-compare",
        "/training?tab=Compare&compared={finished:.8},{other:.8}",
        expect_text("Recipe differences"),
    ),
    State("training-sources", "/training?tab=Sources"),
    State("training-study", "/training?tab=Study", expect_text("Start a study")),
    State("models-card", "/models", expect_text("Intended use")),
    State(
        "models-performance",
        "/models?model={bundled}&part=Performance",
        expect_text("One diagnosis against"),
    ),
    State("models-charts", "/models?model={bundled}", expect_text("Limitations")),
    State("models-subgroups", "/models?model={bundled}&part=Subgroups", expect_text("by subgroup")),
    State("models-reliability", "/models?part=Reliability"),
    State("models-data", "/models?part=Data+and+training"),
    State("models-checklists", "/models?part=Reporting+checklists"),
    State(
        "models-promotion",
        "/models?tab=Compare+and+promote&candidate=worse",
        expect_text("The gate refuses the candidate"),
    ),
    State("models-history", "/models?tab=History", expect_text("Roll back to")),
    State("evaluation-start", "/evaluation", expect_text("Held-out test set")),
    State("evaluation-alerts", "/evaluation", evaluate),
    State("evaluation-curves", "/evaluation", evaluate_part("Curves")),
    State("evaluation-diagnoses", "/evaluation", evaluate_part("Diagnoses")),
    State("evaluation-subgroups", "/evaluation", evaluate_part("Subgroups")),
)


@pytest.fixture(scope="module")
def runs() -> dict[str, str]:
    """Return the ids of the written runs and of the bundled model, once the server runs."""
    return {}


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path, runs: dict[str, str]
) -> Iterator[str]:
    """Return the address of a dashboard with models, a promotion, and runs, one of them running."""
    folder = tmp_path_factory.mktemp("server")
    models_dir = folder / "MELANOMA_MODELS_DIR"
    write_model(models_dir, "steady", missed=10, false_alerts=120)
    write_model(models_dir, "worse", missed=40, false_alerts=60)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name in ("MELANOMA_MODEL", "MELANOMA_DATA_DIR", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        for name in ("MELANOMA_RUNS_DIR", "MELANOMA_MODELS_DIR"):
            patch.setenv(name, str(folder / name))
        settings = load_settings()
        write_run = RunWriter(settings, empty_store)
        runs["finished"] = write_run(name="first", model_id="steady")
        runs["other"] = write_run(name="second", preset="transfer")
        runs["stopped"] = write_run(RunState.FAILED, name="third", message="The disk is full.")
        for preset in ("baseline", "leaky"):
            write_run(preset=preset, study="s-1")
        runs["bundled"] = load_card(BUNDLED).model_id
        runs["running"] = stack.enter_context(write_run.keep_running("fourth"))
        promote(settings, propose(settings, "steady", runs["bundled"]), "Ada", "First")
        runs |= write_record(folder / "record")
        place = stack.enter_context(run_server(folder, MELANOMA_RECORD=str(folder / "record")))
        yield place


def write_record(folder: Path) -> dict[str, str]:
    """Write a demonstration record of two patients; return the ids of one and of her lesion."""
    record = Record.create(folder, by="dr.a")
    filled = fill(record, "drawn-1")
    image = record.images.put(read_drawn())
    with record.write(by="dr.a") as change:
        add_seen(change, "drawn-2", image)
    add_loop(record, "drawn-3", INVASIVE, Management.REASSURE)
    add_loop(record, "drawn-4", NEVUS, Management.EXCISION, "drawn-nevus.jpg")
    record.close()
    return {"patient": filled.patient.id, "lesion": filled.lesion.id}


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the screenshots, outside the checkout."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.getbasetemp() / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def list_violations(page: Page) -> list[str]:
    """Return what axe-core finds and is not allowed: rule, selector, and how to mend it."""
    options = {
        "runOnly": TAGS,
        "resultTypes": ["violations"],
        "rules": {"target-size": {"enabled": True}},  # WCAG 2.2; off unless asked for
    }
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']} at {node['target']}: {node['failureSummary']} {node['html'][:200]}"
        for rule in found
        for node in rule["nodes"]
        if not any(rule["id"] == name and part in node["html"] for name, part, _ in ALLOWED)
    ]


def list_overflow(page: Page) -> list[str]:
    """Return that the page scrolls sideways, if it still does after tables have taken its width."""
    main = '[data-testid="stMain"]'
    fits = f"(main => main.scrollWidth <= main.clientWidth)(document.querySelector('{main}'))"
    try:
        page.wait_for_function(fits, timeout=10_000)
    except NotInTime:
        return ["The page scrolls sideways."]
    return []


def open_state(page: Page, address: str, state: State) -> None:
    page.goto(address)
    wait_until_still(page)
    state.prepare(page)
    page.mouse.move(0, 0)  # no tooltip
    wait_until_still(page)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_axe_finds_no_violation_in_any_form(open_page, server, runs, screenshots, state):
    page = open_page()
    open_state(page, server + state.address.format(**runs), state)
    problems = []
    for width, scheme in product(WIDTHS, SCHEMES):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(600)  # charts and the viewer follow width and theme
        wait_until_still(page)
        save_screenshot(page, screenshots / f"{state.name}-{width}-{scheme}.png")
        found = [*list_violations(page), *list_overflow(page)]
        problems += [f"{width} {scheme}: {each}" for each in found]
    assert not problems, "\n".join(problems)


def save_screenshot(page: Page, path: Path) -> None:
    """Keep a screenshot of the whole page, not only of what is in view."""
    size = page.viewport_size
    assert size is not None
    height = page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
    page.wait_for_timeout(300)
    page.screenshot(path=path)
    page.set_viewport_size(size)


@pytest.mark.parametrize(
    "page_title",
    [
        "Reading",
        "Today",
        "Patients",
        "Audit",
        "Quiz",
        "Dataset",
        "Training",
        "Models",
        "Evaluation",
    ],
)
def test_every_page_has_its_title_one_main_heading_and_a_spinner_soon_after_a_click(
    open_page, server, page_title
):
    page = open_page()
    page.goto(server if page_title == "Reading" else f"{server}/{page_title.lower()}")
    wait_until_still(page)
    expect(page).to_have_title(f"{page_title} · Melanoma dashboard")
    expect(page.get_by_role("heading", level=1)).to_have_text(page_title)
    sidebar = page.get_by_test_id("stSidebar")
    if sidebar.count() and sidebar.is_visible():
        assert sidebar.inner_text().strip()  # an empty one is closed
    delays = page.evaluate(READ_SPINNER)
    assert delays.pop("content") == '""'
    assert max(float(each.removesuffix("s")) for each in delays["delay"].split(", ")) <= 0.1


@pytest.mark.parametrize(
    ("address", "role", "name", "key"),
    [
        ("/dataset?tab=Gallery", "button", "Next page", "Enter"),
        ("/models", "radio", "Subgroups", "Space"),
        ("/evaluation", "switch", "Include images seen in training", "Space"),
        ("/training", "button", "Change the recipe", "Enter"),
    ],
)
def test_the_control_that_was_used_keeps_the_focus(open_page, server, address, role, name, key):
    page = open_page()
    page.goto(server + address)
    wait_until_still(page)
    control = page.get_by_role(role, name=name, exact=True)
    control.focus()
    page.keyboard.press(key)
    wait_until_still(page)
    page.wait_for_timeout(500)
    expect(control).to_be_focused()


def test_a_thumbnail_of_the_gallery_has_one_tab_stop(open_page, server):
    page = open_page()
    page.goto(f"{server}/dataset?tab=Gallery")
    expect_text("64 images")(page)
    wait_until_still(page)
    first, second = page.locator(".st-key-gallery").get_by_role("button", name="Open").all()[:2]
    first.focus()
    page.keyboard.press("Tab")
    expect(second).to_be_focused()
