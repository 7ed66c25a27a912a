"""Downloads from a local HTTP server that imitates the ISIC Archive and misbehaves."""

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
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.data.archive import http
from melanoma_core.data.archive.download import download as run_download
from melanoma_core.data.archive.download import plan_download
from melanoma_core.data.archive.search import ArchiveImage, ArchiveSearch, _is_safe
from melanoma_core.data.images import MAX_BYTES
from melanoma_core.errors import DatasetError, FolderError

try:
    import resource
except ImportError:  # Windows
    resource = None

SEARCH = "/api/v2/images/search/"
TABLE, ATTRIBUTIONS = "metadata.csv", "ATTRIBUTION.txt"
COLUMNS = [
    "attribution",
    "copyright_license",
    "image_type",
    "diagnosis_1",
    "diagnosis_2",
    "diagnosis_3",
    "diagnosis_4",
    "diagnosis_5",
    "age_approx",
    "sex",
    "anatom_site_general",
    "lesion_id",
    "patient_id",
]  # after isic_id


class StandIn(ThreadingHTTPServer):
    """A server with a list of responses per path; the last one repeats."""

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
        """List an image, and serve its file unless other responses are given."""
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
        with suppress(ConnectionError):  # the client may have closed the connection
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
    """Respond page by page like the Archive: `count` on the first page only."""

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
    """Send the first bytes and close the connection, with or without a Content-Length."""

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
    return pd.read_csv(folder / TABLE, dtype=str, keep_default_na=False).set_index("isic_id")


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
        monkeypatch.setattr(http, "_PAUSES_SECONDS", (0.0,) * 5)
        yield server
        server.shutdown()
        thread.join()


def plan_and_download(folder, search=None, progress=None):
    return run_download(plan_download(search or ArchiveSearch(), folder), progress)


# --- the search and the plan


def test_a_search_without_results_raises_a_clear_error(archive, folder):
    archive.list([])
    with pytest.raises(DatasetError, match="no public image of the ISIC Archive"):
        plan_download(ArchiveSearch(query="age_approx:400"), folder)


def test_a_limit_of_0_is_refused():
    with pytest.raises(DatasetError, match="limit of 0 images"):
        ArchiveSearch(limit=0)


def test_a_collection_number_below_1_is_refused():
    with pytest.raises(DatasetError, match="Found the collections 66, 0"):
        ArchiveSearch(collections=(66, 0))


def test_pages_are_followed_although_only_the_first_has_the_count(archive, folder):
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


def test_the_request_has_the_parameters_of_the_api(archive, folder):
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
        with pytest.raises(DatasetError, match=r"refers to http://127\.0\.0\.1"):
            plan_download(ArchiveSearch(), folder)
        other.socket.setblocking(False)
        with pytest.raises(BlockingIOError):  # no connection
            other.socket.accept()


@pytest.mark.parametrize("next_page", ["http://[", 7, {"url": 1}, "file:///etc/passwd"])
def test_an_invalid_next_page_raises_a_clear_error(archive, folder, next_page):
    page = {"count": 2, "next": next_page, "results": [describe(1, f"{archive.url}/1", 10)]}
    archive.answers[SEARCH] = [give_json(page)]
    with pytest.raises(DatasetError, match=r"ISIC Archive at http://127\.0\.0\.1"):
        plan_download(ArchiveSearch(), folder)


def test_an_endless_loop_of_pages_is_detected(archive, folder):
    entry = describe(1, f"{archive.url}/1", 1000)
    page = {"count": 9, "next": f"{archive.url}{SEARCH}?cursor=1", "results": [entry]}
    archive.answers[SEARCH] = [give_json(page)]
    with pytest.raises(DatasetError, match="the same images on every page"):
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
def test_an_invalid_response_raises_a_clear_error(archive, folder, body):
    archive.answers[SEARCH] = [give(body)]
    with pytest.raises(DatasetError, match="is not the ISIC Archive"):
        plan_download(ArchiveSearch(), folder)


def test_a_compression_bomb_is_not_unpacked(archive, folder):
    small = gzip.compress(bytes(64 * 2**20))
    archive.answers[SEARCH] = [give(small, Content_Encoding="gzip")]
    with pytest.raises(DatasetError, match="sent more than the expected 8,388,608 bytes"):
        plan_download(ArchiveSearch(), folder)


def test_an_invalid_query_is_reported_without_retries(archive, folder):
    archive.answers[SEARCH] = [give(b'{"message": "cannot parse"}', 400)]
    with pytest.raises(DatasetError, match=r"400 \(Bad Request\). Check the query"):
        plan_download(ArchiveSearch(query="diagnosis:"), folder)
    assert archive.count(SEARCH) == 1


def test_a_throttled_or_truncated_search_is_retried(archive, folder):
    archive.add(1)
    answer = archive.answers[SEARCH][0]
    archive.answers[SEARCH] = [throttle(0), break_off(b"x" * 99, 9), give(b"", 502), answer]
    assert len(plan_download(ArchiveSearch(), folder).images) == 1
    assert archive.count(SEARCH) == 4


def test_an_unreachable_server_raises_a_clear_error(folder, monkeypatch):
    monkeypatch.setattr(http, "_PAUSES_SECONDS", (0.0,))
    with socket.socket() as closed:  # bound, but not listening
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/api/v2/"
        monkeypatch.setenv("MELANOMA_ARCHIVE_URL", url)
        with pytest.raises(DatasetError, match="cannot be reached"):
            plan_download(ArchiveSearch(), folder)


def test_a_silent_server_raises_a_clear_error(archive, folder, monkeypatch):
    monkeypatch.setattr(http, "_READ_SECONDS", 0.1)
    monkeypatch.setattr(http, "_PAUSES_SECONDS", ())
    archive.answers[SEARCH] = [lambda _: time.sleep(0.5)]
    with pytest.raises(DatasetError, match="does not respond"):
        plan_download(ArchiveSearch(), folder)


@pytest.mark.parametrize("url", ["", "isic", "http://[", "ftp://127.0.0.1/", "http://"])
def test_an_invalid_archive_url_raises_a_clear_error(folder, monkeypatch, url):
    monkeypatch.setenv("MELANOMA_ARCHIVE_URL", url or "/")
    with pytest.raises(DatasetError, match="Cannot search the ISIC Archive"):
        plan_download(ArchiveSearch(), folder)


@pytest.mark.parametrize(
    "isic_id",
    ["../../x", "ISIC_0000001/../../x", "ISIC_123", "ISIC_٠٠٠٠٠٠١", "", None, 7, ["ISIC_0000001"]],
)
def test_an_invalid_id_is_rejected_and_the_rest_is_downloaded(archive, folder, isic_id):
    archive.add(1, isic_id=isic_id)
    archive.add(2)
    result = plan_and_download(folder)
    assert [failure.reason for failure in result.failures] == [
        'Its id is not "ISIC_" and seven digits.'
    ]
    assert list_names(folder.parent) == ["nevi"]
    assert list_names(folder) == [ATTRIBUTIONS, "ISIC_0000002.jpg", TABLE]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"copyright_license": None}, "licence"),
        ({"files": None}, "no safe URL"),
        ({"files": {"full": {"size": 9}}}, "no safe URL"),
        ({"files": {"full": {"url": "file:///etc/passwd", "size": 9}}}, "no safe URL"),
        ({"files": {"full": {"url": "http://[", "size": 9}}}, "no safe URL"),
        ({"files": {"full": {"url": "http://a/b"}}}, "does not give the size"),
        ({"files": {"full": {"url": "http://a/b", "size": "9"}}}, "does not give the size"),
        ({"files": {"full": {"url": "http://a/b", "size": 0}}}, "does not give the size"),
        (
            {"files": {"full": {"url": "http://a/b", "size": MAX_BYTES + 1}}},
            "maximum is 33,554,432",
        ),
    ],
)
def test_an_incomplete_entry_is_rejected(archive, folder, changes, reason):
    archive.add(1, **changes)
    archive.add(2)
    plan = plan_download(ArchiveSearch(), folder)
    assert [image.isic_id for image in plan.images] == ["ISIC_0000002"]
    assert [failure.isic_id for failure in plan.rejected] == ["ISIC_0000001"]
    assert reason in plan.rejected[0].reason


@pytest.mark.parametrize("entry", [None, 3, "ISIC_0000001", []])
def test_an_entry_that_is_not_an_object_is_rejected(archive, folder, entry):
    archive.list([entry])
    plan = plan_download(ArchiveSearch(), folder)
    assert plan.images == ()
    assert len(plan.rejected) == 1


def test_a_file_is_not_fetched_over_http_if_the_api_uses_https():
    assert _is_safe("https://bucket.example/x.jpg", "https")
    assert not _is_safe("http://bucket.example/x.jpg", "https")


# --- the download


def test_images_are_downloaded_with_their_table_and_attributions(archive, folder):
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
        TABLE,
    ]
    assert (folder / "ISIC_0000002.jpg").read_bytes() == photograph(2)
    table = read_table(folder)
    assert list(table.columns) == [*COLUMNS, "family_hx_mm", "pixels_x", "pixels_y"]
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


def test_a_second_download_fetches_only_missing_images(archive, folder):
    paths = [archive.add(number) for number in (1, 2)]
    plan_and_download(folder)
    paths.append(archive.add(3))
    plan = plan_download(ArchiveSearch(), folder)
    assert plan.num_bytes_present == len(photograph(1)) + len(photograph(2))
    result = run_download(plan)
    assert (result.num_downloaded, result.num_present) == (1, 2)
    assert [archive.count(path) for path in paths] == [1, 1, 1]


def test_a_second_search_extends_the_table_and_deleted_images_leave_it(archive, folder):
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


def test_corrected_metadata_replace_the_earlier_row(archive, folder):
    archive.add(1)
    plan_and_download(folder)
    archive.list([])
    archive.add(1, metadata={"clinical": {"diagnosis_3": "Melanoma in situ"}})
    assert plan_and_download(folder).num_present == 1
    assert list(read_table(folder)["diagnosis_3"]) == ["Melanoma in situ"]


@pytest.mark.parametrize("length", [True, False])
def test_a_truncated_file_is_fetched_again(archive, folder, length):
    body = photograph(1)
    path = archive.add(1, break_off(body, 1000, length), break_off(body, 0, length), give(body))
    assert plan_and_download(folder).failures == ()
    assert (folder / "ISIC_0000001.jpg").read_bytes() == body
    assert archive.count(path) == 3


def test_a_file_that_stays_truncated_is_reported_and_the_rest_is_downloaded(archive, folder):
    path = archive.add(1, break_off(photograph(1), 1000))
    archive.add(2)
    result = plan_and_download(folder)
    assert [(f.isic_id, f.reason) for f in result.failures] == [
        ("ISIC_0000001", "The server closed the connection too early.")
    ]
    assert archive.count(path) == 6
    assert list_names(folder) == [ATTRIBUTIONS, "ISIC_0000002.jpg", TABLE]
    assert list(read_table(folder).index) == ["ISIC_0000002"]


@pytest.fixture
def pauses(monkeypatch):
    """Record the pauses between attempts in place of waiting."""
    recorded = []

    class Event(threading.Event):
        def wait(self, timeout=None):
            recorded.append(timeout)
            return self.is_set()

    monkeypatch.setattr(http, "threading", SimpleNamespace(Event=Event))
    monkeypatch.setattr(http, "_PAUSES_SECONDS", (1.0, 2.0, 4.0, 8.0, 16.0))
    return recorded


def test_a_throttling_server_is_given_the_time_it_asks_for(archive, folder, pauses):
    path = archive.add(1, throttle(7), throttle(0), give(photograph(1)))
    assert plan_and_download(folder).num_downloaded == 1
    assert archive.count(path) == 3
    assert pauses == [7, 0]


def test_pauses_grow_without_a_retry_after(archive, folder, pauses):
    archive.add(1, give(b"", 429))
    assert len(plan_and_download(folder).failures) == 1
    assert pauses == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(
    ("wait", "pause"),
    [
        ("86400", 60),
        ("9" * 5000, 1),
        ("soon", 1),
        ("-3", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("", 1),
    ],
)
def test_an_invalid_or_excessive_retry_after_is_limited(archive, folder, pauses, wait, pause):
    archive.add(1, throttle(wait), give(photograph(1)))
    assert plan_and_download(folder).num_downloaded == 1
    assert pauses == [pause]


def test_server_errors_are_retried_five_times(archive, folder):
    recovering = archive.add(1, give(b"", 500), give(b"", 503), give(photograph(1)))
    broken = archive.add(2, give(b"", 503))
    result = plan_and_download(folder)
    assert result.num_downloaded == 1
    assert (
        result.failures[0].reason == "The server responded with status 503 (Service Unavailable)."
    )
    assert (archive.count(recovering), archive.count(broken)) == (3, 6)


def test_a_missing_file_is_requested_once(archive, folder):
    path = archive.add(1, give(b"", 404))
    result = plan_and_download(folder)
    assert result.failures[0].reason == "The server responded with status 404 (Not Found)."
    assert archive.count(path) == 1
    assert list_names(folder) == []


def test_invalid_content_of_the_right_size_is_rejected(archive, folder):
    size = len(photograph(1))
    archive.add(1, give(b"<html>".ljust(size)))
    half = {"full": {"url": f"{archive.url}/files/2.jpg", "size": 1000}}
    archive.add(2, give(photograph(2)[:1000]), files=half)
    archive.add(3)
    result = plan_and_download(folder)
    reasons = {failure.isic_id: failure.reason for failure in result.failures}
    assert "is a text file" in reasons["ISIC_0000001"]
    assert "is damaged, incomplete" in reasons["ISIC_0000002"]
    assert list_names(folder) == [ATTRIBUTIONS, "ISIC_0000003.jpg", TABLE]


def test_a_file_larger_than_listed_is_refused(archive, folder):
    archive.add(1, give(photograph(1) + b"more"))
    assert "sent more than the" in plan_and_download(folder).failures[0].reason
    assert list_names(folder) == []


def test_a_file_that_arrives_byte_by_byte_times_out(archive, folder, monkeypatch):
    monkeypatch.setattr(http, "_RESPONSE_SECONDS", 0.1)

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
    assert "took too long" in plan_and_download(folder).failures[0].reason


def test_a_file_is_named_by_its_id_not_by_its_url(archive, folder):
    body = photograph(1)
    for number, path in enumerate(["/a/../../x.php", "/x.JPG", "/..%2F..%2Fx"], 1):
        archive.answers[path] = [give(body)]
        full = {"url": archive.url + path, "size": len(body)}
        archive.add(number, files={"full": full})
    archive.answers["/x.php"] = [give(body)]  # requests removes the dots
    plan_and_download(folder)
    assert list_names(folder) == [
        ATTRIBUTIONS,
        "ISIC_0000001.jpg",
        "ISIC_0000002.jpg",
        "ISIC_0000003.jpg",
        TABLE,
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


def test_a_redirect_is_not_followed(archive, folder):
    archive.answers["/elsewhere"] = [give(photograph(1))]
    archive.add(1, give(b"", 302, Location=f"{archive.url}/elsewhere"))
    assert (
        plan_and_download(folder).failures[0].reason
        == "The server responded with status 302 (Found)."
    )
    assert archive.count("/elsewhere") == 0


def test_an_existing_file_is_never_replaced(archive, folder):
    folder.mkdir()
    (folder / "ISIC_0000001.jpg").write_bytes(b"mine")
    archive.add(1)
    result = plan_and_download(folder)
    assert "never replaced" in result.failures[0].reason
    assert (folder / "ISIC_0000001.jpg").read_bytes() == b"mine"


def test_a_cancelled_download_can_be_continued(archive, folder):
    paths = [archive.add(number) for number in range(20)]

    class CancelledError(Exception):
        pass

    def cancel(num_done, _):
        if num_done == 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        plan_and_download(folder, progress=cancel)
    names = [path.stem for path in sorted(folder.glob("*.jpg"))]
    assert 3 <= len(names) < 20
    assert list(read_table(folder).index) == names
    assert not list(folder.glob(".*"))

    result = plan_and_download(folder)
    assert result.num_present == len(names)
    assert len(read_table(folder)) == 20
    # Files in transit when the download was cancelled may be requested twice.
    assert sum(archive.count(path) > 1 for path in paths) <= 4


def test_no_photograph_is_ever_without_its_licence(archive, folder):
    archive.add(0)
    plan_and_download(folder)
    for number in range(1, 9):
        archive.add(number)
    seen = []

    def look(*_):  # what a kill at this moment would leave
        names = {path.stem for path in folder.glob("*.jpg")}
        table = read_table(folder)
        assert names <= set(table.index)
        assert (table["copyright_license"] != "").all()
        seen.append((folder / ATTRIBUTIONS).read_text())

    plan_and_download(folder, progress=look)

    assert len(seen) >= 8
    assert all("The download is not finished" in text for text in seen)
    assert "not finished" not in (folder / ATTRIBUTIONS).read_text()
    assert len(read_table(folder)) == 9


def test_photographs_of_a_killed_download_without_table_get_their_licences(archive, folder):
    for number in range(3):
        archive.add(number)
    plan_and_download(folder)
    for name in (TABLE, ATTRIBUTIONS):  # as versions up to now left them
        (folder / name).unlink()
    for number in range(3, 6):
        archive.add(number)

    plan_and_download(folder)

    assert len(read_table(folder)) == len(list(folder.glob("*.jpg"))) == 6
    assert not list(folder.glob(".*"))


def test_cancelling_does_not_wait_for_a_server_that_throttles(archive, folder):
    throttled = archive.add(1, throttle(60))  # the test would take minutes
    archive.add(2)

    def cancel(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan_and_download(folder, progress=cancel)
    assert archive.count(throttled) <= 1
    assert list(read_table(folder).index) == ["ISIC_0000002"]


def test_hostile_metadata_cannot_break_the_table(archive, folder):
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
    assert set(row.index) == {*COLUMNS, "mel_thick_mm"}


# --- the folder


@pytest.mark.parametrize("name", ["Train", "HAM10000_metadata.csv"])
def test_a_folder_with_other_data_is_refused(archive, folder, name):
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
def test_a_foreign_table_is_refused_and_left_unchanged(archive, folder, text):
    archive.add(1)
    folder.mkdir()
    (folder / TABLE).write_text(text)
    with pytest.raises(DatasetError, match=f"table .*{TABLE}"):
        plan_download(ArchiveSearch(), folder)
    assert (folder / TABLE).read_text() == text


def test_a_folder_that_is_a_file_raises_a_clear_error(folder):
    folder.write_text("notes")
    with pytest.raises(DatasetError, match=r"Cannot use the folder .* Choose another"):
        plan_download(ArchiveSearch(), folder)


def test_a_folder_below_a_file_raises_a_clear_error(archive, folder):
    archive.add(1)
    folder.write_text("notes")
    with pytest.raises(DatasetError, match="Cannot use the folder"):
        plan_and_download(folder / "below")


def test_a_folder_that_disappears_raises_a_clear_error(archive, folder):
    for number in range(20):
        archive.add(number)
    with pytest.raises(DatasetError, match="Cannot"):
        plan_and_download(folder, progress=lambda *_: shutil.rmtree(folder, ignore_errors=True))


def test_a_download_that_exceeds_the_free_space_does_not_start(archive, folder):
    archive.add(1)
    plan = plan_download(ArchiveSearch(), folder)
    num_too_many = plan.free_bytes // MAX_BYTES + 100
    image = ArchiveImage("ISIC_0000001", f"{archive.url}/x", MAX_BYTES, "CC-0", "", {})
    too_large = type(plan)(folder, (image,) * num_too_many, frozenset(), (), 0)
    with pytest.raises(DatasetError, match="set a limit"):
        run_download(too_large)
    assert archive.count("/x") == 0


@pytest.mark.skipif(resource is None, reason="this system cannot limit the size of a file")
def test_a_full_disk_raises_a_clear_error_and_leaves_no_partial_file(archive, folder):
    archive.add(1)
    archive.add(2)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))  # writing fails as on a full disk
    try:
        with pytest.raises(FolderError, match=r"Cannot write .* Free some space on its disk"):
            plan_and_download(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list_names(folder) == []
    assert plan_and_download(folder).num_downloaded == 2
