import pytest

from melanoma_core.data.lesion_table import parse_lesions
from melanoma_core.errors import DatasetError


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"just words\n", b"image,age\n1.jpg,40\n", b"lesion_id,age\nL1,40\n"]
)
def test_a_text_without_photographs_or_lesions_is_no_table(content):
    with pytest.raises(DatasetError, match=r"Found no table of lesions in mine\.csv: its columns"):
        parse_lesions(content, "mine.csv")


def test_a_header_alone_names_no_lesion():
    assert parse_lesions(b"image,lesion_id\n", "mine.csv") == {}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_cells_are_separated_as_the_program_wrote_them(separator):
    lines = [["Lesion ID", "Filename"], ["L1", "a/1.jpg"], ["L1", "b\\2.jpg"], ["", "3.jpg"]]
    content = "\r\n".join(separator.join(cells) for cells in lines)
    for encoding in ("utf-8-sig", "utf-16"):
        lesions = parse_lesions(content.encode(encoding), "mine.csv")
        assert lesions == {"1.jpg": "L1", "2.jpg": "L1"}


def test_the_table_of_ham10000_names_lesions_by_image_id():
    content = b"lesion_id,image_id,dx\nHAM_0000118,ISIC_0027419,bkl\nHAM_0000118,ISIC_0025030,bkl\n"
    assert parse_lesions(content, "ham.csv") == {
        "ISIC_0027419": "HAM_0000118",
        "ISIC_0025030": "HAM_0000118",
    }


def test_a_short_row_is_left_out():
    assert parse_lesions(b"image,lesion_id\n1.jpg\n2.jpg,L1\n", "mine.csv") == {"2.jpg": "L1"}


def test_two_lesions_for_one_photograph_are_refused_by_name():
    with pytest.raises(DatasetError, match=r"Found two lesions for 1\.jpg in mine\.csv: L1 and L2"):
        parse_lesions(b"image,lesion_id\n1.jpg,L1\n1.jpg,L2\n", "mine.csv")
