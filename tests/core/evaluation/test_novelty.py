"""The out-of-distribution score, against scikit-learn and closed forms."""

import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance, ledoit_wolf

from melanoma_core.errors import DatasetError
from melanoma_core.evaluation.novelty import (
    FeatureDistribution,
    ImageOrigins,
    choose_limit,
    fit_feature_distribution,
    measure_left_out,
    measure_refused,
)


def draw_features(
    num_images: int = 200, num_features: int = 6, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Features of three diagnoses, correlated within each."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, num_images)
    mixing = rng.normal(size=(num_features, num_features))
    return 3 * labels[:, None] + rng.normal(size=(num_images, num_features)) @ mixing, labels


def test_the_distance_is_that_of_scikit_learn_to_the_nearest_diagnosis():
    features, labels = draw_features()
    fresh, _ = draw_features(seed=1)

    found = fit_feature_distribution(features, labels).measure(fresh)

    means = np.stack([features[labels == index].mean(axis=0) for index in range(3)])
    covariance, _ = ledoit_wolf(features - means[labels], assume_centered=True)
    reference = EmpiricalCovariance()
    reference.set_params(assume_centered=True).fit(features)
    reference.covariance_ = covariance
    reference.precision_ = np.linalg.inv(covariance)
    expected = np.sqrt(np.min([reference.mahalanobis(fresh - mean) for mean in means], axis=0))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_with_a_plain_covariance_it_is_the_euclidean_distance_in_standard_deviations():
    distribution = FeatureDistribution(np.array([[0.0, 0.0], [10.0, 0.0]]), np.eye(2) / 2)

    distances = distribution.measure(np.array([[0.0, 0.0], [3.0, 4.0], [10.0, 6.0]]))

    np.testing.assert_allclose(distances, [0, 2.5, 3])


def test_no_images_have_no_distances():
    features, labels = draw_features()
    assert fit_feature_distribution(features, labels).measure(np.empty((0, 6))).shape == (0,)


def test_fewer_photographs_than_features_are_enough():
    features, labels = draw_features(num_images=12, num_features=40)

    distances = fit_feature_distribution(features, labels).measure(features)

    assert np.isfinite(distances).all()


def test_a_feature_that_never_varies_does_no_harm():
    features, labels = draw_features()
    features[:, 2] = 7.0

    distribution = fit_feature_distribution(features, labels)
    odd = features[:1].copy()
    odd[0, 2] = 9.0

    assert distribution.measure(odd)[0] > distribution.measure(features[:1])[0]


@pytest.mark.parametrize(("num_images", "found"), [(0, "Found 0 photo"), (1, "Found 1 photo")])
def test_too_few_images_are_an_error(num_images: int, found: str):
    with pytest.raises(DatasetError, match=found):
        fit_feature_distribution(np.zeros((num_images, 3)), np.zeros(num_images, dtype=int))


def test_images_that_do_not_differ_are_an_error():
    with pytest.raises(DatasetError, match="Found 5 photographs that do not differ"):
        fit_feature_distribution(np.ones((5, 3)), np.zeros(5, dtype=int))


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"must be \[N, D\], \[N\]"):
        fit_feature_distribution(np.ones((5, 3)), np.zeros(4, dtype=int))


@pytest.mark.parametrize(
    ("share", "limit", "num_beyond"), [(0.0, 99, 0), (0.02, 97, 2), (0.07, 92, 7), (0.999, 0, 99)]
)
def test_beyond_the_limit_lies_at_most_the_share(share: float, limit: float, num_beyond: int):
    distances = np.random.default_rng(0).permutation(100).astype(float)

    found = choose_limit(distances, share)

    assert found == limit
    assert (distances > found).sum() == num_beyond


def test_of_equal_distances_none_lies_beyond():
    assert choose_limit(np.full(50, 3.0), 0.02) == 3


def test_a_limit_needs_an_image_and_a_share_below_1():
    with pytest.raises(DatasetError, match="Found no photograph in the validation subset"):
        choose_limit(np.empty(0), 0.02)
    with pytest.raises(ValueError, match="largest_share is 1"):
        choose_limit(np.ones(3), 1)


def gather(num_images: int = 600) -> tuple[np.ndarray, ImageOrigins]:
    """Two similar collections, and a third with other colours."""
    features, labels = draw_features(num_images)
    sources = np.array(["a", "b", "odd"])[np.arange(num_images) % 3]
    features[sources == "odd"] += np.linspace(-40, 40, 6)
    subsets = np.array(["train", "train", "validation", "test"])[np.arange(num_images) // 3 % 4]
    return features, ImageOrigins(labels, np.arange(num_images), subsets, sources)


def test_refused_images_are_counted_by_subset_and_by_collection_of_test():
    features, origins = gather()
    refused = origins.sources == "odd"

    figures = measure_refused(refused, origins)

    assert set(figures) == {"validation", "test", "test/a", "test/b", "test/odd"}
    assert (figures["test"].count, figures["test"].total) == (50, 150)
    assert figures["test/odd"].value == 1
    assert figures["test/a"].value == 0
    assert figures["test"].low < 1 / 3 < figures["test"].high
    assert len(features) == 600


def test_a_collection_unlike_the_others_is_refused_if_it_was_left_out():
    features, origins = gather()

    figures = measure_left_out(features, origins, 0.02)

    assert set(figures) == {"a left out", "b left out", "odd left out"}
    assert figures["odd left out"].value == 1
    assert figures["odd left out"].total == 200  # all of it, whatever its subset
    assert figures["a left out"].value < 0.1


def test_images_that_share_a_group_with_a_collection_are_left_out_with_it():
    features, origins = gather()
    # Every photograph of b shows a lesion of odd as well: only a is left to fit to.
    groups = np.where(origins.sources == "a", np.arange(600), 1000)
    alone = ImageOrigins(origins.labels, groups, origins.subsets, origins.sources)

    figures = measure_left_out(features, alone, 0.02, ["odd"])
    (by_hand,) = measure_left_out(
        features[origins.sources != "b"],
        ImageOrigins(*(getattr(alone, name)[origins.sources != "b"] for name in vars(alone))),
        0.02,
        ["odd"],
    ).values()

    assert figures["odd left out"].count == by_hand.count


def test_a_collection_that_leaves_too_few_images_is_not_measured():
    features, origins = gather(60)
    assert measure_left_out(features, origins, 0.02) == {}
