"""A download from the ISIC Archive, against a real server on loopback that misbehaves."""

import base64
import gzip
import json
import shutil
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.data.archive import http
from melanoma_core.data.archive.download import (
    ARCHIVE_TABLE,
    ATTRIBUTIONS,
    TABLE_COLUMNS,
    plan_download,
)
from melanoma_core.data.archive.download import download as run_download
from melanoma_core.data.archive.search import ArchiveImage, ArchiveSearch, _may_fetch
from melanoma_core.data.images import MAX_BYTES
from melanoma_core.errors import DatasetError, FolderError

try:
    import resource
except ImportError:  # Windows
    resource = None

SEARCH = "/api/v2/images/search/"


class StandIn(ThreadingHTTPServer):
    """A server that answers each path with the next of its answers, the last for ever."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = {}
        self.asked = []  # (path, query, headers)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def count(self, path):
        return sum(asked == path for asked, _, _ in self.asked)

    def add(self, number, *answers, **changes):
        """List a photograph, and answer its address with itself unless told otherwise."""
        body = photograph(number)
        path = f"/files/{number}.jpg"
        self.answers[path] = list(answers) or [give(body)]
        entry = describe(number, self.url + path, len(body)) | changes
        self.list([*getattr(self, "entries", []), entry])
        return path

    def list(self, entries, page_size=100):
        self.entries = entries
        self.answers[SEARCH] = [give_pages(entries, page_size)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = urlsplit(self.path)
        self.server.asked.append((parts.path, parse_qs(parts.query), dict(self.headers)))
        answers = self.server.answers.get(parts.path, [give(b"", 404)])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        with suppress(ConnectionError):  # who asked may have heard enough
            answer(self)

    def log_message(self, *_):
        pass


def give(body, status=200, **headers):
    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def give_json(content):
    return give(json.dumps(content).encode())


def give_pages(entries, page_size):
    """Answer page by page like the Archive: `count` on the first alone, `next` in full."""

    def answer(handler):
        start = int(parse_qs(urlsplit(handler.path).query).get("cursor", ["0"])[0])
        end = start + page_size
        more = f"{handler.server.url}{SEARCH}?limit=100&cursor={end}"
        give_json(
            {
                "count": len(entries) if start == 0 else None,
                "next": more if end < len(entries) else None,
                "previous": None,
                "results": entries[start:end],
            }
        )(handler)

    return answer


def break_off(body, num_bytes, length=True):
    """Send the first bytes and hang up; without `length`, nothing had said how many come."""

    def answer(handler):
        handler.send_response(200)
        if length:
            handler.send_header("Content-Length", str(len(body)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body[:num_bytes])
        handler.close_connection = True

    return answer


def throttle(seconds):
    return give(b"slow down", 429, Retry_After=str(seconds))


def photograph(number):
    noise = np.random.default_rng(number).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def describe(number, url, size):
    return {
        "isic_id": f"ISIC_{number:07d}",
        "copyright_license": "CC-BY" if number % 2 else "CC-0",
        "attribution": "Hospital Clínic, Barcelona",
        "public": True,
        "files": {
            "full": {"url": url, "size": size},
            "thumbnail_256": {"url": url, "size": 100},
        },
        "metadata": {
            "acquisition": {"image_type": "dermoscopic", "pixels_x": 128, "pixels_y": 96},
            "clinical": {
                "sex": "female",
                "age_approx": 45,
                "diagnosis_1": "Benign",
                "diagnosis_3": "Nevus",
                "lesion_id": f"IL_{number // 2:07d}",
                "family_hx_mm": True,
            },
        },
    }


def read_table(folder):
    return pd.read_csv(folder / ARCHIVE_TABLE, dtype=str, keep_default_na=False).set_index(
        "isic_id"
    )


def list_names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "nevi"


@pytest.fixture
def archive(monkeypatch):
    with StandIn() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("MELANOMA_ARCHIVE_URL", f"{server.url}/api/v2/")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(http, "PAUSES_SECONDS", (0.0,) * 5)
        yield server
        server.shutdown()
        thread.join()


def plan_and_download(folder, search=None, progress=None):
    return run_download(plan_download(search or ArchiveSearch(), folder), progress)


# --- the search and the plan


def test_a_search_that_finds_nothing_is_one_sentence(archive, folder):
    archive.list([])
    with pytest.raises(DatasetError, match="no public photograph for this search"):
        plan_download(ArchiveSearch(query="age_approx:400"), folder)


def test_a_limit_of_0_is_refused():
    with pytest.raises(DatasetError, match="limit of 0 photographs"):
        ArchiveSearch(limit=0)


def test_a_collection_without_a_number_is_refused():
    with pytest.raises(DatasetError, match="Found the collections 66, 0"):
        ArchiveSearch(collections=(66, 0))


def test_pages_are_followed_though_only_the_first_says_the_count(archive, folder):
    archive.list([describe(n, f"{archive.url}/{n}", 1000) for n in range(250)])
    calls = []
    plan = plan_download(ArchiveSearch(), folder, lambda *numbers: calls.append(numbers))
    assert [image.isic_id for image in plan.images] == [f"ISIC_{n:07d}" for n in range(250)]
    assert calls == [(100, 250), (200, 250), (250, 250)]
    assert archive.count(SEARCH) == 3


def test_a_limit_ends_the_search(archive, folder):
    archive.list([describe(n, f"{archive.url}/{n}", 1000) for n in range(250)])
    calls = []
    plan = plan_download(ArchiveSearch(limit=120), folder, lambda *numbers: calls.append(numbers))
    assert len(plan.images) == 120
    assert calls == [(100, 120), (120, 120)]
    assert archive.count(SEARCH) == 2


def test_the_query_and_the_collections_are_asked_for_as_the_archive_reads_them(archive, folder):
    archive.add(1)
    query = 'diagnosis_3:"Nevus" AND sex:female'
    plan_download(ArchiveSearch(query=query, collections=(66, 212), limit=5), folder)
    assert archive.asked[0][1] == {"query": [query], "collections": ["66,212"], "limit": ["5"]}


def test_a_plan_shows_sizes_and_licences_and_writes_nothing(archive, folder):
    for number in (1, 2, 3):
        archive.add(number)
    plan = plan_download(ArchiveSearch(), folder)
    assert plan.num_bytes == sum(len(photograph(n)) for n in (1, 2, 3))
    assert plan.num_bytes_present == 0
    assert plan.licences == {"CC-BY": 2, "CC-0": 1}
    assert plan.free_bytes > 0
    assert not folder.exists()


def test_a_next_page_on_another_host_is_not_followed(archive, folder):
    with StandIn() as other:
        page = {"count": 1, "next": f"{other.url}{SEARCH}?cursor=1", "results": []}
        archive.answers[SEARCH] = [give_json(page)]
        with pytest.raises(DatasetError, match=r"sends on to http://127\.0\.0\.1"):
            plan_download(ArchiveSearch(), folder)
        other.socket.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has called
            other.socket.accept()


@pytest.mark.parametrize("next_page", ["http://[", 7, {"url": 1}, "file:///etc/passwd"])
def test_a_next_page_that_is_no_address_is_one_sentence(archive, folder, next_page):
    page = {"count": 2, "next": next_page, "results": [describe(1, f"{archive.url}/1", 10)]}
    archive.answers[SEARCH] = [give_json(page)]
    with pytest.raises(DatasetError, match=r"ISIC Archive at http://127\.0\.0\.1"):
        plan_download(ArchiveSearch(), folder)


def test_pages_that_go_round_in_circles_are_seen(archive, folder):
    entry = describe(1, f"{archive.url}/1", 1000)
    page = {"count": 9, "next": f"{archive.url}{SEARCH}?cursor=1", "results": [entry]}
    archive.answers[SEARCH] = [give_json(page)]
    with pytest.raises(DatasetError, match="the same photographs page after page"):
        plan_download(ArchiveSearch(), folder)
    assert archive.count(SEARCH) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Please log in</html>",
        b'{"results": [',
        b"[]",
        b'{"count": 3}',
        b'{"results": {"isic_id": "ISIC_0000001"}}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_an_answer_that_is_no_page_is_one_sentence(archive, folder, body):
    archive.answers[SEARCH] = [give(body)]
    with pytest.raises(DatasetError, match="is not the ISIC Archive"):
        plan_download(ArchiveSearch(), folder)


def test_a_page_that_unpacks_to_gigabytes_is_not_unpacked(archive, folder):
    small = gzip.compress(bytes(64 * 2**20))
    archive.answers[SEARCH] = [give(small, Content_Encoding="gzip")]
    with pytest.raises(DatasetError, match="sends more than the 8,388,608 bytes expected"):
        plan_download(ArchiveSearch(), folder)


def test_a_query_that_the_archive_does_not_understand_is_told(archive, folder):
    archive.answers[SEARCH] = [give(b'{"message": "cannot parse"}', 400)]
    with pytest.raises(DatasetError, match=r"400 \(Bad Request\). Check the query"):
        plan_download(ArchiveSearch(query="diagnosis:"), folder)
    assert archive.count(SEARCH) == 1


def test_a_search_is_tried_again_when_it_is_throttled_or_breaks_off(archive, folder):
    archive.add(1)
    answer = archive.answers[SEARCH][0]
    archive.answers[SEARCH] = [throttle(0), break_off(b"x" * 99, 9), give(b"", 502), answer]
    assert len(plan_download(ArchiveSearch(), folder).images) == 1
    assert archive.count(SEARCH) == 4


def test_a_server_that_is_not_there_is_one_sentence(folder, monkeypatch):
    monkeypatch.setattr(http, "PAUSES_SECONDS", (0.0,))
    with socket.socket() as closed:  # bound, but nobody listens
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/api/v2/"
        monkeypatch.setenv("MELANOMA_ARCHIVE_URL", url)
        with pytest.raises(DatasetError, match="cannot be reached"):
            plan_download(ArchiveSearch(), folder)


def test_a_server_that_says_nothing_is_one_sentence(archive, folder, monkeypatch):
    monkeypatch.setattr(http, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(http, "PAUSES_SECONDS", ())
    archive.answers[SEARCH] = [lambda _: time.sleep(0.5)]
    with pytest.raises(DatasetError, match="does not answer"):
        plan_download(ArchiveSearch(), folder)


@pytest.mark.parametrize("url", ["", "isic", "http://[", "ftp://127.0.0.1/", "http://"])
def test_an_address_of_the_archive_that_is_none_is_one_sentence(folder, monkeypatch, url):
    monkeypatch.setenv("MELANOMA_ARCHIVE_URL", url or "/")
    with pytest.raises(DatasetError, match="Cannot search the ISIC Archive"):
        plan_download(ArchiveSearch(), folder)


@pytest.mark.parametrize(
    "isic_id",
    ["../../x", "ISIC_0000001/../../x", "ISIC_123", "ISIC_٠٠٠٠٠٠١", "", None, 7, ["ISIC_0000001"]],
)
def test_an_id_that_is_none_is_rejected_and_the_rest_goes_on(archive, folder, isic_id):
    archive.add(1, isic_id=isic_id)
    archive.add(2)
    result = plan_and_download(folder)
    assert [failure.reason for failure in result.failures] == [
        'Its id is not "ISIC_" with seven digits.'
    ]
    assert list_names(folder.parent) == ["nevi"]
    assert list_names(folder) == [ATTRIBUTIONS, "ISIC_0000002.jpg", ARCHIVE_TABLE]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"copyright_license": None}, "under which licence"),
        ({"files": None}, "no address"),
        ({"files": {"full": {"size": 9}}}, "no address"),
        ({"files": {"full": {"url": "file:///etc/passwd", "size": 9}}}, "no address"),
        ({"files": {"full": {"url": "http://[", "size": 9}}}, "no address"),
        ({"files": {"full": {"url": "http://a/b"}}}, "how large"),
        ({"files": {"full": {"url": "http://a/b", "size": "9"}}}, "how large"),
        ({"files": {"full": {"url": "http://a/b", "size": 0}}}, "how large"),
        ({"files": {"full": {"url": "http://a/b", "size": MAX_BYTES + 1}}}, "at most 33,554,432"),
    ],
)
def test_an_entry_without_what_is_needed_is_rejected(archive, folder, changes, reason):
    archive.add(1, **changes)
    archive.add(2)
    plan = plan_download(ArchiveSearch(), folder)
    assert [image.isic_id for image in plan.images] == ["ISIC_0000002"]
    assert [failure.isic_id for failure in plan.rejected] == ["ISIC_0000001"]
    assert reason in plan.rejected[0].reason


@pytest.mark.parametrize("entry", [None, 3, "ISIC_0000001", []])
def test_an_entry_that_is_no_object_is_rejected(archive, folder, entry):
    archive.list([entry])
    plan = plan_download(ArchiveSearch(), folder)
    assert plan.images == ()
    assert len(plan.rejected) == 1


def test_a_file_is_not_fetched_in_the_clear_where_the_api_is_not():
    assert _may_fetch("https://bucket.example/x.jpg", "https")
    assert not _may_fetch("http://bucket.example/x.jpg", "https")


# --- the download


def test_photographs_arrive_with_their_table_and_attributions(archive, folder):
    for number in (3, 1, 2):
        archive.add(number)
    calls = []
    result = plan_and_download(folder, progress=lambda *numbers: calls.append(numbers))
    assert (result.num_downloaded, result.num_present, result.failures) == (3, 0, ())
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert list_names(folder) == [
        ATTRIBUTIONS,
        "ISIC_0000001.jpg",
        "ISIC_0000002.jpg",
        "ISIC_0000003.jpg",
        ARCHIVE_TABLE,
    ]
    assert (folder / "ISIC_0000002.jpg").read_bytes() == photograph(2)
    table = read_table(folder)
    assert list(table.columns) == [*TABLE_COLUMNS[1:], "family_hx_mm", "pixels_x", "pixels_y"]
    assert table.loc["ISIC_0000003"].to_dict() == {
        "attribution": "Hospital Clínic, Barcelona",
        "copyright_license": "CC-BY",
        "image_type": "dermoscopic",
        "diagnosis_1": "Benign",
        "diagnosis_2": "",
        "diagnosis_3": "Nevus",
        "diagnosis_4": "",
        "diagnosis_5": "",
        "age_approx": "45",
        "sex": "female",
        "anatom_site_general": "",
        "lesion_id": "IL_0000001",
        "patient_id": "",
        "family_hx_mm": "True",
        "pixels_x": "128",
        "pixels_y": "96",
    }
    assert (folder / ATTRIBUTIONS).read_text(encoding="utf-8").splitlines() == [
        "From the ISIC Archive, https://www.isic-archive.com:",
        "Hospital Clínic, Barcelona; CC-BY; photographs: 2",
        "Hospital Clínic, Barcelona; CC-0; photographs: 1",
    ]


def test_a_second_download_brings_only_what_is_not_there(archive, folder):
    paths = [archive.add(number) for number in (1, 2)]
    plan_and_download(folder)
    paths.append(archive.add(3))
    plan = plan_download(ArchiveSearch(), folder)
    assert plan.num_bytes_present == len(photograph(1)) + len(photograph(2))
    result = run_download(plan)
    assert (result.num_downloaded, result.num_present) == (1, 2)
    assert [archive.count(path) for path in paths] == [1, 1, 1]


def test_a_second_search_adds_to_the_table_and_deleted_photographs_leave_it(archive, folder):
    archive.add(1)
    archive.add(2)
    plan_and_download(folder)
    (folder / "ISIC_0000001.jpg").unlink()
    archive.list([])
    archive.add(3, metadata={"clinical": {"nevus_type": "blue"}})
    plan_and_download(folder)
    table = read_table(folder)
    assert list(table.index) == ["ISIC_0000002", "ISIC_0000003"]
    assert list(table["diagnosis_3"]) == ["Nevus", ""]
    assert list(table["nevus_type"]) == ["", "blue"]


def test_what_the_archive_corrects_is_corrected_in_the_table(archive, folder):
    archive.add(1)
    plan_and_download(folder)
    archive.list([])
    archive.add(1, metadata={"clinical": {"diagnosis_3": "Melanoma in situ"}})
    assert plan_and_download(folder).num_present == 1
    assert list(read_table(folder)["diagnosis_3"]) == ["Melanoma in situ"]


@pytest.mark.parametrize("length", [True, False])
def test_a_file_that_breaks_off_is_fetched_again(archive, folder, length):
    body = photograph(1)
    path = archive.add(1, break_off(body, 1000, length), break_off(body, 0, length), give(body))
    assert plan_and_download(folder).failures == ()
    assert (folder / "ISIC_0000001.jpg").read_bytes() == body
    assert archive.count(path) == 3


def test_a_file_that_always_breaks_off_is_told_and_the_rest_comes(archive, folder):
    path = archive.add(1, break_off(photograph(1), 1000))
    archive.add(2)
    result = plan_and_download(folder)
    assert [(f.isic_id, f.reason) for f in result.failures] == [
        ("ISIC_0000001", "The server broke off in the middle of its answer.")
    ]
    assert archive.count(path) == 6
    assert list_names(folder) == [ATTRIBUTIONS, "ISIC_0000002.jpg", ARCHIVE_TABLE]
    assert list(read_table(folder).index) == ["ISIC_0000002"]


def test_a_throttling_server_is_waited_for_as_long_as_it_asks(archive, folder):
    body = photograph(1)
    first = []

    def answer(handler):
        first[:] = first or [time.monotonic()]
        early = time.monotonic() - first[0] < 0.9
        (throttle(1) if early else give(body))(handler)

    path = archive.add(1, answer)
    assert plan_and_download(folder).num_downloaded == 1
    assert archive.count(path) == 2  # sooner, there would have been more


@pytest.mark.parametrize(
    "wait", ["86400", "9" * 5000, "soon", "-3", "Fri, 31 Dec 9999 23:59:59 GMT", ""]
)
def test_no_server_can_ask_for_a_day_of_patience(archive, folder, monkeypatch, wait):
    monkeypatch.setattr(http, "MAX_PAUSE_SECONDS", 0.01)
    archive.add(1, throttle(wait), give(photograph(1)))
    assert plan_and_download(folder).num_downloaded == 1


def test_a_server_in_trouble_is_asked_again_and_given_up_at_last(archive, folder):
    recovering = archive.add(1, give(b"", 500), give(b"", 503), give(photograph(1)))
    broken = archive.add(2, give(b"", 503))
    result = plan_and_download(folder)
    assert result.num_downloaded == 1
    assert result.failures[0].reason == "The server answered 503 (Service Unavailable)."
    assert (archive.count(recovering), archive.count(broken)) == (3, 6)


def test_a_file_that_is_gone_is_asked_for_once(archive, folder):
    path = archive.add(1, give(b"", 404))
    result = plan_and_download(folder)
    assert result.failures[0].reason == "The server answered 404 (Not Found)."
    assert archive.count(path) == 1
    assert list_names(folder) == []


def test_rubbish_of_the_right_size_does_not_become_a_photograph(archive, folder):
    size = len(photograph(1))
    archive.add(1, give(b"<html>".ljust(size)))
    half = {"full": {"url": f"{archive.url}/files/2.jpg", "size": 1000}}
    archive.add(2, give(photograph(2)[:1000]), files=half)
    archive.add(3)
    result = plan_and_download(folder)
    reasons = {failure.isic_id: failure.reason for failure in result.failures}
    assert "is a text file" in reasons["ISIC_0000001"]
    assert "is damaged, incomplete" in reasons["ISIC_0000002"]
    assert list_names(folder) == [ATTRIBUTIONS, "ISIC_0000003.jpg", ARCHIVE_TABLE]


def test_a_file_larger_than_the_archive_said_is_refused(archive, folder):
    archive.add(1, give(photograph(1) + b"more"))
    assert "sends more than the" in plan_and_download(folder).failures[0].reason
    assert list_names(folder) == []


def test_a_file_that_comes_drop_by_drop_is_given_up(archive, folder, monkeypatch):
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.1)

    def drip(handler):
        body = photograph(1)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for number in range(50):
            handler.wfile.write(body[number : number + 1])
            handler.wfile.flush()
            time.sleep(0.02)

    archive.add(1, drip)
    assert "takes too long" in plan_and_download(folder).failures[0].reason


def test_a_file_is_named_by_its_id_and_not_by_its_address(archive, folder):
    body = photograph(1)
    for number, path in enumerate(["/a/../../x.php", "/x.JPG", "/..%2F..%2Fx"], 1):
        archive.answers[path] = [give(body)]
        full = {"url": archive.url + path, "size": len(body)}
        archive.add(number, files={"full": full})
    archive.answers["/x.php"] = [give(body)]  # requests tidies the dots away
    plan_and_download(folder)
    assert list_names(folder) == [
        ATTRIBUTIONS,
        "ISIC_0000001.jpg",
        "ISIC_0000002.jpg",
        "ISIC_0000003.jpg",
        ARCHIVE_TABLE,
    ]


def test_no_credentials_and_no_cookies_are_sent(archive, folder, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login doctor password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    search = archive.add(1) and archive.answers[SEARCH][0]
    archive.answers[SEARCH] = [give(b"", 503, Set_Cookie="session=1; Path=/"), search]
    plan_and_download(folder)
    sent = {name.lower() for _, _, headers in archive.asked for name in headers}
    assert len(archive.asked) == 3
    assert not sent & {"authorization", "cookie", "proxy-authorization"}
    assert base64.b64encode(b"doctor:secret").decode() not in str(archive.asked)


def test_a_redirection_is_not_followed(archive, folder):
    archive.answers["/elsewhere"] = [give(photograph(1))]
    archive.add(1, give(b"", 302, Location=f"{archive.url}/elsewhere"))
    assert plan_and_download(folder).failures[0].reason == "The server answered 302 (Found)."
    assert archive.count("/elsewhere") == 0


def test_a_file_that_was_there_before_is_never_replaced(archive, folder):
    folder.mkdir()
    (folder / "ISIC_0000001.jpg").write_bytes(b"mine")
    archive.add(1)
    result = plan_and_download(folder)
    assert "never replaced" in result.failures[0].reason
    assert (folder / "ISIC_0000001.jpg").read_bytes() == b"mine"


def test_a_cancelled_download_goes_on_from_where_it_was(archive, folder):
    paths = [archive.add(number) for number in range(40)]

    class CancelledError(Exception):
        pass

    def cancel(num_done, _):
        if num_done == 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        plan_and_download(folder, progress=cancel)
    names = [path.stem for path in sorted(folder.glob("*.jpg"))]
    assert 3 <= len(names) < 40
    assert list(read_table(folder).index) == names
    assert not list(folder.glob(".*"))

    result = plan_and_download(folder)
    assert result.num_present == len(names)
    assert len(read_table(folder)) == 40
    # What was on its way at the moment of cancelling may have been asked for twice.
    assert sum(archive.count(path) > 1 for path in paths) <= 4


def test_cancelling_does_not_wait_for_a_server_that_throttles(archive, folder):
    throttled = archive.add(1, throttle(60))  # the test would take minutes
    archive.add(2)

    def cancel(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan_and_download(folder, progress=cancel)
    assert archive.count(throttled) <= 1
    assert list(read_table(folder).index) == ["ISIC_0000002"]


def test_what_the_archive_writes_cannot_break_the_table(archive, folder):
    clinical = {
        "diagnosis_3": 'Nevus, "blue"\r\nISIC_0000009,x',
        "sex": "\ud800female\0",
        "age_approx": None,
        "anatom_site_general": ["back"],
        "isic_id": "ISIC_0000009",
        "../../x": "y",
        "n" * 65: "z",
        "mel_thick_mm": 0.8,
    }
    archive.add(1, attribution=" Ω\nHospital ", metadata={"clinical": clinical, "acquisition": 3})
    plan_and_download(folder)
    row = read_table(folder).loc["ISIC_0000001"]
    assert row["diagnosis_3"] == 'Nevus, "blue" ISIC_0000009,x'
    assert row["sex"] == "female"
    assert row["age_approx"] == row["anatom_site_general"] == ""
    assert row["attribution"] == "Ω Hospital"
    assert row["mel_thick_mm"] == "0.8"
    assert set(row.index) == {*TABLE_COLUMNS[1:], "mel_thick_mm"}


# --- the folder


@pytest.mark.parametrize("name", ["Train", "HAM10000_metadata.csv"])
def test_a_folder_with_something_else_in_it_is_refused(archive, folder, name):
    archive.add(1)
    folder.mkdir()
    if name.endswith(".csv"):
        (folder / name).write_text("lesion_id,image_id,dx\n")
    else:
        (folder / name).mkdir()
    with pytest.raises(DatasetError, match=f'Found "{name}" in .* a folder of its own'):
        plan_download(ArchiveSearch(), folder)
    assert archive.asked == []


@pytest.mark.parametrize("text", ["image,target\nx,1\n", "", 'a,"b\n', "a,b\n1,2\n3,4,5\n"])
def test_a_table_from_elsewhere_is_refused_and_left_alone(archive, folder, text):
    archive.add(1)
    folder.mkdir()
    (folder / ARCHIVE_TABLE).write_text(text)
    with pytest.raises(DatasetError, match=f"table .*{ARCHIVE_TABLE}"):
        plan_download(ArchiveSearch(), folder)
    assert (folder / ARCHIVE_TABLE).read_text() == text


def test_a_folder_that_is_a_file_is_one_sentence(folder):
    folder.write_text("notes")
    with pytest.raises(DatasetError, match=r"Cannot use the folder .* Name one"):
        plan_download(ArchiveSearch(), folder)


def test_a_folder_below_a_file_is_one_sentence(archive, folder):
    archive.add(1)
    folder.write_text("notes")
    with pytest.raises(DatasetError, match="Cannot use the folder"):
        plan_and_download(folder / "below")


def test_a_folder_that_vanishes_is_one_sentence(archive, folder):
    for number in range(20):
        archive.add(number)
    with pytest.raises(DatasetError, match="Cannot"):
        plan_and_download(folder, progress=lambda *_: shutil.rmtree(folder, ignore_errors=True))


def test_photographs_that_do_not_fit_on_the_disk_are_not_begun(archive, folder):
    archive.add(1)
    plan = plan_download(ArchiveSearch(), folder)
    num_too_many = plan.free_bytes // MAX_BYTES + 100
    image = ArchiveImage("ISIC_0000001", f"{archive.url}/x", MAX_BYTES, "CC-0", "", {})
    too_large = type(plan)(folder, (image,) * num_too_many, frozenset(), (), 0)
    with pytest.raises(DatasetError, match=r"Make room, set a limit"):
        run_download(too_large)
    assert archive.count("/x") == 0


@pytest.mark.skipif(resource is None, reason="this system cannot limit the size of a file")
def test_a_disk_that_fills_up_is_one_sentence_and_leaves_no_half_file(archive, folder):
    archive.add(1)
    archive.add(2)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))  # as a full disk: writing fails
    try:
        with pytest.raises(FolderError, match=r"Cannot write .* Free some space on its disk"):
            plan_and_download(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list_names(folder) == []
    assert plan_and_download(folder).num_downloaded == 2
