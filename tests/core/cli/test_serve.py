"""`serve`: what it hands to the server, without starting one."""

import pytest

from melanoma_core.cli.main import main
from melanoma_core.service.options import Options


@pytest.fixture
def served() -> list[Options]:
    return []


def serve(served: list[Options], *arguments: str) -> int:
    def serve_pages(options: Options) -> int:
        served.append(options)
        return 0

    return main(["serve", *arguments], serve_pages)


def test_by_default_it_answers_this_machine_alone(served: list[Options]):
    assert serve(served, "--readers", "3") == 0
    assert served == [Options("localhost", 8501, (), False, 3, 16)]


def test_its_options_are_handed_on(served: list[Options], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MELANOMA_ALLOW_ANONYMOUS", "1")
    address = ["--host", "0.0.0.0", "--port", "80", "--name", "a.example", "--name", "b.example"]
    assert serve(served, *address, "--readers", "1", "--queue", "4") == 0
    assert served == [Options("0.0.0.0", 80, ("a.example", "b.example"), True, 1, 4)]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "0"],
        ["--port", "65536"],
        ["--port", "http"],
        ["--readers", "0"],
        ["--queue", "-1"],
    ],
)
def test_a_number_out_of_range_is_refused(served: list[Options], arguments: list[str], capfd):
    with pytest.raises(SystemExit):
        serve(served, *arguments)
    assert "it must be a" in capfd.readouterr().err
    assert served == []


def test_the_core_alone_serves_no_pages(capfd):
    assert main(["serve"]) == 2
    assert "add --api-only to serve the API alone" in capfd.readouterr().err
