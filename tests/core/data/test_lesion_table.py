from pathlib import Path

import pytest

from melanoma_core.data.lesion_table import match_lesions, read_lesion_table
from melanoma_core.errors import DatasetError

PATHS = [Path("here/1.jpg"), Path("here/2.JPG")]


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n"])
def test_an_empty_table_is_refused(content):
    with pytest.raises(DatasetError, match=r"The table mine\.csv is empty"):
        read_lesion_table(content, "mine.csv")


@pytest.mark.parametrize(
    "content", [b"just words\n", b"image,age\n1.jpg,40\n", b"lesion_id,age\nL1,40\n"]
)
def test_a_table_without_photographs_or_lesions_is_refused_with_its_columns(content):
    with pytest.raises(DatasetError, match=r"Found the columns .* in mine\.csv"):
        read_lesion_table(content, "mine.csv")


def test_a_header_alone_is_refused():
    with pytest.raises(DatasetError, match="Found no row with an image and a lesion id"):
        read_lesion_table(b"image,lesion_id\n", "mine.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_table_is_read_as_the_program_wrote_it(separator, encoding):
    lines = [["Lesion ID", "Filename"], ["L1", "a/1.jpg"], ["L1", "b/2.jpg"], ["", "3.jpg"]]
    content = "\r\n".join(separator.join(cells) for cells in lines)
    lesions = read_lesion_table(content.encode(encoding), "mine.csv")
    assert lesions == {"a/1.jpg": "L1", "b/2.jpg": "L1"}


def test_the_table_of_ham10000_names_lesions_by_image_id():
    content = b"lesion_id,image_id,dx\nHAM_0000118,ISIC_0027419,bkl\nHAM_0000118,ISIC_0025030,bkl\n"
    assert read_lesion_table(content, "ham.csv") == {
        "ISIC_0027419": "HAM_0000118",
        "ISIC_0025030": "HAM_0000118",
    }


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=;;"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_german_table_of_excel_is_read_with_its_separator_line(first, end, encoding):
    lines = [first, "Datei;Läsion", "Bräune, links.jpg;Rücken", "2.jpg;Rücken"]
    lesions = read_lesion_table(end.join(lines).encode(encoding), "mine.csv")
    assert lesions == {"Bräune, links.jpg": "Rücken", "2.jpg": "Rücken"}


def test_the_separator_line_alone_is_an_empty_table():
    with pytest.raises(DatasetError, match=r"The table mine\.csv is empty"):
        read_lesion_table(b"sep=;\r\n", "mine.csv")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00", r"an Excel workbook \(\.xlsx\)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"an Excel workbook \(\.xls\)"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "a JPEG photograph"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"GIF89a\x00\x01\x00\n", "a binary file"),
    ],
)
def test_another_kind_of_file_is_named_without_its_bytes(content, kind):
    with pytest.raises(DatasetError, match=f"mine: it is {kind}.*, not a text") as caught:
        read_lesion_table(content, "mine")
    assert str(caught.value).endswith("Save the table as CSV in UTF-8.")
    assert str(caught.value).isprintable()


def test_a_short_row_is_left_out():
    assert read_lesion_table(b"image,lesion_id\n1.jpg\n2.jpg,L1\n", "mine.csv") == {"2.jpg": "L1"}


def test_two_lesions_for_one_photograph_are_refused_by_name():
    with pytest.raises(DatasetError, match=r"Found two lesions of 1\.jpg in mine\.csv: L1 and L2"):
        read_lesion_table(b"image,lesion_id\n1.jpg,L1\n1.jpg,L2\n", "mine.csv")


def test_photographs_are_matched_with_or_without_folder_and_suffix():
    lesions = {"1.jpg": "L1", "there/2": "L2", "9.jpg": "L9"}
    match = match_lesions(lesions, PATHS, "mine.csv")
    assert match.lesions == ("L1", "L2")
    assert match.unmatched == ("9.jpg",)


def test_a_table_about_none_of_the_photographs_is_refused():
    with pytest.raises(DatasetError, match=r"No row of mine\.csv is about one of the photographs"):
        match_lesions({"9.jpg": "L9"}, PATHS, "mine.csv")


def test_a_row_that_may_mean_two_photographs_is_refused():
    with pytest.raises(DatasetError, match="does not say which of these photographs it means"):
        match_lesions({"1": "L1"}, [Path("a/1.jpg"), Path("b/1.jpg")], "mine.csv")


def test_two_rows_about_one_photograph_are_refused():
    with pytest.raises(DatasetError, match="about the same photograph"):
        match_lesions({"1.jpg": "L1", "1": "L2"}, PATHS, "mine.csv")


def test_a_repeated_row_is_read_once_and_a_placeholder_is_no_lesion():
    content = b"image,lesion\n1.jpg,L1\n1.jpg,L1\n2.jpg,unknown\n"
    assert read_lesion_table(content, "mine.csv") == {"1.jpg": "L1"}


def test_a_cell_that_was_escaped_for_spreadsheets_is_read_back():
    assert read_lesion_table(b"image,lesion\n'=a.jpg,'-arm\n", "mine.csv") == {"=a.jpg": "-arm"}


def test_photographs_of_one_name_are_matched_by_their_folders():
    paths = [Path("left/1.jpg"), Path("right/1.jpg")]
    match = match_lesions({"left/1.jpg": "L1", "right/1.jpg": "L2"}, paths, "mine.csv")
    assert match.lesions == ("L1", "L2")


def test_the_same_photograph_given_twice_is_of_the_same_lesion():
    match = match_lesions({"1": "L1"}, [Path("1.jpg"), Path("1.jpg")], "mine.csv")
    assert match.lesions == ("L1", "L1")
