"""The commands `records …`: create, check and look after the clinic's record."""

import argparse
import getpass
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.files import parse_limit
from melanoma_core.cli.records_audit import add_audit_options
from melanoma_core.cli.records_leaving import add_leaving_commands
from melanoma_core.cli.terminal import log, print_json
from melanoma_core.errors import SettingsError
from melanoma_core.names import neutralise
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.records.ledger import LogEntry
    from melanoma_core.records.place import Place
    from melanoma_core.records.store import Record

_Run = Callable[[argparse.Namespace], int]


def add_records_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add `records` and its commands to the command line."""
    records = commands.add_parser("records", help="create, check and look after a clinic's record")
    kinds = records.add_subparsers(required=True, metavar="COMMAND")

    create = kinds.add_parser(
        "create", help="create a record in a new folder; without one, nothing is kept"
    )
    create.add_argument("folder", type=Path, metavar="FOLDER")
    create.add_argument(
        "--drawn",
        action="store_true",
        help="fill it with invented patients whose lesions are drawn, as a demonstration",
    )
    _add_common(create, _create, names=True)

    verify = _add(kinds, "verify", _verify, "check that nothing was altered, removed or moved")
    verify.add_argument(
        "--known",
        default="",
        metavar="NUMBER:HASH",
        help="the end of the audit log as an earlier check has printed it",
    )
    verify.add_argument(
        "--without-photographs", action="store_true", help="do not read the photographs' files"
    )
    shown = _add(kinds, "log", _log, "print the audit log, the newest entries first")
    shown.add_argument("--limit", type=parse_limit, default=50, metavar="N", help="default: 50")
    shown.add_argument("--entry", default="", metavar="ID", help="only what was done to this entry")
    _add(kinds, "status", _status, "print what a record holds")
    _add(kinds, "upgrade", _upgrade, "bring a record to this version of the software", names=True)
    _add(kinds, "rebuild", _rebuild, "derive from the entries again what each lesion waits for")
    audit = _add(kinds, "audit", _status, "measure how good doctor, network and both together are")
    add_audit_options(audit, _open)
    add_leaving_commands(kinds, partial(_add_common, names=True), _open)


def _add(
    kinds: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: _Run,
    summary: str,
    *,
    names: bool = False,
) -> argparse.ArgumentParser:
    parser = kinds.add_parser(name, help=summary)
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="FOLDER",
        help="folder of the record; default: MELANOMA_RECORD",
    )
    _add_common(parser, run, names=names)
    return parser


def _add_common(parser: argparse.ArgumentParser, run: _Run, *, names: bool) -> None:
    parser.add_argument(
        "--url",
        default="",
        metavar="URL",
        help="PostgreSQL database of the record; default: MELANOMA_RECORD_URL, or else SQLite in "
        "the folder",
    )
    if names:
        parser.add_argument(
            "--by", default="", metavar="NAME", help="your name, which the audit log keeps"
        )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def _find(options: argparse.Namespace) -> "Place":
    from melanoma_core.records.place import Place

    settings = load_settings()
    folder = options.folder or settings.record
    if folder is None:
        raise SettingsError("No record was named. Name its folder, or set MELANOMA_RECORD to it.")
    return Place(folder, options.url or settings.record_url or "")


def _open(options: argparse.Namespace) -> "Record":
    from melanoma_core.records.store import Record

    return Record.open(_find(options))


def _create(options: argparse.Namespace) -> int:
    from melanoma_core.records.store import Record

    place = _find(options)
    if options.drawn:
        record = _create_drawn(place)
    else:
        record = Record.create(place, options.by or getpass.getuser())
    record.close()
    if options.json:
        print_json({"folder": str(place.folder), "record": record.record_id})
        return 0
    print(f"{place.folder}: a record was created")
    log(
        f"Set MELANOMA_RECORD={place.folder.resolve()} so that the dashboard keeps patients, "
        "photographs and readings in it. Back the folder up"
        + (" together with the database." if place.url else ".")
    )
    return 0


def _create_drawn(place: "Place") -> "Record":
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import find_serving
    from melanoma_core.records.drawn import create_drawn_record
    from melanoma_core.software import VERSION

    serving = find_serving(load_settings())
    if serving.notice:
        log(serving.notice)
    log("Drawing 30 lesions, and reading them with the network: this takes up to a minute.")
    return create_drawn_record(place, load_classifier(serving.folder), VERSION)


def _verify(options: argparse.Namespace) -> int:
    from melanoma_core.records.verification import parse_known

    known = parse_known(options.known)
    result = _open(options).verify(known, read_images=not options.without_photographs)
    if options.json:
        print_json(result)
    else:
        for fault in result.faults:
            print(f"{fault.kind}: {fault.text}")
        print(
            f"Faults: {len(result.faults):,}. Entries of the audit log: "
            f"{result.num_log_entries:,}. Versions of entries: {result.num_versions:,}. "
            f"Photographs: {result.num_images:,}. Files that no entry names: "
            f"{result.num_unnamed:,}."
        )
        log(
            "To find also a log that was written again, keep this in another place and give it to "
            f"the next check: --known {result.num_log_entries}:{result.head}"
        )
    return 2 if result.faults else 0


def _log(options: argparse.Namespace) -> int:
    entries = _open(options).list_log(entry_id=options.entry, limit=min(options.limit, sys.maxsize))
    if options.json:
        print_json([_describe(entry) for entry in entries])
        return 0
    for entry in entries:
        version = f" (version {entry.version})" if entry.version else ""
        print(
            f"{entry.number}  {entry.at:%Y-%m-%d %H:%M:%S} UTC  {neutralise(entry.by)}  "
            f"{entry.action}  {entry.kind} {entry.entry_id}{version}  "
            f"{neutralise(entry.detail)}".rstrip()
        )
    return 0


def _describe(entry: "LogEntry") -> dict[str, object]:
    from dataclasses import asdict

    return asdict(entry) | {"at": entry.at.isoformat()}


def _status(options: argparse.Namespace) -> int:
    record = _open(options)
    counts = record.count()
    if options.json:
        print_json(
            {
                "folder": str(record.place.folder),
                "record": record.record_id,
                "read_only": record.is_read_only,
                "entries": counts,
            }
        )
        return 0
    print(f"{record.place.folder}{', read-only' if record.is_read_only else ''}")
    for name, count in counts.items():
        print(f"{name:16}{count:>10,}")
    return 0


def _upgrade(options: argparse.Namespace) -> int:
    from melanoma_core.records.store import Record

    steps = Record.upgrade(_find(options), options.by or getpass.getuser())
    if options.json:
        print_json({"versions": steps})
    else:
        print(f"upgraded to version {steps[-1]}" if steps else "the record is up to date")
    return 0


def _rebuild(options: argparse.Namespace) -> int:
    count = _open(options).rebuild()
    if options.json:
        print_json({"tasks": count})
    else:
        print(f"{count:,} tasks")
    return 0
