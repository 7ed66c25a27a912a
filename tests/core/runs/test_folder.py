"""The folder of a run is read as it was written."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.dataset import hash_table
from melanoma_core.data.splitting import Split
from melanoma_core.errors import RunError
from melanoma_core.runs.folder import RunFolder, hash_test
from melanoma_core.training.observer import Estimate

NO_TEXT = os.fsdecode(b"/photos/\xff\xfe.jpg")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def make_split(**columns: object) -> Split:
    table = pd.DataFrame(
        {
            "image_id": ["a", "b", "c"],
            "path": pd.Series(
                [NO_TEXT, '/with "quotes", commas\nand lines.jpg', "/c"], dtype=object
            ),
            "label": pd.Series(["NA", "nan", "None"], dtype=object),
            "subset": ["train", "validation", "test"],
            "lesion_id": pd.Series(["007", None, "1e5"], dtype=object),
            "patient_id": pd.Series([None, None, None], dtype=object),
            "sha256": ["0" * 64, "1" * 64, "2" * 64],
            "age": [0.1 + 0.2, np.nan, 70.0],
            "group": np.array([0, 1, 2], dtype=np.int32),
            "leaked": [True, False, True],
            **columns,
        }
    )
    return Split(table, 7, hash_table(table))


def test_invalid_text_missing_values_and_types_are_preserved(folder: RunFolder, make_task):
    spec, _ = make_task()
    split = make_split()

    folder.write(spec, split)

    read = folder.read_split()
    assert (read.seed, read.sha256) == (7, split.sha256)
    assert read.table.astype(object).equals(split.table.astype(object))
    for name in ("age", "group", "leaked"):
        assert read.table[name].dtype == split.table[name].dtype
    assert read.table["patient_id"].tolist() == [None] * 3


def test_ids_that_are_not_valid_text_are_preserved(folder: RunFolder, make_task):
    spec, _ = make_task()
    split = make_split(image_id=pd.Series([os.fsdecode(b"\xe9"), "b", "c"], dtype=object))

    folder.write(spec, split)

    assert folder.read_split().table["image_id"].tolist() == ["\udce9", "b", "c"]


def test_a_task_is_preserved(folder: RunFolder, make_task):
    spec, split = make_task("transfer", "mixup=0.2", "rebalancing=oversampling")

    folder.write(spec, split)

    assert folder.read_spec() == spec
    assert folder.read_split().sha256 == split.sha256


def test_a_table_that_was_changed_is_refused(folder: RunFolder, make_task):
    folder.write(*make_task())
    file = folder.path / "split.csv"
    file.write_text(file.read_text("utf-8").replace(",train,", ",test,", 1), "utf-8")

    with pytest.raises(RunError, match="its hash differs"):
        folder.read_split()


@pytest.mark.parametrize("name", ["spec.json", "split.csv", "split.json"])
def test_a_truncated_file_is_named(folder: RunFolder, make_task, name: str):
    folder.write(*make_task())
    (folder.path / name).write_bytes((folder.path / name).read_bytes()[:40])

    with pytest.raises(RunError, match=r"Cannot read .*Launch the run again"):
        (folder.read_spec(), folder.read_split())


def test_a_folder_that_cannot_be_created_is_named_with_a_remedy(tmp_path: Path, make_task):
    (tmp_path / "file").write_text("")

    with pytest.raises(RunError, match="set MELANOMA_RUNS_DIR"):
        RunFolder(tmp_path / "file" / "run").write(*make_task())


def test_the_hash_of_the_test_images_does_not_depend_on_the_others():
    split = make_split()
    other = make_split(label=pd.Series(["MEL", "nan", "None"], dtype=object))

    assert split.sha256 != other.sha256
    assert hash_test(split) == hash_test(other)


def test_the_end_of_a_log_is_read_and_a_missing_log_is_empty(folder: RunFolder):
    assert folder.tail_log(5) == []
    folder.path.mkdir()
    folder.log.write_text("".join(f"line {i}\n" for i in range(10_000)))

    assert folder.tail_log(2) == ["line 9998", "line 9999"]


def test_an_estimate_or_the_reason_for_none_is_kept(folder: RunFolder, make_task):
    folder.write(*make_task())
    assert folder.read_estimate() is None

    estimate = Estimate(120.0, float("nan"), 3.5, 75.0, 2**30)
    folder.write_estimate(estimate)
    kept = folder.read_estimate()

    assert kept is not None
    assert repr(kept) == repr(estimate)
    folder.write_estimate("Memory ran out.")
    with pytest.raises(RunError, match=r"Memory ran out\."):
        folder.read_estimate()
