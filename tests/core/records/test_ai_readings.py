import hashlib
import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melanoma_core.data.drawn.non_lesions import NonLesionKind, draw_non_lesion
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.ai_readings import (
    DRAWN,
    ReadingRequest,
    decode_heatmap,
    encode_heatmap,
    read_lesion,
)
from melanoma_core.records.kept_readings import find_heatmap_diagnosis
from melanoma_core.records.validation import Surroundings, find_errors
from melanoma_core.taxonomy import Diagnosis
from tests.core.records.made_cases import make_reading

MELANOMA, NEVUS = (DEMONSTRATION_LESIONS[place].path for place in (0, 3))


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier(BUNDLED, num_threads=1)


class Kept(dict[str, bytes]):
    def put(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self[name] = data
        return name


def request(*paths: Path, **facts: object) -> ReadingRequest:
    photographs = {path.stem: path.read_bytes() for path in paths}
    return ReadingRequest(
        lesion_id="l", visit_id="v", photographs=photographs, app_version="0.2.0", **facts
    )  # type: ignore[arg-type]


def test_a_lesion_without_photographs_is_not_read(classifier: Classifier):
    reading = read_lesion(classifier, request(is_drawn=True), Kept().put)
    assert (reading.was_read, reading.melanoma_alert, reading.photographs) == (False, False, ())
    assert find_errors(reading, Surroundings()) == ()


def test_a_file_that_is_no_photograph_is_named_with_the_reason(classifier: Classifier):
    broken = ReadingRequest(
        lesion_id="l", visit_id="v", photographs={"f": b"no image"}, app_version="0.2.0"
    )
    reading = read_lesion(classifier, broken, Kept().put)
    assert not reading.was_read
    (photograph,) = reading.photographs
    assert photograph.refusal
    assert (photograph.sharpness, photograph.heatmap_sha256) == (None, "")


def test_what_is_out_of_distribution_is_refused_unless_a_person_has_it_read(
    classifier: Classifier,
):
    buffer = io.BytesIO()
    Image.fromarray(draw_non_lesion(NonLesionKind.NOISE, 1)).save(buffer, "PNG")
    noise = replace(request(), photographs={"f": buffer.getvalue()})
    refused = read_lesion(classifier, noise, Kept().put)
    assert not refused.was_read
    assert "does not look like" in refused.photographs[0].refusal
    assert refused.photographs[0].novelty is not None
    assert refused.photographs[0].brightness is not None
    read = read_lesion(
        classifier,
        replace(noise, read_anyway=True, prevalence=Prevalence(0.02, 0.1)),
        Kept().put,
    )
    assert read.photographs[0].read_anyway
    assert (read.prevalence, read.adapted) == ((0.02, 0.1), ())


def test_a_reading_keeps_what_was_in_force(classifier: Classifier):
    card, kept = classifier.card, Kept()
    reading = read_lesion(
        classifier, request(MELANOMA, is_drawn=True, prevalence=Prevalence(0.02, 0.1)), kept.put
    )
    assert (reading.model_id, reading.app_version) == (card.model_id, "0.2.0")
    assert reading.melanoma_threshold == card.operating_point.threshold
    assert reading.skin_cancer_threshold == card.rules.skin_cancer_threshold
    assert reading.melanoma_alert
    assert sum(reading.adapted) == pytest.approx(1)
    assert "at your prevalence" in reading.statement
    assert reading.photographs[0].findings[0] == DRAWN
    assert find_errors(reading, Surroundings(today=date(2026, 6, 1))) == ()
    heatmap = decode_heatmap(kept[reading.photographs[0].heatmap_sha256])
    assert heatmap.shape == (240, 320)
    assert heatmap.max() > 0.25


def test_several_photographs_are_read_as_one_lesion(classifier: Classifier):
    both = read_lesion(classifier, request(MELANOMA, NEVUS, is_drawn=True), Kept().put)
    alone = [
        read_lesion(classifier, request(path, is_drawn=True), Kept().put)
        for path in (MELANOMA, NEVUS)
    ]
    singles = [each.find_probability("MEL") or 0.0 for each in alone]
    assert min(singles) < (both.find_probability("MEL") or 0.0) < max(singles)
    assert [each.photograph_id for each in both.photographs] == [MELANOMA.stem, NEVUS.stem]


def test_one_refused_photograph_does_not_stop_the_others(classifier: Classifier):
    whole = request(MELANOMA, is_drawn=True)
    some = replace(whole, photographs={**whole.photographs, "broken": b""})
    reading = read_lesion(classifier, some, Kept().put)
    assert reading.was_read
    assert [bool(each.refusal) for each in reading.photographs] == [False, True]


@pytest.mark.parametrize(
    ("melanoma_alert", "skin_cancer_alert", "expected"),
    [
        (False, None, Diagnosis.MEL),
        (False, False, Diagnosis.MEL),
        (True, True, Diagnosis.MEL),
        (False, True, Diagnosis.BCC),
    ],
)
def test_the_heatmap_is_that_of_the_alert(
    melanoma_alert: bool, skin_cancer_alert: bool | None, expected: Diagnosis
):
    reading = replace(
        make_reading("v", "f"),
        probabilities=(0.1, 0.3, 0.4, 0.0, 0.0, 0.0, 0.0, 0.2),
        melanoma_alert=melanoma_alert,
        skin_cancer_alert=skin_cancer_alert,
    )
    assert find_heatmap_diagnosis(reading) is expected


def test_an_undefined_heatmap_is_kept_as_no_evidence():
    heatmap = np.full((4, 6), np.nan, np.float32)
    assert decode_heatmap(encode_heatmap(heatmap)).max() == 0
