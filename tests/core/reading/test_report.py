import io
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from dashboard.reading.report import render_body, render_head
from melanoma_core import __version__
from melanoma_core.data.crop import Crop
from melanoma_core.data.images import encode_jpeg
from melanoma_core.data.quality import QualityFinding, QualityKind
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.adaptation import adapt_reading
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.entry import Entry
from melanoma_core.reading.grouping import Lesion
from melanoma_core.reading.lesion import combine_readings
from melanoma_core.reading.report import (
    MAX_NOTES,
    MAX_OTHERS,
    Report,
    order_photographs,
    write_lesion_report,
    write_report,
)
from melanoma_core.reading.report_pdf import ReportImages, write_report_pdf
from tests.made_readings import make_reading

HOSTILE = "<script>alert('1')</script>**bold** \x00\x1b[31m\u202egpj.exe\r\n--x--"
MADE_AT = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
CARD = load_card(BUNDLED)
SHARES = dict(zip(CARD.class_names, (0.2, 0.6, 0.1, 0.02, 0.05, 0.01, 0.01, 0.01), strict=True))


def make_entry(name: str = "a.jpg", size: tuple[int, int] = (60, 80)) -> Entry:
    reading = make_reading(SHARES, 0.0436, 0.0436, members=("NV", "MEL"))
    pixels = np.full((*size, 3), 180, np.uint8)
    photograph = encode_jpeg(pixels)
    return Entry(0, name, photograph, photograph, reading, CARD, seen=pixels)


def write(entry: Entry, notes: str = "", adapted=None) -> Report:
    return write_report(entry, "Heatmap for melanoma", MADE_AT, notes, adapted)


def make_pdf(report: Report, entry: Entry) -> bytes:
    images = ReportImages(entry.photograph, entry.photograph)
    return write_report_pdf(report, images, MADE_AT)


def count_pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_a_report_says_what_the_reading_found_with_what_and_how_sure_it_is():
    report = write(make_entry(), "  Left arm,\nfor 2 years. ")
    assert report.title == "Reading of a.jpg"
    assert report.date == "01 March 2026, 14:05 UTC"
    assert report.headline == "Melanoma alert"
    assert "20.0%, alert threshold 4.4%" in report.sentence
    assert [row.result for row in report.alerts] == ["alert", "alert"]
    assert report.alerts[0].point == (
        "threshold 4.4%, chosen on validation (1,752 photographs of 1,393 lesions of ham10000, "
        "isic2017, isic9) for a sensitivity of 95.0%"
    )
    assert report.diagnoses[0] == ("● benign", "nevus", "60.0%", "yes")
    assert report.diagnoses[1] == ("▲ malignant", "melanoma", "20.0%", "yes")
    assert len(report.diagnoses) == 8
    assert CARD.model_id in report.model
    assert report.model.endswith(
        f"Read with version {__version__} of this software. No person has confirmed this reading."
    )
    assert report.limits == CARD.limitations
    assert report.notes == "Left arm, for 2 years."


def test_a_reading_without_a_second_operating_point_says_so():
    entry = make_entry()
    older = replace(entry, card=replace(CARD, skin_cancer_operating_point=None))
    assert write(older).alerts[1].point == "This model has no operating point for it."


def test_what_was_read_against_a_refusal_stays_marked_on_paper():
    entry = make_entry()
    blurred = QualityFinding(QualityKind.BLURRED, 1.0, 2.0, False, "The photograph is blurred.")
    marked = replace(entry.reading, read_anyway=True, quality=(blurred,))
    warnings = write(replace(entry, reading=marked)).warnings
    assert warnings[0].startswith("Out of distribution, read anyway")
    assert warnings[1] == "The photograph is blurred."


def test_in_a_clinic_the_diagnoses_are_adapted_and_the_operating_points_are_not():
    entry = make_entry()
    adapted = adapt_reading(CARD, entry.reading.probabilities, Prevalence(0.02, 0.08))
    report = write(entry, adapted=adapted)
    assert "2.0% of lesions are melanomas" in report.assumption
    assert report.alerts[0].probability == "20.0%"
    assert ("▲ malignant", "melanoma", "20.0%", "yes") not in report.diagnoses


def make_lesion(count: int, name: str = "left arm", photograph: str = "{}.jpg") -> Lesion:
    """Return a lesion of which the first photograph alone raises an alert."""
    entries = []
    for number in range(count):
        shares = SHARES if number == 0 else SHARES | {"MEL": 0.01, "NV": 0.79}
        entry = make_entry(photograph.format(number))
        reading = replace(make_reading(shares, 0.0436, 0.0436), model_id=CARD.model_id)
        entries.append(replace(entry, key=number, reading=reading))
    return Lesion(name, tuple(entries), combine_readings(CARD, [e.reading for e in entries]))


def make_lesion_pdf(lesion: Lesion, report: Report) -> bytes:
    first, *others = order_photographs(lesion)
    small = tuple(entry.thumbnail for entry in others[:MAX_OTHERS])
    images = ReportImages(first.photograph, first.photograph, small)
    return write_report_pdf(report, images, MADE_AT)


def test_the_report_of_a_lesion_has_the_combined_answer_and_in_what_its_photographs_disagree():
    lesion = make_lesion(3)
    report = write_lesion_report(lesion, "Heatmap for melanoma", MADE_AT, "Left arm.")
    assert report.title == "Reading of left arm, 3 photographs"
    assert report.alerts[0].probability.startswith(f"{lesion.reading.melanoma_probability:.1%}")
    assert report.warnings[0] == ("The photographs disagree: 1 of 3 raises the melanoma alert.")
    assert report.photograph == "0.jpg: Melanoma alert, nevus 60.0%"
    assert [text.partition(":")[0] for text in report.others] == ["1.jpg", "2.jpg"]
    assert report.others[0].endswith("nevus 79.0%")
    assert report.notes == "Left arm."
    assert count_pages(make_lesion_pdf(lesion, report)) == 1


def test_a_photograph_that_does_not_count_is_never_the_main_one():
    lesion = make_lesion(2)
    aside = replace(lesion.entries[0], reading=replace(lesion.entries[0].reading, read_anyway=True))
    entries = (aside, lesion.entries[1])
    lesion = Lesion("a", entries, combine_readings(CARD, [entry.reading for entry in entries]))
    assert [entry.key for entry in order_photographs(lesion)] == [1, 0]
    report = write_lesion_report(lesion, "Heatmap", MADE_AT)
    assert "1 of 2 photographs is out of distribution" in report.warnings[0]


@pytest.mark.parametrize(
    ("count", "name", "photograph"),
    [(2, "a", "{}"), (12, "W" * 500, "W" * 200), (7, HOSTILE, HOSTILE.replace("{", ""))],
)
def test_the_report_of_any_lesion_is_one_page_and_names_what_it_leaves_out(count, name, photograph):
    lesion = make_lesion(count, name, photograph)
    report = write_lesion_report(lesion, "Heatmap for melanoma", MADE_AT, "W" * 5000)
    report = replace(report, limits=("It was evaluated at one image size. " * 6,) * 40)
    assert len(report.others) == min(count - 1, MAX_OTHERS)
    unseen = count - 1 - MAX_OTHERS
    assert (f"{unseen} more of its photographs are not shown." in report.warnings) is (unseen > 0)
    assert count_pages(make_lesion_pdf(lesion, report)) == 1
    html = render_head(report) + render_body(report)
    assert "<script" not in html


def test_a_crop_stays_marked_on_paper():
    entry = make_entry()
    reading = replace(entry.reading, crop=Crop(0.25, 0.25, 0.75, 0.75))
    warnings = write(replace(entry, reading=reading)).warnings
    assert warnings == (
        "Read from a crop, 25% of the photograph. The network was tested on whole photographs.",
    )


@pytest.mark.parametrize(
    ("name", "notes", "num_limits", "size"),
    [
        ("a.jpg", "", 0, (60, 80)),
        ("a.jpg", "Left arm.", 7, (80, 60)),
        ("W" * 500, "W" * 5000, 7, (1, 300)),
        ("模型 🙂.jpg", "🙂 " * 3000, 40, (300, 1)),
        ("a.jpg", "\n" * 3000, 400, (60, 80)),
    ],
)
def test_a_report_is_one_page_whatever_it_says(name, notes, num_limits, size):
    entry = make_entry(name, size)
    limit = "It was evaluated at the image size that it was trained on. " * 3
    report = replace(write(entry, notes), limits=(limit,) * num_limits)
    pdf = make_pdf(report, entry)
    assert pdf.startswith(b"%PDF-")
    assert count_pages(pdf) == 1


def test_markup_and_control_characters_of_a_name_and_of_notes_are_text():
    report = write(make_entry(HOSTILE), HOSTILE)
    for text in (report.title, report.notes):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", text)
        assert "<script>" in text
    html = render_head(report) + render_body(report)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 2
    pdf = make_pdf(report, make_entry(HOSTILE))
    assert count_pages(pdf) == 1
    for action in (b"/JavaScript", b"/JS", b"/URI", b"/Launch", b"/Annots"):
        assert action not in pdf
        assert not any(action in stream for stream in decompress(pdf))


def test_notes_are_cut_at_their_limit():
    assert len(write(make_entry(), "a" * (MAX_NOTES + 1)).notes) == MAX_NOTES
    assert write(make_entry(), "a" * MAX_NOTES).notes == "a" * MAX_NOTES


def test_the_same_report_gives_the_same_bytes_without_metadata_of_the_photograph():
    entry = make_entry()
    report = write(entry)
    assert make_pdf(report, entry) == make_pdf(report, entry)
    image = Image.open(io.BytesIO(entry.photograph))
    assert not image.getexif()


def decompress(pdf: bytes) -> list[bytes]:
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.DOTALL)
    found = []
    for stream in streams:
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:  # a JPEG
            continue
    return found
