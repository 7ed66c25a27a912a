"""Every failure of a run is explained with what to do."""

import errno
from pathlib import Path

import pytest

from melanoma_core.errors import ImageError
from melanoma_core.runs.worker import explain_failure

FOLDER = Path("/runs/0123")
PLENTY = 2**40


class ResourceExhaustedError(Exception):
    """TensorFlow raises it for exhausted memory and for a full disk."""


def test_an_expected_error_keeps_its_message():
    explained = explain_failure(ImageError("The file is gone."), FOLDER, PLENTY)

    assert explained == ("The file is gone.", False)


@pytest.mark.parametrize(
    ("error", "free_bytes"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), PLENTY),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), PLENTY),
        (OSError("Can't write data (file write failed)"), 1000),  # as h5py says it
        (ResourceExhaustedError("/runs/0123/a; No space left on device"), 1000),
    ],
)
def test_a_full_disk_is_named_with_the_folder(error: Exception, free_bytes: int):
    message, is_bug = explain_failure(error, FOLDER, free_bytes)

    assert message.startswith("The disk that holds /runs/0123 is full. Free some space")
    assert not is_bug


@pytest.mark.parametrize("error", [MemoryError(), ResourceExhaustedError("OOM when allocating")])
def test_exhausted_memory_is_explained_with_smaller_settings(error: Exception):
    message, is_bug = explain_failure(error, FOLDER, PLENTY)

    assert message.startswith("Memory ran out.")
    assert "smaller batch size or image size" in message
    assert not is_bug


def test_a_file_without_permission_is_named():
    error = PermissionError(errno.EACCES, "Permission denied", "/data/a.jpg")

    message, is_bug = explain_failure(error, FOLDER, PLENTY)

    assert "a file /data/a.jpg (Permission denied)" in message
    assert not is_bug


def test_anything_else_is_a_bug():
    message, is_bug = explain_failure(KeyError("epoch"), FOLDER, PLENTY)

    assert message.startswith("Internal error: KeyError: 'epoch'.")
    assert is_bug
