"""What a real server says of its models, its health and itself."""

import re
import uuid
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from pydantic import TypeAdapter

from melanoma_core import __version__
from melanoma_core.access.rights import Role
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import load_card
from melanoma_core.service.documents import CardDocument, HealthDocument, ModelsDocument
from tests.core.service.conftest import Server

pytestmark = pytest.mark.slow


def test_the_models_are_listed_with_the_one_that_reads(api: Server, bundled: Path):
    document = api.ask("/v1/models").json()
    TypeAdapter(ModelsDocument).validate_python(document)
    reads = {model["model_id"]: model["reads"] for model in document["models"]}
    assert reads == {load_card(bundled).model_id: True, "unguarded": False}


def test_a_model_shows_its_card(api: Server, unguarded: Path):
    document = api.ask("/v1/models/unguarded").json()
    TypeAdapter(CardDocument).validate_python(document)
    assert document["card"] == to_jsonable(load_card(unguarded))
    assert document["reads"] is False


@pytest.mark.parametrize("path", ["nothing", "%2e%2e", "a%2Fb", "%00", "a b", "é"])
def test_a_model_that_is_unknown_is_not_found(api: Server, path: str):
    answer = api.ask(f"/v1/models/{path}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/unguarded", "/metrics"])
def test_models_and_metrics_need_a_token(api: Server, path: str):
    assert requests.get(f"{api.url}{path}", timeout=60).status_code == 401
    for role in Role:
        assert api.ask(path, role).ok


@pytest.mark.parametrize(("path", "status"), [("/healthz", "live"), ("/readyz", "ready")])
def test_health_needs_no_token(api: Server, path: str, status: str):
    document = requests.get(f"{api.url}{path}", timeout=60).json()
    TypeAdapter(HealthDocument).validate_python(document)
    assert (document["status"], document["app_version"]) == (status, __version__)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/models", "/metrics", "/openapi.json"])
def test_a_probe_by_head_gets_the_answer_of_a_get_without_its_body(api: Server, path: str):
    headers = api.authorise()
    answer = requests.head(f"{api.url}{path}", headers=headers, timeout=60)
    assert (answer.status_code, answer.content) == (200, b"")
    got = requests.get(f"{api.url}{path}", headers=headers, timeout=60)
    assert answer.headers["Content-Type"] == got.headers["Content-Type"]
    assert requests.head(f"{api.url}/v1/models", timeout=60).status_code == 401
    assert requests.head(f"{api.url}/v1/readings", headers=headers, timeout=60).status_code == 405


def test_metrics_are_text_of_prometheus(api: Server, drawn: bytes):
    before = api.measure("melanoma_readings_total")
    assert api.read(drawn).ok
    api.read(b"no photograph")
    answer = api.ask("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain")
    families = {each.name: each for each in text_string_to_metric_families(answer.text)}
    assert families["melanoma_readings"].samples[0].value == before + 1
    refusals = {each.labels.get("kind") for each in families["melanoma_refusals"].samples}
    assert "unreadable" in refusals
    assert families["melanoma_reader_memory_bytes"].samples[0].value > 50e6
    assert families["process_resident_memory_bytes"].samples[0].value > 50e6
    assert families["melanoma_build_info"].samples[0].labels == {"version": __version__}
    assert {"melanoma_waiting_seconds", "melanoma_reading_seconds"} <= families.keys()
    labels = {
        label
        for name, family in families.items()
        if name.startswith("melanoma_")
        for sample in family.samples
        for label in sample.labels
    }
    assert labels == {"kind", "method", "route", "status", "le", "version"}


def test_an_unknown_address_and_another_method_are_explained(api: Server):
    unknown = requests.get(f"{api.url}/v1/nothing", timeout=60)
    assert (unknown.status_code, unknown.json()["title"]) == (404, "Not Found")
    other = requests.delete(f"{api.url}/v1/readings", timeout=60)
    assert (other.status_code, other.headers["Allow"]) == (405, "POST")
    assert requests.get(f"{api.url}/v1/models/", timeout=60).status_code == 404


def test_each_answer_has_an_id_and_is_kept_by_no_cache(api: Server):
    given = str(uuid.uuid4())
    answer = requests.get(f"{api.url}/healthz", headers={"X-Request-ID": given}, timeout=60)
    assert answer.headers["X-Request-ID"] == given
    for name in ("Erika", "", "a" * 500):
        other = requests.get(f"{api.url}/healthz", headers={"X-Request-ID": name}, timeout=60)
        assert re.fullmatch(r"[0-9a-f-]{36}", other.headers["X-Request-ID"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in answer.headers
