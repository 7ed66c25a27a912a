import csv
import io
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import decode_image
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading import queue as queue_module
from melanoma_core.reading.worklist import Worklist
from melanoma_core.reading.worklist_table import export_csv
from tests.dicom_files import make_photograph, write

LESIONS = [(lesion.file_name, lesion.path.read_bytes()) for lesion in DEMONSTRATION_LESIONS]
TEXT = ("notes.jpg", b"not a photograph")


def resize_lesion(size: tuple[int, int]) -> Image.Image:
    return Image.open(DEMONSTRATION_LESIONS[0].path).resize(size)


def read_all(worklist: Worklist, unguarded_classifier: Classifier) -> Worklist:
    while worklist.read_next(unguarded_classifier):
        pass
    return worklist


@pytest.fixture(scope="module")
def read(unguarded_classifier: Classifier) -> Worklist:
    worklist = Worklist()
    worklist.add([*LESIONS, TEXT])
    return read_all(worklist, unguarded_classifier)


def test_an_empty_worklist_has_nothing_to_read_open_or_show(unguarded_classifier):
    worklist = Worklist()
    assert not worklist.read_next(unguarded_classifier)
    assert worklist.pending_name is None
    assert worklist.position is None
    assert worklist.opened is None
    assert worklist.progress == (0, 0)


def test_one_bad_file_loses_none_of_the_others(read):
    assert len(read.entries) == len(LESIONS)
    (refused,) = read.refused
    assert refused.name == "notes.jpg"
    assert refused.reason.startswith("The file is a text file.")


def test_entries_are_sorted_by_the_malignant_share(read):
    shares = [entry.reading.skin_cancer_probability for entry in read.entries]
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) == len(LESIONS)


def test_the_most_probable_melanoma_of_the_last_batch_is_opened(read, unguarded_classifier):
    assert read.opened is read.entries[0]
    worklist = Worklist()
    names = [entry.name for entry in read.entries]
    contents = dict(LESIONS)
    worklist.add([(names[0], contents[names[0]])])
    read_all(worklist, unguarded_classifier)
    worklist.add([(name, contents[name]) for name in (names[2], names[1])])
    read_all(worklist, unguarded_classifier)
    assert worklist.opened is not None
    assert worklist.opened.name == names[1]
    assert worklist.position == 1


def test_a_chosen_entry_stays_open(unguarded_classifier):
    worklist = Worklist()
    worklist.add(LESIONS[:3])
    read_all(worklist, unguarded_classifier)
    last = worklist.entries[-1]
    worklist.open(last.key)
    assert worklist.opened is last
    worklist.clear()
    assert worklist.opened is None


def test_the_same_name_twice_makes_two_entries(unguarded_classifier):
    worklist = Worklist()
    worklist.add([LESIONS[0], LESIONS[0]])
    first, second = read_all(worklist, unguarded_classifier).entries
    assert first.name == second.name
    assert first.key != second.key


def test_emptying_the_queue_keeps_the_entries(unguarded_classifier):
    worklist = Worklist()
    worklist.add(LESIONS[:3])
    worklist.read_next(unguarded_classifier)
    assert worklist.progress == (1, 3)
    assert worklist.pending_name == LESIONS[1][0]
    worklist.drop_pending()
    assert not worklist.read_next(unguarded_classifier)
    assert [entry.name for entry in worklist.entries] == [LESIONS[0][0]]


def test_dismissing_refused_files_keeps_the_entries(unguarded_classifier):
    worklist = Worklist()
    worklist.add([LESIONS[0], TEXT])
    read_all(worklist, unguarded_classifier).dismiss_refused()
    assert worklist.refused == []
    assert len(worklist.entries) == 1


def test_threads_that_read_at_once_read_every_photograph_once(unguarded_classifier):
    worklist = Worklist()
    worklist.add([(f"{place}.jpg", LESIONS[0][1]) for place in range(12)])
    threads = [
        threading.Thread(target=read_all, args=(worklist, unguarded_classifier)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.name for entry in worklist.entries) == sorted(
        f"{place}.jpg" for place in range(12)
    )
    assert len({entry.key for entry in worklist.entries}) == 12


@pytest.fixture
def slow(monkeypatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Let each reading wait: events that one has begun, and that all may end."""
    begun, may_end = threading.Event(), threading.Event()
    read = queue_module.read_file

    def wait(*arguments):
        begun.set()
        assert may_end.wait(20)
        return read(*arguments)

    monkeypatch.setattr(queue_module, "read_file", wait)
    yield begun, may_end
    may_end.set()


@pytest.mark.parametrize("stop", [Worklist.drop_pending, Worklist.clear])
def test_cancelling_waits_for_no_reading_and_drops_it(unguarded_classifier, slow, stop):
    begun, may_end = slow
    worklist = Worklist()
    worklist.add(LESIONS[:3])
    thread = threading.Thread(target=worklist.read_next, args=(unguarded_classifier,))
    thread.start()
    assert begun.wait(20)
    assert worklist.progress == (0, 3)
    assert worklist.pending_name == LESIONS[1][0]

    stop(worklist)  # while it is read

    assert thread.is_alive()
    assert worklist.pending_name is None
    assert not worklist.read_next(unguarded_classifier)
    may_end.set()
    thread.join()
    assert worklist.entries == []
    worklist.add(LESIONS[3:4])
    assert [entry.name for entry in read_all(worklist, unguarded_classifier).entries] == [
        LESIONS[3][0]
    ]


def test_a_second_run_of_the_page_waits_for_what_the_first_still_reads(unguarded_classifier, slow):
    begun, may_end = slow
    worklist = Worklist()
    worklist.add(LESIONS[:1])
    first = threading.Thread(target=read_all, args=(worklist, unguarded_classifier))
    second = threading.Thread(target=read_all, args=(worklist, unguarded_classifier))
    first.start()
    assert begun.wait(20)
    second.start()
    second.join(0.2)
    assert second.is_alive()
    assert worklist.pending_name == LESIONS[0][0]
    assert worklist.entries == []  # answered at once
    may_end.set()
    second.join(20)
    first.join(20)
    assert [entry.name for entry in worklist.entries] == [LESIONS[0][0]]


def test_an_internal_error_of_a_reading_lets_the_others_be_read(unguarded_classifier, monkeypatch):
    worklist = Worklist()
    worklist.add(LESIONS[:2])
    with monkeypatch.context() as patch:
        patch.setattr(queue_module, "read_file", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            worklist.read_next(unguarded_classifier)
    assert len(read_all(worklist, unguarded_classifier).entries) == 1


def test_only_a_screen_sized_copy_without_metadata_is_kept(unguarded_classifier):
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0)}  # a place
    exif[0x010F] = "a camera"
    content = io.BytesIO()
    resize_lesion((3000, 2000)).save(content, "JPEG", exif=exif)
    assert b"Exif" in content.getvalue()
    worklist = Worklist()
    worklist.add([("place.jpg", content.getvalue())])
    (entry,) = read_all(worklist, unguarded_classifier).entries
    assert decode_image(entry.photograph).pixels.shape == (853, 1280, 3)
    assert decode_image(entry.thumbnail).pixels.shape == (107, 160, 3)
    for image in (entry.photograph, entry.thumbnail):
        assert b"Exif" not in image
        assert b"a camera" not in image
    assert (entry.reading.width, entry.reading.height) == (2048, 1365)


def test_an_overlay_has_the_photographs_size_and_without_opacity_its_colours(read):
    entry = read.entries[0]
    photograph = decode_image(entry.photograph).pixels.astype(int)
    plain = decode_image(entry.draw_overlay("MEL", opacity=0)).pixels
    opaque = decode_image(entry.draw_overlay("NV", opacity=1)).pixels
    assert plain.shape == opaque.shape == photograph.shape
    assert abs(plain - photograph).mean() < 1  # except for a second compression
    assert abs(opaque - photograph).mean() > abs(plain - photograph).mean()


def test_a_narrow_photograph_has_an_overlay_too(unguarded_classifier):
    content = io.BytesIO()
    resize_lesion((3000, 70)).save(content, "JPEG")
    worklist = Worklist()
    worklist.add([("narrow.jpg", content.getvalue())])
    (entry,) = read_all(worklist, unguarded_classifier).entries
    overlay = Image.open(io.BytesIO(entry.draw_overlay("MEL", opacity=0.5)))
    assert overlay.size == (1280, 30)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "unnamed photograph"),
        ("\u202e\u200b\n", "unnamed photograph"),
        ("mole.jpg", "mole.jpg"),
        ("left\tarm\n2.jpg", "left arm 2.jpg"),
        ("exe\u202egpj.png", "exe gpj.png"),
        ("Muttermal größer – 痣.jpg", "Muttermal größer – 痣.jpg"),
        ("a" * 300 + ".jpg", "a" * 60 + "…" + "a" * 56 + ".jpg"),
    ],
)
def test_a_name_is_shown_on_one_line_without_invisible_characters(name, shown):
    worklist = Worklist()
    worklist.add([(name, b"")])
    assert worklist.pending_name == shown


def test_the_table_has_a_row_for_every_reading_and_refusal(read):
    rows = list(csv.DictReader(io.StringIO(export_csv(read).decode("utf-8-sig"))))
    assert len(rows) == len(LESIONS) + 1
    first, last = rows[0], rows[-1]
    reading = read.entries[0].reading
    assert first["image"] == read.entries[0].name
    assert first["status"] == "read"
    assert float(first["melanoma_probability"]) == reading.melanoma_probability
    assert first["alert"] == str(reading.alert).lower()
    assert float(first["probability_NV"]) == reading.probabilities[1]
    assert (last["image"], last["status"]) == ("notes.jpg", "refused")
    assert last["reason"] == read.refused[0].reason
    assert last["alert"] == ""


def test_a_file_name_that_is_a_formula_is_escaped(unguarded_classifier):
    worklist = Worklist()
    worklist.add([("=HYPERLINK(1).jpg", b"")])
    (row,) = csv.DictReader(
        io.StringIO(export_csv(read_all(worklist, unguarded_classifier)).decode("utf-8-sig"))
    )
    assert row["image"] == "'=HYPERLINK(1).jpg"


def test_a_session_takes_no_more_than_its_limits_and_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr("melanoma_core.reading.queue._MAX_PHOTOGRAPHS", 3)
    worklist = Worklist()
    worklist.add([(f"{number}.jpg", b"not a photograph") for number in range(5)])

    assert worklist.progress == (0, 3)
    (refused,) = worklist.refused
    assert (refused.name, refused.names) == ("2 files", ("3.jpg", "4.jpg"))
    rows = list(csv.DictReader(io.StringIO(export_csv(worklist).decode("utf-8-sig"))))
    assert [(row["image"], row["status"]) for row in rows] == [
        ("3.jpg", "refused"),
        ("4.jpg", "refused"),
    ]
    assert {row["reason"] for row in rows} == {refused.reason}
    assert refused.reason == (
        "A session holds at most 3 photographs, of which at most 256 MiB wait to be read. 2 files "
        "were not taken. Wait for the others, download the table, forget all, then upload the rest."
    )

    worklist.clear()
    worklist.add([TEXT])
    assert worklist.refused == []


def test_the_bytes_that_wait_are_limited_too(monkeypatch):
    monkeypatch.setattr("melanoma_core.reading.queue._MAX_WAITING_BYTES", 2**20)
    worklist = Worklist()
    worklist.add([("a.jpg", bytes(2**19)), ("b.jpg", bytes(2**20)), ("c.jpg", bytes(2**19))])

    assert [file.name for file in worklist.refused] == ["b.jpg"]
    assert worklist.pending_name == "a.jpg"


def test_text_in_the_pixels_of_a_dicom_file_is_flagged_with_the_reading(unguarded_classifier):
    pixels = np.asarray(resize_lesion((200, 150)))
    worklist = Worklist()
    for said in ("YES", "NO"):
        data = write(make_photograph(pixels, BurnedInAnnotation=said))
        worklist.add([(f"{said}.dcm", data)])
    read_all(worklist, unguarded_classifier)
    flagged = {
        entry.name: [str(finding.kind) for finding in entry.reading.quality]
        for entry in worklist.entries
    }
    assert "burned-in text" in flagged["YES.dcm"]
    assert "burned-in text" not in flagged["NO.dcm"]


def test_the_frames_of_a_dicom_file_are_photographs_of_one_lesion(unguarded_classifier):
    frames = np.stack([np.asarray(resize_lesion((120, 90)))] * 3)
    frames[1] = frames[1, ::-1]
    data = write(make_photograph(frames))
    worklist = Worklist()
    worklist.add([("visit.dcm", data), LESIONS[0], ("visit.dcm", data)])
    assert worklist.progress == (0, 7)
    read_all(worklist, unguarded_classifier)
    assert not worklist.refused
    names = {lesion.name: len(lesion.entries) for lesion in worklist.lesions}
    assert names == {"visit.dcm": 3, LESIONS[0][0]: 1, "visit.dcm (2)": 3}
    (first, *_) = [each for each in worklist.lesions if each.name == "visit.dcm"]
    assert {entry.name for entry in first.entries} == {f"visit.dcm#{n}" for n in (1, 2, 3)}
