import csv
import io
import threading
from pathlib import Path

import pytest
from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import decode_image
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.reading.worklist import Worklist, clean_name, tabulate

LESIONS = [(lesion.file_name, lesion.path.read_bytes()) for lesion in DEMONSTRATION_LESIONS]
TEXT = ("notes.jpg", b"not a photograph")


@pytest.fixture(scope="module")
def classifier(unguarded: Path) -> Classifier:
    return load_classifier(unguarded)


def resize_lesion(size: tuple[int, int]) -> Image.Image:
    return Image.open(DEMONSTRATION_LESIONS[0].path).resize(size)


def read_all(worklist: Worklist, classifier: Classifier) -> Worklist:
    while worklist.read_next(classifier):
        pass
    return worklist


@pytest.fixture(scope="module")
def read(classifier: Classifier) -> Worklist:
    worklist = Worklist()
    worklist.add([*LESIONS, TEXT])
    return read_all(worklist, classifier)


def test_an_empty_worklist_has_nothing_to_read_open_or_show(classifier):
    worklist = Worklist()
    assert not worklist.read_next(classifier)
    assert worklist.pending_name is None
    assert worklist.position is None
    assert worklist.opened is None
    assert worklist.progress == (0, 0)


def test_one_bad_file_loses_none_of_the_others(read):
    assert len(read.entries) == len(LESIONS)
    (refused,) = read.refused
    assert refused.name == "notes.jpg"
    assert refused.reason.startswith("The file is a text file.")


def test_what_was_read_comes_with_the_most_suspicious_first(read):
    probabilities = [entry.reading.melanoma_probability for entry in read.entries]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(set(probabilities)) == len(LESIONS)


def test_the_most_suspicious_of_those_that_came_last_is_opened(read, classifier):
    assert read.opened is read.entries[0]
    worklist = Worklist()
    names = [entry.name for entry in read.entries]
    contents = dict(LESIONS)
    worklist.add([(names[0], contents[names[0]])])
    read_all(worklist, classifier)
    worklist.add([(name, contents[name]) for name in (names[2], names[1])])
    read_all(worklist, classifier)
    assert worklist.opened is not None
    assert worklist.opened.name == names[1]
    assert worklist.position == 1


def test_the_one_that_was_chosen_stays_open(classifier):
    worklist = Worklist()
    worklist.add(LESIONS[:3])
    read_all(worklist, classifier)
    last = worklist.entries[-1]
    worklist.open(last.key)
    assert worklist.opened is last
    worklist.clear()
    assert worklist.opened is None


def test_the_same_name_twice_makes_two_entries(classifier):
    worklist = Worklist()
    worklist.add([LESIONS[0], LESIONS[0]])
    first, second = read_all(worklist, classifier).entries
    assert first.name == second.name
    assert first.key != second.key


def test_dropping_those_that_wait_keeps_those_that_were_read(classifier):
    worklist = Worklist()
    worklist.add(LESIONS[:3])
    worklist.read_next(classifier)
    assert worklist.progress == (1, 3)
    assert worklist.pending_name == LESIONS[1][0]
    worklist.drop_pending()
    assert not worklist.read_next(classifier)
    assert [entry.name for entry in worklist.entries] == [LESIONS[0][0]]


def test_refusals_are_dismissed_alone(classifier):
    worklist = Worklist()
    worklist.add([LESIONS[0], TEXT])
    read_all(worklist, classifier).dismiss_refused()
    assert worklist.refused == []
    assert len(worklist.entries) == 1


def test_threads_that_read_at_once_read_every_photograph_once(classifier):
    worklist = Worklist()
    worklist.add([(f"{place}.jpg", LESIONS[0][1]) for place in range(24)])
    threads = [threading.Thread(target=read_all, args=(worklist, classifier)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.key for entry in worklist.entries) == list(range(24))


def test_of_a_photograph_only_a_copy_for_the_screen_without_metadata_stays(classifier):
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0)}  # a place
    exif[0x010F] = "a camera"
    content = io.BytesIO()
    resize_lesion((3000, 2000)).save(content, "JPEG", exif=exif)
    assert b"Exif" in content.getvalue()
    worklist = Worklist()
    worklist.add([("place.jpg", content.getvalue())])
    (entry,) = read_all(worklist, classifier).entries
    assert decode_image(entry.photograph).pixels.shape == (853, 1280, 3)
    assert decode_image(entry.thumbnail).pixels.shape == (107, 160, 3)
    for picture in (entry.photograph, entry.thumbnail):
        assert b"Exif" not in picture
        assert b"a camera" not in picture
    assert (entry.reading.width, entry.reading.height) == (2048, 1365)


def test_an_overlay_has_the_photographs_size_and_without_opacity_its_colours(read):
    entry = read.entries[0]
    photograph = decode_image(entry.photograph).pixels.astype(int)
    plain = decode_image(entry.draw_overlay("MEL", opacity=0)).pixels
    opaque = decode_image(entry.draw_overlay("NV", opacity=1)).pixels
    assert plain.shape == opaque.shape == photograph.shape
    assert abs(plain - photograph).mean() < 1  # but for being compressed once more
    assert abs(opaque - photograph).mean() > abs(plain - photograph).mean()


def test_a_narrow_photograph_has_an_overlay_too(classifier):
    content = io.BytesIO()
    resize_lesion((3000, 70)).save(content, "JPEG")
    worklist = Worklist()
    worklist.add([("narrow.jpg", content.getvalue())])
    (entry,) = read_all(worklist, classifier).entries
    overlay = Image.open(io.BytesIO(entry.draw_overlay("MEL", opacity=0.5)))
    assert overlay.size == (1280, 30)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "photograph without a name"),
        ("\u202e\u200b\n", "photograph without a name"),
        ("mole.jpg", "mole.jpg"),
        ("left\tarm\n2.jpg", "left arm 2.jpg"),
        ("exe\u202egpj.png", "exe gpj.png"),
        ("Muttermal größer – 痣.jpg", "Muttermal größer – 痣.jpg"),
        ("a" * 300 + ".jpg", "a" * 60 + "…" + "a" * 56 + ".jpg"),
    ],
)
def test_a_name_is_shown_on_one_line_without_invisible_characters(name, shown):
    assert clean_name(name) == shown


def test_the_table_has_a_row_for_every_reading_and_refusal(read):
    rows = list(csv.DictReader(io.StringIO(tabulate(read).decode("utf-8-sig"))))
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


def test_a_name_that_is_a_formula_is_text_to_a_spreadsheet(classifier):
    worklist = Worklist()
    worklist.add([("=HYPERLINK(1).jpg", b"")])
    (row,) = csv.DictReader(
        io.StringIO(tabulate(read_all(worklist, classifier)).decode("utf-8-sig"))
    )
    assert row["image"] == "'=HYPERLINK(1).jpg"
