"""A person logs in with a real provider, does what their roles allow, and is signed out."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from melanoma_core.records.place import Place
from melanoma_core.records.store import Record
from tests.browser.conftest import PATIENCE_MS
from tests.browser.logins import SHORT_SECONDS, run_login
from tests.browser.test_accessibility import list_overflow, list_violations, wait_until_still

pytestmark = pytest.mark.slow

COOKIE = "_streamlit_user"
SignIn = Callable[..., Page]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("login")
    Record.create(Place(folder / "clinic"), by="the installer").close()
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    data = folder / "data"
    data.mkdir()
    with run_login(
        folder,
        MELANOMA_RECORD=str(folder / "clinic"),
        MELANOMA_DATA_DIR=str(data),
        MELANOMA_ROLES_CONTACT="it@clinic.example",
    ) as url:
        yield url


@pytest.fixture
def sign_in(chromium: Browser, server: str) -> Iterator[SignIn]:
    contexts: list[BrowserContext] = []

    def sign_in(account: str, button: str = "Sign in", url: str = server) -> Page:
        context = chromium.new_context()
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        enter(page, account, button)
        return page

    expect.set_options(timeout=PATIENCE_MS)
    yield sign_in
    for context in contexts:
        context.close()


def enter(page: Page, account: str, button: str = "Sign in") -> None:
    page.get_by_role("button", name=button, exact=True).click()
    page.get_by_label("Account").fill(account)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Signed in as").or_(page.get_by_text("No role yet"))).not_to_have_count(
        0
    )


def list_pages(page: Page) -> list[str]:
    expect(page.get_by_role("heading", name="Reading", exact=True)).to_be_visible()
    return page.get_by_test_id("stTopNavLink").all_inner_texts()


def test_without_a_login_only_the_sign_in_page_is_shown(chromium: Browser, server: str):
    page = chromium.new_page()
    for address in ("", "/models", "/patients", "/dataset?path=/etc"):
        page.goto(f"{server}{address}")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)
    page.close()


@pytest.mark.parametrize(
    ("account", "name", "roles", "pages"),
    [
        ("ada", "Dr. Ada", "reader", ["Reading", "Today", "Patients", "Audit", "Quiz", "Models"]),
        ("tom", "Tom", "trainer", ["Reading", "Dataset", "Training", "Models", "Evaluation"]),
        ("al", "Al", "auditor", ["Reading", "Today", "Patients", "Audit", "Quiz", "Models"]),
    ],
)
def test_a_person_is_offered_what_their_role_allows(
    sign_in: SignIn, account: str, name: str, roles: str, pages: list[str]
):
    page = sign_in(account)

    expect(page.get_by_text(f"Signed in as {name} ({roles})")).to_be_visible()
    assert list_pages(page) == pages


def test_a_page_that_needs_another_role_says_which(sign_in: SignIn, server: str):
    page = sign_in("tom", url=f"{server}/patients")

    expect(page.get_by_role("heading", name="Patients", exact=True)).to_be_visible()
    expect(page.get_by_text("needs the role auditor or reader or steward")).to_be_visible()
    assert "Patients" not in page.get_by_test_id("stTopNavLink").all_inner_texts()


def test_the_address_that_was_opened_is_there_after_the_login(sign_in: SignIn, server: str):
    page = sign_in("ada", url=f"{server}/models?tab=History")

    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    assert page.url == f"{server}/models?tab=History"


def test_an_address_of_a_photograph_opens_nothing_without_the_login(
    sign_in: SignIn, chromium: Browser, server: str
):
    page = sign_in("ada")
    with page.expect_response(lambda each: f"{server}/media/" in each.url) as waited:
        page.reload()
    assert waited.value.status == 200
    stranger = chromium.new_context()
    assert stranger.request.get(waited.value.url).status == 403
    assert page.request.get(waited.value.url).status == 200
    stranger.close()


@pytest.mark.parametrize("account", ["eve", "bob"])
def test_without_a_role_a_person_reads_why_and_whom_to_ask(sign_in: SignIn, account: str):
    page = sign_in(account)

    expect(page.get_by_role("heading", name="No role yet")).to_be_visible()
    expect(page.get_by_text('the claim "roles" of its token names none')).to_be_visible()
    expect(page.get_by_text("Ask it@clinic.example for one")).to_be_visible()
    expect(page.get_by_text("name your subject:")).to_contain_text(account)
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)


def test_the_record_names_the_subject_and_no_other_name_can_be_typed(
    sign_in: SignIn, server: str, folder: Path
):
    page = sign_in("ada")
    page.goto(f"{server}/patients")
    expect(page.get_by_text("You are Dr. Ada.")).to_be_visible()
    expect(page.get_by_role("button", name="Change", exact=True)).to_have_count(0)
    page.get_by_role("button", name="New patient").click()
    page.get_by_role("textbox", name="Pseudonym").fill("P-7")
    page.keyboard.press("Tab")
    wait_until_still(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Patient P-7")).to_be_visible()

    record = Record.open(folder / "clinic")
    assert record.find_patient("P-7").by == "Dr. Ada <ada>"  # type: ignore[union-attr]
    record.close()


def test_a_reader_who_may_not_erase_or_read_the_log_is_refused_by_the_core(
    sign_in: SignIn, server: str
):
    page = sign_in("ada")
    page.goto(f"{server}/audit?view=Audit+log")

    expect(page.get_by_text("To read the audit log needs the role auditor")).to_be_visible()


def test_a_trainer_sees_no_folder_outside_the_data_directory(
    sign_in: SignIn, server: str, folder: Path
):
    (folder / "data" / "outside").symlink_to("/etc")
    page = sign_in("tom")
    page.goto(f"{server}/dataset")
    for path in ("/etc", "../..", "~", "outside"):
        field = page.get_by_role("textbox", name="Or folder path")
        field.fill(path)
        field.press("Enter")
        expect(page.get_by_text(f"{path} is outside of the data directory")).to_be_visible()


def test_who_signs_out_is_out_in_every_tab_and_at_the_provider(sign_in: SignIn, server: str):
    page = sign_in("ada")
    other = page.context.new_page()
    other.goto(server)
    expect(other.get_by_text("Signed in as Dr. Ada")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(other.get_by_role("heading", name="Signed out")).to_be_visible()
    expect(other.get_by_text("You have signed out.")).to_be_visible()


def test_a_token_that_has_expired_ends_the_session(sign_in: SignIn):
    page = sign_in("ada", "Sign in with short")
    expect(page.get_by_text("Signed in as Dr. Ada")).to_be_visible()

    expired = page.get_by_text("The login has expired, as your provider set it.")
    expect(expired).to_be_visible(timeout=PATIENCE_MS + SHORT_SECONDS * 1000)
    expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)
    page.reload()  # the cookie lives on, the token does not
    expect(expired).to_be_visible()
    enter(page, "ada", "Sign in again")
    expect(page.get_by_text("Signed in as Dr. Ada")).to_be_visible()


def test_a_cookie_that_was_changed_is_no_login(sign_in: SignIn, server: str):
    page = sign_in("ada")
    cookies = page.context.cookies()
    (cookie,) = [each for each in cookies if each["name"] == COOKIE]
    value = cookie["value"]
    for changed in (value[:10] + ("A" if value[10] != "A" else "B") + value[11:], value[:-2], "1"):
        page.context.add_cookies([{**cookie, "value": changed}])
        page.goto(server)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.context.add_cookies([cookie])
    page.goto(server)
    expect(page.get_by_text("Signed in as Dr. Ada")).to_be_visible()


def test_who_does_nothing_is_signed_out_and_finds_what_they_typed_again(
    chromium: Browser, tmp_path: Path
):
    Record.create(Place(tmp_path / "clinic"), by="the installer").close()
    idle = {"MELANOMA_IDLE_MINUTES": "0.4", "MELANOMA_RECORD": str(tmp_path / "clinic")}
    expect.set_options(timeout=PATIENCE_MS)
    with run_login(tmp_path, **idle) as server:
        page = chromium.new_page()
        page.goto(f"{server}")
        enter(page, "ada")
        page.goto(f"{server}/patients")
        page.get_by_role("button", name="New patient").click()
        page.get_by_role("textbox", name="Pseudonym").fill("typed")
        page.keyboard.press("Tab")

        ended = page.get_by_text("Your session has ended: nothing was done for 0.4 minutes.")
        expect(ended).to_be_visible(timeout=2 * PATIENCE_MS)
        expect(ended).to_contain_text("1 form was not saved. What you typed is kept for you")
        expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)
        page.reload()
        expect(ended).to_be_visible()

        enter(page, "sue", "Sign in again")  # another person, in the same browser
        page.goto(f"{server}/patients")
        page.get_by_role("button", name="New patient").click()
        expect(page.get_by_role("textbox", name="Pseudonym")).to_have_value("")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Yes, sign me out").click()

        enter(page, "ada")
        page.goto(f"{server}/patients")
        page.get_by_role("button", name="New patient").click()
        expect(page.get_by_role("textbox", name="Pseudonym")).to_have_value("typed")
        page.close()


def test_a_steward_gives_a_role_that_counts_from_the_next_click(sign_in: SignIn, server: str):
    ned = sign_in("ned")
    expect(ned.get_by_role("heading", name="No role yet")).to_be_visible()

    sue = sign_in("sue", url=f"{server}/users?person=ned")
    expect(sue.get_by_role("heading", name="Users", exact=True)).to_be_visible()
    sue.get_by_text("Auditor: reads the audit log").click()
    sue.get_by_role("button", name="Set these roles").click()
    expect(sue.get_by_text("Roles set, and the change is logged.")).to_be_visible()
    expect(sue.get_by_role("cell", name="Sue <sue>")).to_be_visible()

    ned.reload()
    expect(ned.get_by_text("Signed in as Ned (auditor)")).to_be_visible()
    ned.goto(f"{server}/audit?view=Audit+log")
    expect(ned.get_by_role("heading", name="Who did what")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (420, "dark")])
def test_the_pages_of_the_login_are_accessible(
    chromium: Browser, server: str, width: int, scheme: str
):
    context = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{server}/users")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert list_violations(page) + list_overflow(page) == []
    enter(page, "sue")
    expect(page.get_by_role("heading", name="Users", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Changes of roles")).to_be_visible()
    assert list_violations(page) + list_overflow(page) == []
    context.close()
    page = chromium.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(server)
    enter(page, "bob")
    expect(page.get_by_role("heading", name="No role yet")).to_be_visible()
    assert list_violations(page) + list_overflow(page) == []
    page.close()
