"""Everything that leaves a record, of one patient, as text: what the tests of outputs read."""

import io
import re
import zlib
from datetime import UTC, datetime
from zipfile import ZipFile

from melanoma_core.records.calendar_file import write_recall
from melanoma_core.records.export import export_patient
from melanoma_core.records.letter import (
    Addressee,
    draft_letter,
    write_letter_pdf,
    write_letter_text,
)
from melanoma_core.records.report import ReportRequest, write_lesion_report
from melanoma_core.records.report_html import render_body, render_head
from melanoma_core.records.report_pdf import write_lesion_pdf
from melanoma_core.records.report_pictures import draw_pictures
from melanoma_core.records.store import Record
from melanoma_core.settings import load_settings
from tests.core.records.made_entries import Filled

AT = datetime(2026, 5, 20, 9, 30, tzinfo=UTC)


def write_outputs(record: Record, filled: Filled, notes: str = "") -> dict[str, bytes]:
    """Return the content of each output by its name, those of the export too."""
    case = record.load_case(filled.lesion.id)
    request = ReportRequest(by="dr.a", at=AT, notes=notes)
    report = write_lesion_report(case, request)
    pictures = draw_pictures(case, record.images.read)
    letters = {str(each): draft_letter(case, each, by="dr.a", on=AT.date()) for each in Addressee}
    outputs = {
        "report.html": (render_head(report) + render_body(report, pictures.missing)).encode(),
        "report.pdf": write_lesion_pdf(report, pictures, AT),
        "recall.ics": write_recall(case.recalls[0], case.patient.value, case.lesion.value.label),
    }
    for name, letter in letters.items():
        outputs[f"letter to the {name}.txt"] = write_letter_text(letter).encode()
        outputs[f"letter to the {name}.pdf"] = write_letter_pdf(letter, AT)
    file = io.BytesIO()
    export_patient(record, filled.patient.id, file, request, load_settings())
    with ZipFile(file) as archive:
        outputs |= {name: archive.read(name) for name in archive.namelist()}
    return outputs


def decompress(pdf: bytes) -> list[bytes]:
    """Return the streams of a PDF as far as zlib reads them."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:  # a JPEG
            continue
    return found
