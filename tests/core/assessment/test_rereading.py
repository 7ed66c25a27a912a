import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.assessment.assessment import locate_photographs, read_again
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import read_image
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.reading.reading import read_photograph

PATHS = [lesion.path for lesion in DEMONSTRATION_LESIONS]


@pytest.fixture(scope="module")
def records() -> pd.DataFrame:
    """Files as a folder was opened: the drawn lesions, one of them twice, and one unreadable."""
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in PATHS]
    return pd.DataFrame({"path": [*PATHS, PATHS[0], "x"], "sha256": [*hashes, hashes[0], None]})


@pytest.fixture(scope="module")
def classifier(bundled: Path) -> Classifier:
    return load_classifier(bundled)


def test_photographs_are_found_by_their_bytes_wherever_they_lie(records: pd.DataFrame):
    wanted = pd.DataFrame({"sha256": [records["sha256"][2], "elsewhere", records["sha256"][0]]})

    found = locate_photographs(wanted, records)

    assert found["path"].tolist() == [PATHS[2], PATHS[0]]


def test_a_photograph_is_read_again_as_a_reading_reads_it(
    classifier: Classifier, records: pd.DataFrame
):
    told: list[tuple[int, int]] = []
    rows = locate_photographs(records[["sha256"]].head(3), records)

    said = read_again(classifier, rows, lambda done, total: told.append((done, total)))

    assert said["sha256"].tolist() == records["sha256"].head(3).tolist()
    for position, path in enumerate(PATHS[:3]):
        reading = read_photograph(classifier, read_image(path))
        found = said.loc[position, [f"p_{name}" for name in reading.class_names]]
        np.testing.assert_allclose(found.to_numpy(float), reading.probabilities, atol=1e-6)
    assert told == [(3, 3)]


def test_a_photograph_that_has_gone_meanwhile_is_left_out(
    classifier: Classifier, records: pd.DataFrame
):
    rows = pd.DataFrame({"sha256": ["gone", records["sha256"][0]], "path": ["gone.jpg", PATHS[0]]})

    assert read_again(classifier, rows)["sha256"].tolist() == [records["sha256"][0]]
    assert read_again(classifier, rows.head(1)).empty
    assert read_again(classifier, rows.head(0)).empty
