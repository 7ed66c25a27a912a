"""The commands `export dicom` and `export check`: readings for other systems."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.cli.export_record import add_record_options, get_who, open_record
from melanoma_core.cli.files import choose_model
from melanoma_core.cli.terminal import log, make_folder, print_json, write_output
from melanoma_core.errors import ExchangeError, SettingsError
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.exchange.dicom.files import DicomFile
    from melanoma_core.exchange.dicom.nodes import Node

    _Files = tuple[DicomFile, ...]


def add_dicom_commands(kinds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `export dicom` and `export check`.

    Args:
        kinds: The commands of `export`.
    """
    dicom = kinds.add_parser(
        "dicom",
        help="photographs, heatmaps and readings as DICOM: files, or sent to a node",
        description="Write the photographs, the heatmaps and the reading of a lesion as DICOM. The "
        "lesion is one of the record (--lesion), or files that are read now.",
    )
    dicom.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="of one lesion")
    add_record_options(dicom)
    dicom.add_argument(
        "--all-visits", action="store_true", help="every visit of the lesion; default: the last"
    )
    dicom.add_argument("--model", metavar="ID", help="for files; default: the deployed model")
    dicom.add_argument(
        "--patient", default="", metavar="ID", help="for files; default: a name from their content"
    )
    dicom.add_argument(
        "--label", default="1", metavar="NAME", help="for files: name of the lesion; default: 1"
    )
    dicom.add_argument(
        "--close-up", action="store_true", help="for files: they were taken without a dermoscope"
    )
    dicom.add_argument(
        "--read-anyway",
        action="store_true",
        help="for files: read them also when they are out of distribution",
    )
    dicom.add_argument(
        "--out", type=Path, metavar="PLACE", help="a folder, or a file that ends with .zip"
    )
    dicom.add_argument("--send", action="store_true", help="send them to the node")
    _add_node(dicom)
    dicom.add_argument("--json", action="store_true", help="print one JSON document")
    dicom.set_defaults(run=_export)

    check = kinds.add_parser("check", help="ask the DICOM node whether it answers (C-ECHO)")
    _add_node(check)
    check.set_defaults(run=_check)


def _add_node(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--node",
        default="",
        metavar="ADDRESS",
        help="such as dicom://PACS@host:104 or https://host/dicom-web; default: "
        "MELANOMA_DICOM_NODE. Another address than that gets no token",
    )


def _export(options: argparse.Namespace) -> int:
    if bool(options.lesion) == bool(options.images):
        raise ExchangeError(
            "Name either a lesion of the record (--lesion ID) or the image files of one lesion."
        )
    if not options.send and options.out is None:
        raise ExchangeError("Say where the files go: --out PLACE, --send, or both.")
    node = _find_node(options) if options.send else None  # a wrong address fails before the work
    if options.lesion:
        files = _export_lesion(options, node)
    else:
        files = _read_files(options)
        if node is not None:
            _send_files(node, files)
        _write(options.out, files)
    _print(options, files, node)
    return 0


def _check(options: argparse.Namespace) -> int:
    from melanoma_core.exchange.dicom.sending import check

    node = _find_node(options)
    check(node)
    print(f"{node.name} answers.")
    return 0


def _find_node(options: argparse.Namespace) -> "Node":
    from melanoma_core.exchange.dicom.nodes import find_node

    node = find_node(load_settings(), options.node)
    if node is None:
        raise SettingsError(
            "No DICOM node is set. Give --node, or set MELANOMA_DICOM_NODE to an address such as "
            "dicom://PACS@host:104."
        )
    return node


def _export_lesion(options: argparse.Namespace, node: "Node | None") -> "_Files":
    """Export a lesion of the record; its audit log notes each place before anything goes there."""
    from melanoma_core.exchange.dicom.leaving import log_files, make_lesion_files, send_lesion

    record, by = open_record(options), get_who(options)
    try:
        case = record.load_case(options.lesion)
        files = make_lesion_files(record, case, load_settings(), all_visits=options.all_visits)
        if options.out is not None:
            log_files(record, options.lesion, by)
            _write(options.out, files)
        if node is not None:
            send_lesion(record, options.lesion, files, node, by)
    finally:
        record.close()
    return files


def _read_files(options: argparse.Namespace) -> "_Files":
    """Read image files as photographs of one lesion."""
    from melanoma_core.data.images import read_bytes
    from melanoma_core.exchange.dicom.reading import Unkept, read_files
    from melanoma_core.models.adaptation import make_prevalence
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.records.vocabulary import ImageKind

    classifier = load_classifier(choose_model(options.model).folder)
    shares = load_settings().prevalence
    lesion = Unkept(
        files={str(path): read_bytes(path) for path in options.images},
        pseudonym=options.patient,
        label=options.label,
        kind=ImageKind.CLOSE_UP if options.close_up else ImageKind.DERMOSCOPIC,
        prevalence=make_prevalence(classifier.card, *shares) if shares else None,
        read_anyway=options.read_anyway,
    )
    return read_files(classifier, lesion)


def _send_files(node: "Node", files: "_Files") -> None:
    from melanoma_core.exchange.dicom.sending import send

    send(node, [each.dataset for each in files])


def _write(place: Path | None, files: "_Files") -> None:
    from melanoma_core.exchange.dicom.files import write_zip

    if place is None:
        return
    if place.suffix.lower() == ".zip":
        make_folder(place.parent)
        write_output(place, write_zip(files))
        return
    make_folder(place)
    for file in files:
        write_output(place / file.name, file.encode())


def _print(options: argparse.Namespace, files: "_Files", node: "Node | None") -> None:
    if options.json:
        print_json(
            {
                "files": [
                    {
                        "name": each.name,
                        "sop_class_uid": str(each.dataset.SOPClassUID),
                        "sop_instance_uid": str(each.dataset.SOPInstanceUID),
                        "series_instance_uid": str(each.dataset.SeriesInstanceUID),
                        "study_instance_uid": str(each.dataset.StudyInstanceUID),
                    }
                    for each in files
                ],
                "out": None if options.out is None else str(options.out),
                "sent_to": node.name if node else None,
            }
        )
        return
    where = [f"written to {options.out}"] if options.out is not None else []
    where += [f"sent to {node.name}"] if node else []
    print(f"{len(files)} DICOM files {' and '.join(where)}")
    log("Research, not for diagnosis.")
