"""The commands `records export`, `erase` and `dataset`: what leaves a record."""

import argparse
import getpass
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.terminal import log, make_counter, make_folder, print_json, write_output
from melanoma_core.errors import RecordError
from melanoma_core.names import neutralise
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.records.entities import Patient
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.store import Record

_Run = Callable[[argparse.Namespace], int]
_AddCommon = Callable[[argparse.ArgumentParser, _Run], None]
_Open = Callable[[argparse.Namespace], "Record"]


def add_leaving_commands(
    kinds: "argparse._SubParsersAction[argparse.ArgumentParser]",
    add_common: _AddCommon,
    open_record: _Open,
) -> None:
    """Add the commands.

    Args:
        kinds: The commands of `records`.
        add_common: Adds the options that all of them have, and what runs.
        open_record: Opens the record that the options name.
    """
    export = kinds.add_parser(
        "export", help="write all of one patient into a ZIP file that a person can read"
    )
    _add_patient(export)
    export.add_argument(
        "--out", type=Path, metavar="FILE", help="default: patient-PSEUDONYM.zip, here"
    )
    add_common(export, lambda options: _export(options, open_record(options)))

    erase = kinds.add_parser(
        "erase", help="erase all of one patient; the audit log keeps only that it went"
    )
    _add_patient(erase)
    erase.add_argument(
        "--yes", action="store_true", help="erase; without it, only what would go is printed"
    )
    add_common(erase, lambda options: _erase(options, open_record(options)))

    dataset = kinds.add_parser(
        "dataset", help="write the confirmed lesions as a de-identified dataset to train on"
    )
    dataset.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the record")
    dataset.add_argument("out", type=Path, metavar="OUT", help="a new folder")
    dataset.add_argument(
        "--follow-up",
        action="store_true",
        help="also lesions that are confirmed as benign by follow-up alone",
    )
    dataset.add_argument(
        "--close-ups", action="store_true", help="also close-ups, besides dermoscopic photographs"
    )
    add_common(dataset, lambda options: _write_dataset(options, open_record(options)))


def _add_patient(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patient", metavar="PATIENT", help="pseudonym of the patient")
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="FOLDER",
        help="folder of the record; default: MELANOMA_RECORD",
    )


def _export(options: argparse.Namespace, record: "Record") -> int:
    from melanoma_core.records.export import export_patient, name_export
    from melanoma_core.records.report import ReportRequest

    patient = _find_patient(record, options.patient)
    path = options.out or Path(f"{name_export(patient.value)}.zip")
    make_folder(path.parent)
    request = ReportRequest(by=_get_who(options), at=datetime.now().astimezone())
    content = io.BytesIO()
    result = export_patient(record, patient.id, content, request, load_settings())
    write_output(path, content.getvalue())
    for text in result.missing:
        log(text)
    if options.json:
        print_json({"file": str(path), "entries": result.num_entries, "missing": result.missing})
    else:
        print(
            f"{path}: {result.num_entries:,} entries, {result.num_photographs:,} photographs and "
            "heatmaps"
        )
    return 1 if result.missing else 0


def _erase(options: argparse.Namespace, record: "Record") -> int:
    from melanoma_core.records.patient_erasing import erase_patient, find_exports

    patient = _find_patient(record, options.patient)
    if not options.yes:
        history = record.load_patient_history(patient.id)
        exports = find_exports(record, patient.id)
        print(
            f"{neutralise(options.patient)}: {len(history):,} entries with all their versions and "
            f"photographs would go for ever. Data left the record {len(exports):,} times before. "
            "Nothing was erased. Export the patient first if you need to, then add --yes."
        )
        return 2
    erased = erase_patient(record, patient.id, _get_who(options))
    if options.json:
        print_json(erased)
    else:
        print(erased.describe())
    return 0


def _write_dataset(options: argparse.Namespace, record: "Record") -> int:
    from melanoma_core.models.identifiers import keep_key
    from melanoma_core.records.feedback import DatasetRequest, write_dataset

    request = DatasetRequest(
        by=_get_who(options),
        with_follow_up=options.follow_up,
        with_close_ups=options.close_ups,
    )
    key = keep_key(load_settings())
    result = write_dataset(record, options.out, request, key, make_counter("Photographs"))
    if options.json:
        print_json(result)
        return 0
    print(
        f"{options.out}: {result.num_photographs:,} photographs of {result.num_lesions:,} lesions "
        f"of {result.num_patients:,} patients, source {result.source}"
    )
    for reason, count in sorted(result.left_out.items()):
        log(f"Left out: {count:,} photographs: {reason}.")
    log(f"Next: melanoma dataset audit {options.out}. Its README.md says what training means.")
    return 0


def _find_patient(record: "Record", pseudonym: str) -> "Entry[Patient]":
    patient = record.find_patient(pseudonym)
    if patient is None:
        raise RecordError(
            f'Found no patient "{neutralise(pseudonym)}" in the record. Give the pseudonym as the '
            "list of patients writes it."
        )
    return patient


def _get_who(options: argparse.Namespace) -> str:
    return options.by or getpass.getuser()
