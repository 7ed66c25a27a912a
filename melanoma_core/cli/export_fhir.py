"""The command `export fhir`: a lesion of the record as FHIR R4, to a file or to a server."""

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.export_record import add_record_options, get_who, open_record
from melanoma_core.cli.terminal import log, make_folder, print_json, write_output
from melanoma_core.errors import ExchangeError, SettingsError
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.exchange.fhir.sending import Sent
    from melanoma_core.exchange.fhir.server import FhirServer


def add_fhir_command(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `export fhir`.

    Args:
        kinds: The commands of `export`.
    """
    fhir = kinds.add_parser(
        "fhir",
        help="a lesion as FHIR R4: a file, or sent to a server",
        description="Write a lesion of the record as FHIR R4: photographs, readings, decisions, "
        "removal of tissue, specimens and histology.",
    )
    add_record_options(fhir, is_required=True)
    fhir.add_argument("--out", type=Path, metavar="FILE", help="a file that ends with .json")
    fhir.add_argument(
        "--send", action="store_true", help="send it to the server; twice makes no second copy"
    )
    fhir.add_argument(
        "--server",
        default="",
        metavar="URL",
        help="base address of the server; default: MELANOMA_FHIR_SERVER. Another address than that "
        "gets no token",
    )
    fhir.add_argument(
        "--without-photographs", action="store_true", help="leave the pixels of photographs out"
    )
    fhir.add_argument("--json", action="store_true", help="print one JSON document")
    fhir.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    from melanoma_core.exchange.fhir.bundle import write_collection
    from melanoma_core.exchange.fhir.leaving import log_file, make_request, send_lesion

    if not options.send and options.out is None:
        raise ExchangeError("Say where the lesion goes: --out FILE, --send, or both.")
    server = _find_server(options) if options.send else None  # a wrong one fails before the work
    record, by, sent = open_record(options), get_who(options), None
    try:
        case = record.load_case(options.lesion)
        request = make_request(
            record,
            case,
            load_settings(),
            datetime.now(UTC),
            with_photographs=not options.without_photographs,
        )
        if options.out is not None:
            make_folder(options.out.parent)
            content = write_collection(case, request)
            log_file(record, case.lesion.id, by)
            write_output(options.out, content)
        if server is not None:
            sent = send_lesion(record, case, request, server, by)
    finally:
        record.close()
    _print(options, server, sent)
    return 0


def _find_server(options: argparse.Namespace) -> "FhirServer":
    from melanoma_core.exchange.fhir.server import find_server

    server = find_server(load_settings(), options.server)
    if server is None:
        raise SettingsError(
            "No FHIR server is set. Give --server, or set MELANOMA_FHIR_SERVER to an address such "
            "as https://fhir.clinic/r4."
        )
    return server


def _print(options: argparse.Namespace, server: "FhirServer | None", sent: "Sent | None") -> None:
    out = None if options.out is None else str(options.out)
    if options.json:
        to = None if server is None else server.url
        print_json({"out": out, "sent_to": to, "sent": None if sent is None else asdict(sent)})
        return
    if out is not None:
        print(f"Written to {out}")
    if server is not None and sent is not None:
        print(f"Sent to {server.url}: {sent.describe()}")
    log("Research, not for diagnosis.")
