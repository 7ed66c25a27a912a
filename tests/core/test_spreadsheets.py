"""A table keeps its values, and no cell of it is a formula for a spreadsheet."""

import ast
import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.table_files import open_table
from melanoma_core.settings import PROJECT_ROOT
from melanoma_core.spreadsheets import defuse, format_rows, format_table, restore, restore_table

FORMULAS = [
    "=1+1",
    "=HYPERLINK(1).jpg",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "'=1+1",
    "''=1+1",
    "-",
    "=",
]
TEXTS = ["", "it's", "'quoted'", "a=1", "-0.5", "+3", "-1e-9", "a,b", 'a"b', "NA", "'", "1\n2"]


def read_raw(content: bytes) -> pd.DataFrame:
    return pd.read_csv(
        io.BytesIO(content),
        dtype=object,
        keep_default_na=False,
        encoding_errors="surrogateescape",
        lineterminator="\n",
    )


@pytest.mark.parametrize("text", FORMULAS + TEXTS)
def test_every_text_is_restored(text: str):
    assert restore(defuse(text)) == text
    assert restore(text) == text or text.startswith("'")


@pytest.mark.parametrize("text", FORMULAS[:-2])
def test_no_cell_begins_as_a_formula(text: str):
    assert defuse(text) == f"'{text}"


@pytest.mark.parametrize("text", [*TEXTS, "-", "="])
def test_numbers_and_other_texts_stay_as_they_are(text: str):
    assert defuse(text) == text


def test_a_table_reads_back_the_same_values():
    texts = [text for text in FORMULAS + TEXTS if not set(text) & {"\r", "\n"}]
    table = pd.DataFrame({"name": texts, "=column": "x"}, dtype=object)
    table.loc[0, "name"] = "=\udc80.jpg"  # a file name that is not UTF-8

    content = format_table(table)

    cells = read_raw(content)
    assert list(cells.columns) == ["name", "'=column"]
    assert cells.loc[0, "name"] == "'=\udc80.jpg"
    pd.testing.assert_frame_equal(restore_table(cells), table)


def test_the_reader_of_a_dataset_restores_texts_too(tmp_path: Path):
    table = pd.DataFrame({"isic_id": ["ISIC_1", "ISIC_2"], "attribution": ["@clinic", "it's"]})
    (tmp_path / "metadata.csv").write_bytes(format_table(table))

    opened = open_table(tmp_path / "metadata.csv")

    assert opened is not None
    assert list(opened.read(["attribution"])["attribution"]) == ["@clinic", "it's"]


def test_numbers_keep_every_digit_and_missing_values_stay_missing():
    table = pd.DataFrame(
        {"share": [-0.1, 1 / 3], "label": ["=x", None], "is_kept": [True, False], "n": [-1, 2]}
    )

    assert format_table(table) == (
        b"share,label,is_kept,n\n-0.1,'=x,True,-1\n0.3333333333333333,,False,2\n"
    )
    single = table[["share"]].astype(np.float32)
    assert format_table(single, "%.9g") == b"share\n-0.100000001\n0.333333343\n"


def test_a_named_index_is_the_first_column():
    table = pd.DataFrame({"n": [1]}, index=pd.Index(["@a"], name="label"))

    assert format_table(table) == b"label,n\n'@a,1\n"
    assert format_table(table.rename_axis(None)) == b"n\n1\n"


def test_rows_for_a_spreadsheet_have_the_columns_of_all():
    content = format_rows([{"image": "=a", "p": -0.5}, {"image": "b", "reason": "@c"}])

    assert content.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(content.decode("utf-8-sig")))) == [
        ["image", "p", "reason"],
        ["'=a", "-0.5", ""],
        ["b", "", "'@c"],
    ]


def test_every_table_is_written_here():
    hashes = {"melanoma_core/models/lineage.py", "melanoma_core/data/dataset.py"}  # no files
    own = {"melanoma_core/spreadsheets.py", "melanoma_core/data/drawn/dataset.py"}
    others = [
        path.relative_to(PROJECT_ROOT).as_posix()
        for package in ("melanoma_core", "dashboard")
        for path in (PROJECT_ROOT / package).rglob("*.py")
        if writes_csv(path)
    ]
    assert set(others) - hashes - own == set()


def writes_csv(path: Path) -> bool:
    names = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
    }
    return bool(names & {"to_csv", "DictWriter", "writerow", "writerows"})
