"""`POST /v1/readings` of a real server: what it answers, and what it refuses."""

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image
from pydantic import TypeAdapter

from melanoma_core import __version__
from melanoma_core.access.rights import Role
from melanoma_core.cli.main import main
from melanoma_core.data.images import decode_image
from melanoma_core.models.card import load_card
from melanoma_core.service.documents import ReadingDocument
from melanoma_core.service.examples import EXAMPLE
from tests.core.service.conftest import DRAWN, Server

pytestmark = pytest.mark.slow
KEYS_BESIDE_THE_ROW = {"refusal", "heatmap", "request_id"}


def encode(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def noise() -> bytes:
    return encode(np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8))


def test_the_answer_is_the_row_of_predict_with_its_origin(api: Server, drawn: bytes, capfd):
    main(["predict", str(DRAWN), "--json"])
    (row,) = json.loads(capfd.readouterr().out)

    answer = api.read(drawn, str(DRAWN))

    assert answer.status_code == 200
    document = answer.json()
    assert document.keys() - row.keys() == KEYS_BESIDE_THE_ROW
    for name in row.keys() - {"probabilities", "novelty", "operating_points"}:
        assert document[name] == pytest.approx(row[name], abs=1e-6), name
    assert document["probabilities"] == pytest.approx(row["probabilities"], abs=1e-6)
    assert document["app_version"] == __version__
    assert document["disclaimer"] == "For research and education. Not a medical device."
    assert document["confirmed_by_person"] is False
    assert document["request_id"] == answer.headers["X-Request-ID"]
    assert document.keys() == EXAMPLE.keys()
    TypeAdapter(ReadingDocument).validate_python(document)


def test_both_operating_points_say_where_they_come_from(api: Server, drawn: bytes, bundled: Path):
    points = api.read(drawn).json()["operating_points"]
    card = load_card(bundled)
    assert points["melanoma"] == {
        "threshold": card.operating_point.threshold,
        "target_sensitivity": 0.95,
        "chosen_on": "validation",
        "images": 1752,
        "lesions": 1393,
        "sources": ["ham10000", "isic2017", "isic9"],
    }
    assert points["skin_cancer"]["target_sensitivity"] == 0.95


def test_a_prevalence_adapts_the_probabilities(api: Server, drawn: bytes):
    document = api.read(drawn, prevalence="0.02,0.08").json()
    assert document["prevalence"] == {"melanoma": 0.02, "skin_cancer": 0.08}
    assert document["adapted_melanoma_probability"] < document["melanoma_probability"]
    TypeAdapter(ReadingDocument).validate_python(document)


def test_another_model_reads_where_it_is_named(api: Server, drawn: bytes):
    document = api.read(drawn, model="unguarded").json()
    assert (document["status"], document["model_id"]) == ("read", "unguarded")


@pytest.mark.parametrize(("asked", "diagnosis"), [("explained", "MEL"), ("NV", "NV")])
def test_a_heatmap_has_the_size_of_the_photograph_and_shows_nothing_of_it(
    api: Server, drawn: bytes, asked: str, diagnosis: str
):
    heatmap = api.read(drawn, heatmap=asked).json()["heatmap"]
    assert (heatmap["diagnosis"], heatmap["media_type"]) == (diagnosis, "image/png")
    image = Image.open(io.BytesIO(base64.b64decode(heatmap["base64"])))
    height, width = decode_image(drawn).pixels.shape[:2]
    assert (image.format, image.size) == ("PNG", (width, height))
    assert image.info.keys() == {"transparency"}


@pytest.mark.parametrize("content", [b"", b"no photograph", b"\xff\xd8\xff\xe0 broken"])
def test_what_is_no_photograph_is_refused_with_its_reason(api: Server, content: bytes):
    answer = api.read(content, "holiday.jpg")
    document = answer.json()
    assert answer.status_code == 422
    assert (document["status"], document["refusal"]) == ("refused", "unreadable")
    assert document["reason"].startswith("The file ")
    assert document["melanoma_probability"] is document["alert"] is None
    TypeAdapter(ReadingDocument).validate_python(document)


def test_a_photograph_without_a_lesion_is_refused(api: Server):
    answer = api.read(encode(np.zeros((200, 300, 3), np.uint8)))
    document = answer.json()
    assert (answer.status_code, document["status"]) == (200, "refused")
    assert (document["refusal"], document["quality"][0]["refused"]) == ("quality", True)
    TypeAdapter(ReadingDocument).validate_python(document)


def test_what_is_out_of_distribution_is_refused_and_can_be_read_anyway(api: Server, noise: bytes):
    refused = api.read(noise, read_anyway="false").json()
    assert (refused["status"], refused["refusal"]) == ("refused", "unfamiliar")
    assert refused["novelty"] > refused["novelty_limit"]

    document = api.read(noise, read_anyway="true").json()
    assert (document["status"], document["read_anyway"]) == ("read", True)
    TypeAdapter(ReadingDocument).validate_python(document)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"prevalence": ""}, None),  # as if there were none
        ({"prevalence": "2"}, "It must be the share of melanomas"),
        ({"prevalence": "0.5,0.1"}, "at least as large"),
        ({"prevalence": "nan"}, "It must be the share of melanomas"),
        ({"heatmap": "XYZ"}, "heatmap must be one of: MEL, NV"),
        ({"read_anyway": "yes"}, "read_anyway must be true or false"),
        ({"threshold": "0.5"}, "Found a field that is unknown"),
    ],
)
def test_a_wrong_field_is_refused(
    api: Server, drawn: bytes, fields: dict[str, str], part: str | None
):
    answer = api.read(drawn, **fields)
    if part is None:
        assert answer.status_code == 200
        return
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["title"] == "Unprocessable Entity"
    assert part in answer.json()["detail"]


@pytest.mark.parametrize("name", ["", "../bundled", "nothing", "\0"])
def test_a_model_that_is_unknown_is_not_found(api: Server, drawn: bytes, name: str):
    answer = api.read(drawn, model=name)
    assert answer.status_code == 404
    assert "Found no model of this id" in answer.json()["detail"]


def send(api: Server, **request: object) -> requests.Response:
    headers = api.authorise() | dict(request.pop("headers", {}))  # type: ignore[call-overload]
    return requests.post(f"{api.url}/v1/readings", headers=headers, timeout=60, **request)  # type: ignore[arg-type]


def test_a_form_of_another_shape_is_refused(api: Server, drawn: bytes):
    photograph = ("photograph", ("a.jpg", drawn))
    statuses = {
        "no form": send(api, data=drawn, headers={"Content-Type": "image/jpeg"}),
        "no type": send(api, data=drawn),
        "no file": send(api, files={"other": ("a.jpg", drawn)}),
        "text instead of a file": send(api, files={"photograph": (None, "text")}),
        "two files": send(api, files=[photograph, photograph]),
        "a field twice": send(
            api, files=[photograph], data=[("heatmap", "MEL"), ("heatmap", "MEL")]
        ),
        "no boundary": send(api, data=drawn, headers={"Content-Type": "multipart/form-data"}),
        "a form that ends early": send(
            api,
            data=b'--a\r\nContent-Disposition: form-data; name="photograph"; filename="a"\r\n\r\n',
            headers={"Content-Type": "multipart/form-data; boundary=a"},
        ),
        "a field of many bytes": send(api, files=[photograph], data={"model": "a" * 2000}),
    }
    assert {name: answer.status_code for name, answer in statuses.items()} == {
        "no form": 415,
        "no type": 415,
        "no file": 422,
        "text instead of a file": 422,
        "two files": 400,
        "a field twice": 422,
        "no boundary": 400,
        "a form that ends early": 400,
        "a field of many bytes": 400,
    }
    for answer in statuses.values():
        assert answer.json().keys() == {"title", "status", "detail", "request_id"}


@pytest.mark.parametrize("charset", ["hex", "idna", "utf-7", "punycode", "unknown", "utf-16"])
def test_a_strange_charset_of_a_form_is_no_bug(api: Server, charset: str):
    body = (
        b'--a\r\nContent-Disposition: form-data; name="photograph"; filename="\xff\x80+"\r\n\r\n'
        b"x\r\n--a--\r\n"
    )
    answer = send(
        api,
        data=body,
        headers={"Content-Type": f"multipart/form-data; boundary=a; charset={charset}"},
    )
    assert answer.status_code in {400, 422}


def test_a_request_above_the_limit_is_refused_as_it_arrives(api: Server):
    answer = api.read(bytes(34 * 2**20))
    assert answer.status_code == 413
    assert "33,554,432 (32 MiB)" in answer.json()["detail"]


def test_a_file_above_the_limit_of_photographs_is_refused_like_any_other(api: Server):
    answer = api.read(bytes(32 * 2**20 + 1))
    assert answer.status_code == 422
    assert answer.json()["reason"].startswith("The file has 33,554,433 bytes.")


def test_without_a_valid_token_nothing_is_read(api: Server, drawn: bytes):
    url, files = f"{api.url}/v1/readings", {"photograph": ("a.jpg", drawn)}
    token = api.tokens[Role.READER]
    for value in (None, "", "Bearer", "Bearer ", f"Basic {token}", token, f"Bearer {token}x"):
        headers = {} if value is None else {"Authorization": value}
        answer = requests.post(url, files=files, headers=headers, timeout=60)
        assert answer.status_code == 401, value
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="melanoma"')


@pytest.mark.parametrize("role", Role)
def test_every_role_reads(api: Server, drawn: bytes, role: Role):
    assert api.read(drawn, role=role).status_code == 200


def test_a_page_of_another_site_is_refused(api: Server, drawn: bytes):
    headers = api.authorise() | {"Origin": "https://elsewhere.example"}
    files = {"photograph": ("a.jpg", drawn)}
    answer = requests.post(f"{api.url}/v1/readings", files=files, headers=headers, timeout=60)
    assert answer.status_code == 403


def test_another_host_name_is_refused(api: Server):
    answer = requests.get(f"{api.url}/healthz", headers={"Host": "rebound.example"}, timeout=60)
    assert answer.status_code == 403
