"""Fifty sessions of one server at once, each with a patient of its own: what each of them is shown.

They speak as browsers do, over Streamlit's WebSocket. Each says who it is, opens its patient and
reads all that comes. No message may name another patient, and the audit log must know each person
with the own patient alone. Then the server's memory is compared with that before.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.ledger import Action
from melanoma_core.records.store import Record
from tests.benchmarks.page import DASHBOARD, serve
from tests.benchmarks.timing import Row

_NUM_SESSIONS, _NUM_ROUNDS = 50, 2
_DAY = date(2026, 11, 27)
_PATIENCE_SECONDS = 240.0
_LARGEST = 2**26  # bytes of a message


@dataclass(frozen=True)
class _Own:
    """A person with the one patient that this person opens."""

    name: str
    pseudonym: str
    patient_id: str


def measure() -> Iterable[Row]:
    """One session alone, then rounds of all at once."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "record"
        people = _make_people(folder)
        os.environ["MELANOMA_RECORD"] = str(folder)
        wrong: list[str] = []
        memory, seconds = [], []
        with serve(DASHBOARD) as server:
            _visit(server.url, people[0])  # what is loaded once
            process = psutil.Process(server.process.pid)
            for _ in range(_NUM_ROUNDS):
                with ThreadPoolExecutor(_NUM_SESSIONS) as threads:
                    visits = list(threads.map(partial(_try_visit, server.url), people))
                seconds += [each[0] for each in visits]
                wrong += [words for each in visits for words in each[1]]
                wrong += _find_mixed(people, [each[2] for each in visits])
                memory.append(process.memory_info().rss)
        wrong += _check_log(folder, people)
    for words in wrong[:10]:
        print(words, flush=True)
    yield (
        f"{_NUM_SESSIONS} sessions at once, each opens its own patient: median, slowest",
        f"{statistics.median(seconds):.1f} s, {max(seconds):.1f} s",
        "errors, or patients of another person",
        f"{len(wrong):,}",
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
    )
    first, *_, last = memory
    yield (
        f"resident memory of the server after {_NUM_ROUNDS} rounds of them",
        f"{last / 2**20:.0f} MiB",
        "after the first round",
        f"{first / 2**20:.0f} MiB",
        f"{last / first:.3f} times as much",
    )


def _make_people(folder: Path) -> list[_Own]:
    record = Record.create(folder, by="benchmark")
    people = []
    for number in range(_NUM_SESSIONS):
        pseudonym = f"Q{number:02d}-own"
        with record.write(by="benchmark") as change:
            patient = change.add(Patient(pseudonym=pseudonym, birth_year=1960))
            change.add(Lesion(patient_id=patient.id, label="1"))
            change.add(Visit(patient_id=patient.id, on=_DAY))
        people.append(_Own(f"person{number:02d}", pseudonym, patient.id))
    record.close()
    return people


def _try_visit(url: str, own: _Own) -> tuple[float, list[str], bytes]:
    """Return the seconds of a visit, what was wrong, and all that was received."""
    started = time.perf_counter()
    try:
        received = _visit(url, own)
    except Exception as error:  # counted, whatever it is
        return time.perf_counter() - started, [f"{own.name}: {error!r}"], b""
    missing = [] if own.pseudonym.encode() in received else [f"{own.name} got no own patient"]
    return time.perf_counter() - started, missing, received


def _visit(url: str, own: _Own) -> bytes:
    """Open the page of a patient as a browser does, say who it is, and return what comes."""
    address = {"page_name": "patients", "query_string": f"patient={own.patient_id}"}
    with httpx.Client(timeout=_PATIENCE_SECONDS) as client:
        client.get(f"{url}/patients").raise_for_status()
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    with connect(
        url.replace("http://", "ws://") + "/_stcore/stream",
        origin=url,  # type: ignore[arg-type]
        additional_headers={"Cookie": cookies} if cookies else None,
        subprotocols=["streamlit"],  # type: ignore[list-item]
        max_size=_LARGEST,
        open_timeout=_PATIENCE_SECONDS,
    ) as socket:
        asked = _run(socket, address, [])
        field, button = _find_form(asked)
        widgets = [{"id": field, "string_value": own.name}, {"id": button, "trigger_value": True}]
        return b"".join(each.SerializeToString() for each in _run(socket, address, widgets))


def _run(
    socket: ClientConnection, address: dict[str, str], widgets: list[dict[str, Any]]
) -> list[ForwardMsg]:
    """Run the page, and return what comes until it has ended."""
    message = BackMsg()
    for name, value in address.items():
        setattr(message.rerun_script, name, value)
    for widget in widgets:
        message.rerun_script.widget_states.widgets.add(**widget)
    socket.send(message.SerializeToString())
    return list(_receive(socket))


def _receive(socket: ClientConnection) -> Iterator[ForwardMsg]:
    while True:
        message = ForwardMsg.FromString(socket.recv(timeout=_PATIENCE_SECONDS))  # type: ignore[arg-type]
        yield message
        ended = message.WhichOneof("type") == "script_finished"
        if ended and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            return


def _find_form(messages: list[ForwardMsg]) -> tuple[str, str]:
    """Return the ids of the field for the name and of the button beside it."""
    elements = [each.delta.new_element for each in messages if each.HasField("delta")]
    fields = [each.text_input.id for each in elements if each.HasField("text_input")]
    buttons = [each.button.id for each in elements if each.HasField("button")]
    return fields[-1], buttons[-1]


def _find_mixed(people: list[_Own], received: list[bytes]) -> list[str]:
    """Return where a session was sent what is of another person's patient."""
    return [
        f"{own.name} was sent {other.pseudonym}"
        for own, words in zip(people, received, strict=True)
        for other in people
        if other is not own and (other.pseudonym.encode() in words or other.name.encode() in words)
    ]


def _check_log(folder: Path, people: list[_Own]) -> list[str]:
    """Return where the audit log does not know each person with the own patient alone."""
    record = Record.open(folder)
    entries = record.list_log(limit=100_000)
    wrong = [fault.text for fault in record.verify().faults]
    record.close()
    for own in people:
        seen = {e.entry_id for e in entries if e.by == own.name and e.action is Action.SEEN}
        if seen != {own.patient_id}:
            wrong.append(f"the audit log knows {own.name} with {len(seen)} patients")
    return wrong
