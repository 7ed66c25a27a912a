from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.formats.budget import Budget
from melanoma_core.data.images import Photograph, decode_image, read_image
from melanoma_core.evaluation.rules import ConformalBound, ConformalBounds
from melanoma_core.evaluation.temperature import apply_temperature
from melanoma_core.models.card import OperatingPoint
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading import reading as reading_module
from melanoma_core.reading.reading import (
    Reading,
    Refusal,
    RefusalKind,
    read_files,
    read_photograph,
)


@pytest.fixture(scope="module")
def photographs(draw, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photographs")
    return [draw(folder / f"{seed}.jpg", seed, (150 + seed, 100)) for seed in range(20)]


def with_threshold(classifier: Classifier, threshold: float) -> Classifier:
    """Return the same network with another alert threshold."""
    card = replace(classifier.card, operating_point=OperatingPoint(threshold, 0.95, "validation"))
    return Classifier(classifier._session, card)


def test_no_file_gives_no_reading(unguarded_classifier: Classifier):
    assert list(read_files(unguarded_classifier, [])) == []


def test_a_reading_has_the_values_of_the_card(
    unguarded_classifier: Classifier, photographs: list[Path]
):
    reading = read_photograph(unguarded_classifier, read_image(photographs[0]))
    card = unguarded_classifier.card

    assert (reading.model_id, reading.class_names) == (card.model_id, card.class_names)
    assert sum(reading.probabilities) == pytest.approx(1)
    assert reading.melanoma_probability == reading.probabilities[card.melanoma_index]
    assert reading.threshold == card.operating_point.threshold
    assert (reading.width, reading.height) == (150, 100)
    assert reading.evidence.shape[0] == 8


def test_a_model_that_makes_no_sets_reads_without_one(
    unguarded_classifier: Classifier, photographs: list[Path]
):
    without = Classifier(
        unguarded_classifier._session, replace(unguarded_classifier.card, conformal=None)
    )
    assert read_photograph(without, read_image(photographs[0])).prediction_set is None


def test_the_set_holds_the_diagnoses_that_reach_their_bound(
    unguarded_classifier: Classifier, photographs: list[Path]
):
    first = read_photograph(unguarded_classifier, read_image(photographs[0]))
    ranked = sorted(zip(first.probabilities, first.class_names, strict=True), reverse=True)
    lowest = ranked[1][0]  # the second most probable just reaches it
    bounds = {name: ConformalBound(lowest, 20) for name in first.class_names}
    card = replace(unguarded_classifier.card, conformal=ConformalBounds(0.9, "validation", bounds))

    reading = read_photograph(
        Classifier(unguarded_classifier._session, card), read_image(photographs[0])
    )

    assert reading.prediction_set is not None
    assert reading.prediction_set.members == (ranked[0][1], ranked[1][1])
    assert reading.prediction_set.melanoma == "MEL"
    assert reading.prediction_set.coverage == 0.9


def test_there_is_a_heatmap_of_every_class_at_the_size_of_the_photograph(
    unguarded_classifier: Classifier, photographs: list[Path]
):
    reading = read_photograph(unguarded_classifier, read_image(photographs[3]))

    heatmaps = reading.heatmaps()

    assert heatmaps.shape == (8, 100, 153)
    assert heatmaps.dtype == np.float32
    assert heatmaps.min() >= 0
    assert heatmaps.max() <= 1
    for name, heatmap in zip(reading.class_names, heatmaps, strict=True):
        np.testing.assert_allclose(reading.heatmap(name), heatmap, atol=1e-6)


def test_an_unknown_class_has_no_heatmap(unguarded_classifier: Classifier, photographs: list[Path]):
    with pytest.raises(ValueError, match="not in tuple"):
        read_photograph(unguarded_classifier, read_image(photographs[0])).heatmap("WART")


def test_the_alert_is_raised_at_the_threshold_and_not_just_below_it(
    unguarded_classifier: Classifier, photographs: list[Path]
):
    photograph = read_image(photographs[0])
    probability = read_photograph(unguarded_classifier, photograph).melanoma_probability

    at = with_threshold(unguarded_classifier, probability)
    above = with_threshold(unguarded_classifier, float(np.nextafter(probability, 1)))

    assert read_photograph(at, photograph).alert is True
    assert read_photograph(above, photograph).alert is False


def test_a_reading_has_both_alerts_and_its_uncalibrated_probabilities(
    unguarded_classifier: Classifier, photographs: list[Path]
):
    photograph = read_image(photographs[0])
    card = replace(unguarded_classifier.card, skin_cancer_operating_point=None)
    older = read_photograph(unguarded_classifier.with_card(card), photograph)
    assert isinstance(older, Reading)
    assert older.skin_cancer_alert is older.skin_cancer_threshold is None
    calibrated = apply_temperature(
        np.array(older.uncalibrated), unguarded_classifier.card.temperature
    )
    assert calibrated.tolist() == pytest.approx(older.probabilities)

    share = older.skin_cancer_probability
    for threshold, alert in ((share, True), (float(np.nextafter(share, 1)), False)):
        point = OperatingPoint(threshold, 0.95, "validation")
        card = replace(
            unguarded_classifier.card,
            operating_point=replace(unguarded_classifier.card.operating_point, threshold=1.0),
            skin_cancer_operating_point=point,
        )
        reading = read_photograph(unguarded_classifier.with_card(card), photograph)
        assert isinstance(reading, Reading)
        assert reading.skin_cancer_alert is alert


def test_what_is_out_of_distribution_is_read_anyway_only_on_request_and_marked(
    bundled_classifier: Classifier, photographs: list[Path]
):
    photograph = read_image(photographs[0])
    refusal = read_photograph(bundled_classifier, photograph)
    assert isinstance(refusal, Refusal)
    assert refusal.kind is RefusalKind.UNFAMILIAR

    reading = read_photograph(bundled_classifier, photograph, read_anyway=True)
    assert isinstance(reading, Reading)
    assert reading.read_anyway
    assert (reading.novelty, reading.novelty_limit) == (refusal.novelty, refusal.novelty_limit)
    assert reading.novelty > reading.novelty_limit


def test_a_familiar_photograph_gets_no_mark_on_request(
    unguarded_classifier: Classifier, photographs: list[Path]
):
    reading = read_photograph(unguarded_classifier, read_image(photographs[0]), read_anyway=True)
    assert isinstance(reading, Reading)
    assert not reading.read_anyway


def test_no_other_refusal_can_be_overridden(bundled_classifier: Classifier, tmp_path: Path):
    flat = Photograph(np.full((90, 120, 3), 128, np.uint8), 120, 90, "PNG")
    refusal = read_photograph(bundled_classifier, flat, read_anyway=True)
    assert isinstance(refusal, Refusal)
    assert refusal.kind is RefusalKind.QUALITY

    path = tmp_path / "text.jpg"
    path.write_text("no image")
    ((_, result),) = read_files(bundled_classifier, [path], read_anyway=True)
    assert isinstance(result, Refusal)
    assert result.kind is RefusalKind.UNREADABLE


def test_the_bytes_and_the_file_give_the_same_reading(
    unguarded_classifier: Classifier, photographs: list[Path]
):
    from_file = read_photograph(unguarded_classifier, read_image(photographs[0]))
    from_bytes = read_photograph(unguarded_classifier, decode_image(photographs[0].read_bytes()))

    assert from_file.probabilities == from_bytes.probabilities
    np.testing.assert_array_equal(from_file.evidence, from_bytes.evidence)


def test_one_bad_file_among_twenty_does_not_stop_the_others(
    unguarded_classifier: Classifier, photographs: list[Path], tmp_path: Path
):
    bad = tmp_path / "bad.jpg"
    bad.write_text("no image")
    paths = [*photographs[:7], bad, *photographs[8:]]

    results = list(read_files(unguarded_classifier, paths, num_workers=2))

    assert [path for path, _ in results] == paths
    refused = [number for number, (_, result) in enumerate(results) if isinstance(result, Refusal)]
    assert refused == [7]
    refusal = results[7][1]
    assert isinstance(refusal, Refusal)
    assert refusal.reason.startswith("The file is a text file.")


@pytest.mark.parametrize("num_workers", [1, 2])
@pytest.mark.slow
def test_a_photograph_that_takes_too_long_is_refused_and_the_others_are_read(
    unguarded_classifier: Classifier,
    photographs: list[Path],
    draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    num_workers: int,
):
    large = draw(tmp_path / "large.png", 1, (2500, 2000))
    small = Budget(pixels=100_000)  # decoded at once
    monkeypatch.setattr(
        reading_module, "decode_within", partial(decode_within, seconds=0.002, quick=small)
    )
    paths = [photographs[0], large, photographs[1]]

    results = list(read_files(unguarded_classifier, paths, num_workers))

    assert [path for path, _ in results] == paths
    assert [isinstance(result, Reading) for _, result in results] == [True, False, True]
    refusal = results[1][1]
    assert isinstance(refusal, Refusal)
    assert refusal.reason.startswith("The photograph was not decoded within 0.002 seconds")


@pytest.mark.parametrize("num_workers", [1, 3])
def test_files_are_opened_only_as_they_are_read(
    unguarded_classifier: Classifier, photographs: list[Path], num_workers: int
):
    taken = 0

    def endless() -> Iterator[Path]:
        nonlocal taken
        while True:
            taken += 1
            yield photographs[taken % 20]

    results = read_files(unguarded_classifier, endless(), num_workers)
    for number in range(1, 16):
        next(results)
        assert taken <= number + 4 * num_workers
    results.close()


def test_any_number_of_workers_reads_the_same_in_the_same_order(
    unguarded_classifier: Classifier, photographs: list[Path]
):
    one, four = (list(read_files(unguarded_classifier, photographs, workers)) for workers in (1, 4))

    for (path, alone), (other_path, together) in zip(one, four, strict=True):
        assert path == other_path
        assert isinstance(alone, Reading)
        assert isinstance(together, Reading)
        assert alone.probabilities == together.probabilities
        np.testing.assert_array_equal(alone.evidence, together.evidence)


def test_concurrent_readings_do_not_affect_each_other(
    unguarded_classifier: Classifier, photographs: list[Path]
):
    def read(path: Path) -> Reading:
        return read_photograph(unguarded_classifier, read_image(path))

    expected = [read(path) for path in photographs[:8]]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, photographs[:8] * 3))

    assert len({reading.probabilities for reading in expected}) == 8
    for reading, alone in zip(found, expected * 3, strict=True):
        assert reading.probabilities == alone.probabilities
        np.testing.assert_array_equal(reading.heatmap("MEL"), alone.heatmap("MEL"))


def test_photographs_of_the_real_collections_are_all_read(
    bundled_classifier: Classifier, shared_data: Path
):
    paths = [
        sorted((shared_data / folder).rglob("*.jpg"))[0]
        for folder in ("isic9", "ham10000", "isic2017", "full_resolution")
    ]

    results = [result for _, result in read_files(bundled_classifier, paths, num_workers=2)]

    assert all(isinstance(result, Reading) for result in results)
    assert len({result.probabilities for result in results if isinstance(result, Reading)}) == 4
