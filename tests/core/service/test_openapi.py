"""The OpenAPI document, and a real server against it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from melanoma_core.service.api import Api
from melanoma_core.service.documents import ReadingDocument
from melanoma_core.service.examples import EXAMPLE
from melanoma_core.service.options import Options
from melanoma_core.settings import PROJECT_ROOT
from tests.core.service.conftest import Serve

_NUM_EXAMPLES = 15  # of each address and phase
_SEED = 20
# A file may be sent that is no photograph: no schema can say which are.
_CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "422"]
"""


@pytest.fixture
def document() -> dict:
    return Api(Options()).inner.openapi()


def test_the_document_describes_every_address(document: dict):
    assert {path: list(operations) for path, operations in document["paths"].items()} == {
        "/v1/readings": ["post"],
        "/v1/models": ["get"],
        "/v1/models/{model_id}": ["get"],
        "/healthz": ["get"],
        "/readyz": ["get"],
        "/metrics": ["get"],
    }
    protected = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if operation.get("security") == [{"token": []}]
    }
    assert protected == {"/v1/readings", "/v1/models", "/v1/models/{model_id}", "/metrics"}
    assert "Not a medical device" in document["info"]["description"]


def test_the_example_is_an_answer(document: dict):
    TypeAdapter(ReadingDocument).validate_python(EXAMPLE)
    answers = document["paths"]["/v1/readings"]["post"]["responses"]
    assert answers["200"]["content"]["application/json"]["example"] == EXAMPLE
    assert set(answers) == {
        *("200", "400", "401", "403", "404", "408", "413", "415", "422", "429", "500", "503")
    }
    for status in set(answers) - {"200"}:
        assert answers[status]["content"]["application/problem+json"]["example"]["detail"]


@pytest.mark.slow
def test_a_real_server_keeps_to_the_document(serve_api: Serve, tmp_path: Path):
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(_CONFIGURATION)
    with serve_api("--readers", "2") as server:
        options = ["--config-file", str(configuration), "--no-color", "run"]
        limits = ["--max-examples", str(_NUM_EXAMPLES), "--seed", str(_SEED)]
        token = f"Authorization: {server.authorise()['Authorization']}"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", *options),
                *(f"{server.url}/openapi.json", "--header", token, *limits),
            ],
            cwd=tmp_path,  # it keeps what it found in a folder
            env=os.environ
            | {
                "PYTHONPATH": str(PROJECT_ROOT),
                "SCHEMATHESIS_HOOKS": "tests.core.service.schemathesis_hooks",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        assert "Tested: 6" in done.stdout
        assert server.measure("melanoma_readings_total") > 5  # drawn lesions among them
        answers = [event for event in server.list_events() if event["event"] == "request"]
        assert len(answers) > 200
        assert not [answer for answer in answers if answer["status"] >= 500]
