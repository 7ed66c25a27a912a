import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score, roc_auc_score

from melanoma_core.evaluation.alerts import measure_alerts
from melanoma_core.evaluation.discrimination import measure_roc_auc
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.metrics import compare, evaluate
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.resampling import resample_lesions
from melanoma_core.evaluation.rules import DecisionRules

CLASS_NAMES = ("MEL", "NV", "BCC")

# Six photographs of five lesions: "a" twice. Argmax 0, 1, 0, 1, 2, 1.
PROBABILITIES = np.array(
    [
        [0.7, 0.2, 0.1],
        [0.3, 0.6, 0.1],
        [0.5, 0.4, 0.1],
        [0.2, 0.8, 0.0],
        [0.1, 0.1, 0.8],
        [0.1, 0.6, 0.3],
    ]
)
LABELS = np.array([0, 0, 1, 1, 2, 1])
LESION_IDS = np.array(["a", "a", "b", "c", "d", "e"])
PREDICTIONS = LabelledPredictions(PROBABILITIES, LABELS, LESION_IDS)
RULES = DecisionRules(CLASS_NAMES, 0, threshold=0.4)
# An alert is an image predicted as melanoma.
WITHOUT_THRESHOLD = DecisionRules(CLASS_NAMES, 0)


def measure(
    probabilities: np.ndarray = PROBABILITIES,
    labels: np.ndarray = LABELS,
    lesion_ids: np.ndarray = LESION_IDS,
    threshold: float | None = 0.4,
    **options: int,
) -> dict[str, Figure]:
    predictions = LabelledPredictions(probabilities, labels, lesion_ids)
    return evaluate(predictions, replace(RULES, threshold=threshold), **options)


def test_a_difference_in_skin_cancer_alerts_needs_both_thresholds():
    rules = replace(RULES, skin_cancer_threshold=0.3)
    lower = replace(RULES, skin_cancer_threshold=0.5)

    differences = compare(PREDICTIONS, PREDICTIONS, rules, lower)

    # The second photograph and the last have a sum of 0.4.
    assert differences["skin_cancer_sensitivity"].value == pytest.approx(1 / 3)
    assert differences["skin_cancer_specificity"].value == pytest.approx(-1 / 3)
    assert "skin_cancer_sensitivity" not in compare(PREDICTIONS, PREDICTIONS, rules, RULES)


def as_probabilities(melanoma_probability: np.ndarray) -> np.ndarray:
    """Return probabilities of three classes, of which the third is never predicted."""
    return np.stack([melanoma_probability, 1 - melanoma_probability, 0 * melanoma_probability], 1)


def measure_alert(
    melanoma_probability: np.ndarray, is_melanoma: np.ndarray, lesion_ids: np.ndarray, **options
) -> dict[str, Figure]:
    labels = np.where(is_melanoma, 0, 1)
    return measure(as_probabilities(melanoma_probability), labels, lesion_ids, 0.5, **options)


def test_without_melanoma_its_metrics_are_undefined():
    others = LABELS != 0
    figures = measure(PROBABILITIES[others], LABELS[others], LESION_IDS[others])

    for name in ("sensitivity", "melanoma_roc_auc", "recall_MEL"):
        assert math.isnan(figures[name].value), name
        assert math.isnan(figures[name].low), name
        assert math.isnan(figures[name].high), name
    assert (figures["sensitivity"].count, figures["sensitivity"].total) == (0, 0)
    assert figures["sensitivity"].num_lesions == 0
    assert figures["specificity"].value == 0.75


def test_with_melanoma_alone_the_metrics_of_other_lesions_are_undefined():
    figures = measure(PROBABILITIES[:2], LABELS[:2], LESION_IDS[:2])

    assert math.isnan(figures["specificity"].value)
    assert math.isnan(figures["melanoma_roc_auc"].value)
    assert math.isnan(figures["recall_NV"].value)
    assert figures["sensitivity"].value == 0.5


def test_one_image_has_wide_intervals():
    figures = measure(PROBABILITIES[:1], LABELS[:1], LESION_IDS[:1])

    # Clopper–Pearson of 1 of 1: 0.025 to 1.
    for name in ("accuracy", "balanced_accuracy", "sensitivity", "recall_MEL"):
        assert figures[name].value == 1.0, name
        assert figures[name].low == pytest.approx(0.025), name
        assert figures[name].high == 1.0, name
    assert figures["calibration_error"].value == pytest.approx(0.3)


def test_the_metrics_are_those_counted_by_hand():
    figures = measure()

    assert list(figures) == [
        "accuracy",
        "balanced_accuracy",
        "melanoma_roc_auc",
        "sensitivity",
        "specificity",
        "calibration_error",
        "skin_cancer_roc_auc",
        "recall_MEL",
        "recall_NV",
        "recall_BCC",
    ]
    assert figures["accuracy"].value == pytest.approx(4 / 6)
    assert figures["balanced_accuracy"].value == pytest.approx((1 / 2 + 2 / 3 + 1) / 3)
    # 0.7 is above all four others, 0.3 above all but 0.5.
    assert figures["melanoma_roc_auc"].value == 7 / 8
    assert figures["sensitivity"].value == 1 / 2
    assert figures["specificity"].value == 3 / 4
    assert figures["recall_MEL"].value == 1 / 2
    assert figures["recall_NV"].value == pytest.approx(2 / 3)
    assert figures["recall_BCC"].value == 1


def test_any_skin_cancer_is_ranked_by_the_sum_of_its_probabilities():
    figures = evaluate(PREDICTIONS, replace(RULES, skin_cancer_threshold=0.5))

    # Sums 0.8, 0.4, 0.6, 0.2, 0.9, 0.4: cancers are the first, second and fifth. The second is
    # below the third, above the fourth, and level with the last.
    assert figures["skin_cancer_roc_auc"].value == pytest.approx((3 + 1.5 + 3) / 9)
    assert figures["melanoma_roc_auc"].value == 7 / 8
    assert figures["skin_cancer_sensitivity"].value == pytest.approx(2 / 3)
    assert figures["skin_cancer_specificity"].value == pytest.approx(2 / 3)
    # Two photographs of the cancers show one lesion.
    assert figures["skin_cancer_sensitivity"].num_lesions == 2


def test_without_another_skin_cancer_or_its_threshold_there_is_no_such_metric():
    two = LabelledPredictions(np.array([[0.7, 0.3], [0.2, 0.8]]), np.array([0, 1]), np.arange(2))
    rules = DecisionRules(("MEL", "NV"), 0, threshold=0.4)

    assert not [name for name in evaluate(two, rules) if name.startswith("skin_cancer")]
    assert [name for name in measure() if name.startswith("skin_cancer")] == ["skin_cancer_roc_auc"]


def test_balanced_accuracy_is_computed_for_equally_frequent_diagnoses_too():
    # Divided by 0.2, 0.7 and 0.1: the second image becomes melanoma, the third is no longer the
    # second class, and the last becomes the third class.
    figures, common, unmet = (
        evaluate(PREDICTIONS, replace(RULES, frequencies=frequencies))
        for frequencies in ((0.2, 0.7, 0.1), (1 / 3, 1 / 3, 1 / 3), (0.25, 0.75, 0.0))
    )

    assert figures["balanced_accuracy_even"].value == pytest.approx((2 / 2 + 1 / 3 + 1) / 3)
    assert common["balanced_accuracy_even"] == common["balanced_accuracy"]
    assert unmet["balanced_accuracy_even"].value == pytest.approx((2 / 2 + 2 / 3 + 0) / 3)
    assert "balanced_accuracy_even" not in measure()


def test_keratoses_and_squamous_cell_carcinomas_are_one_diagnosis_to_the_isic_2018_challenge():
    probabilities = np.array([[0.4, 0.4, 0.2], [0.4, 0.2, 0.4], [0.6, 0.2, 0.2], [0.9, 0.1, 0.0]])
    predictions = LabelledPredictions(probabilities, np.array([1, 1, 2, 0]), np.arange(4))
    rules = DecisionRules(("MEL", "AK", "SCC"), 0, 0.4, frequencies=(0.5, 0.25, 0.25))

    figures = evaluate(predictions, rules)

    # Divided by the frequencies, the predictions are AK, SCC, melanoma and melanoma. As one class
    # with probabilities 0.6, 0.6, 0.4 and 0.1 and frequency 0.5, AK and SCC are predicted for the
    # first two images.
    assert figures["balanced_accuracy_even"].value == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert figures["balanced_accuracy_seven"].value == pytest.approx((1 + 2 / 3) / 2)


def test_every_metric_has_its_counts():
    figures = {
        name: (figure.count, figure.total, figure.num_lesions) for name, figure in measure().items()
    }

    assert figures == {
        "accuracy": (4, 6, 5),
        "balanced_accuracy": (None, 6, 5),
        "melanoma_roc_auc": (None, 6, 5),
        "sensitivity": (1, 2, 1),
        "specificity": (3, 4, 4),
        "calibration_error": (None, 6, 5),
        "skin_cancer_roc_auc": (None, 6, 5),
        "recall_MEL": (1, 2, 1),
        "recall_NV": (2, 3, 3),
        "recall_BCC": (1, 1, 1),
    }


def test_a_probability_at_the_threshold_is_an_alert():
    assert measure(threshold=0.3)["sensitivity"].value == 1.0
    assert measure(threshold=np.nextafter(0.3, 1))["sensitivity"].value == 0.5


def test_without_a_threshold_a_predicted_melanoma_is_an_alert():
    figures = measure(threshold=None)
    # Predicted for images 0 and 2: one of two melanomas, and one of four other lesions.
    assert (figures["sensitivity"].count, figures["sensitivity"].total) == (1, 2)
    assert (figures["specificity"].count, figures["specificity"].total) == (3, 4)
    assert figures["sensitivity"] == figures["recall_MEL"]


def test_balanced_accuracy_is_the_mean_over_the_classes_that_occur():
    kept = LABELS != 2
    figure = measure(PROBABILITIES[kept], LABELS[kept], LESION_IDS[kept])["balanced_accuracy"]

    assert figure.value == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_the_calibration_error_is_that_of_ten_bins_of_equal_mass():
    # 100 images, ten at each of ten probabilities, of which 0, 1, … 9 are melanomas.
    probability = np.repeat(np.arange(10) / 10 + 0.02, 10)
    is_melanoma = np.tile(np.arange(10), 10) < np.repeat(np.arange(10), 10)

    figure = measure_alert(probability, is_melanoma, np.arange(100))["calibration_error"]

    assert figure.value == pytest.approx(0.02)


def test_the_calibration_error_is_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    probability = generator.beta(1, 4, size=1000)
    is_melanoma = generator.random(1000) < probability**1.5

    figure = measure_alert(probability, is_melanoma, np.arange(1000))["calibration_error"]

    observed, predicted = calibration_curve(
        is_melanoma, probability, n_bins=10, strategy="quantile"
    )
    assert figure.value == pytest.approx(np.abs(observed - predicted).mean())


def test_the_calibration_error_does_not_depend_on_the_order_of_the_images():
    probability = np.array([0.2] * 30 + [0.6] * 10)
    is_melanoma = np.arange(40) % 3 == 0
    order = np.random.default_rng(0).permutation(40)

    in_order = measure_alert(probability, is_melanoma, np.arange(40))
    shuffled = measure_alert(probability[order], is_melanoma[order], np.arange(40)[order])

    assert in_order["calibration_error"].value == pytest.approx(shuffled["calibration_error"].value)


def test_an_interval_contains_its_value_even_if_chance_only_adds():
    generator = np.random.default_rng(0)
    for _ in range(10):
        probability = generator.beta(1, 4, size=200)
        is_melanoma = generator.random(200) < probability
        figures = measure_alert(probability, is_melanoma, np.arange(200), num_resamples=100)
        for name in ("accuracy", "melanoma_roc_auc", "sensitivity", "calibration_error"):
            assert figures[name].low <= figures[name].value <= figures[name].high, name


def test_values_and_intervals_are_those_of_scikit_learn_over_the_same_resamples():
    generator = np.random.default_rng(2)
    labels = generator.choice(3, size=300, p=[0.2, 0.7, 0.1])
    # Rounded, so that there are ties; about two images per lesion, of several diagnoses.
    scores = np.round(generator.random((300, 3)) + 0.4 * np.eye(3)[labels], 1)
    probabilities = np.round(scores / scores.sum(axis=1, keepdims=True), 2)
    lesions, lesion = np.unique(generator.integers(150, size=300), return_inverse=True)
    drawn = np.random.default_rng(7).multinomial(
        len(lesions), np.full(len(lesions), 1 / len(lesions)), size=60
    )
    predicted = probabilities.argmax(axis=1)
    is_melanoma = labels == 0
    alert = probabilities[:, 0] >= 0.4

    figures = measure(probabilities, labels, lesion, num_resamples=60, seed=7)

    for name, score in {
        "accuracy": lambda w: accuracy_score(labels, predicted, sample_weight=w),
        "balanced_accuracy": lambda w: balanced_accuracy_score(labels, predicted, sample_weight=w),
        "melanoma_roc_auc": lambda w: roc_auc_score(
            is_melanoma, probabilities[:, 0], sample_weight=w
        ),
        "sensitivity": lambda w: recall_score(is_melanoma, alert, sample_weight=w),
        "specificity": lambda w: recall_score(~is_melanoma, ~alert, sample_weight=w),
        "recall_BCC": lambda w: recall_score(labels == 2, predicted == 2, sample_weight=w),
    }.items():
        expected = np.quantile([score(row[lesion]) for row in drawn], [0.025, 0.975])
        assert figures[name].value == pytest.approx(score(np.ones(300))), name
        assert [figures[name].low, figures[name].high] == pytest.approx(expected), name


def test_resamples_without_melanoma_are_left_out_and_not_counted_as_zero():
    # Two melanomas, of which 1 image of 2 and 2 of 3 are found: if a resample contains any of
    # them, the sensitivity lies between the two. One resample in nine contains none.
    figure = measure_alert(
        np.array([0.9, 0.1, 0.9, 0.9, 0.1] + [0.1] * 20),
        np.array([True] * 5 + [False] * 20),
        np.array([0, 0, 1, 1, 1, *range(2, 22)]),
    )["sensitivity"]

    assert figure.value == 3 / 5
    assert (figure.low, figure.high) == (1 / 2, 2 / 3)


@pytest.mark.parametrize("num_lesions", [1, 5, 60])
def test_finding_every_melanoma_of_few_is_no_proof_of_finding_all(num_lesions: int):
    # Two photographs of each lesion, which count as one case.
    is_melanoma = np.repeat([True, False], 2 * num_lesions)
    lesion_ids = np.repeat(np.arange(2 * num_lesions), 2)

    figures = measure_alert(np.where(is_melanoma, 0.9, 0.1), is_melanoma, lesion_ids)

    exact = binomtest(num_lesions, num_lesions).proportion_ci(0.95, method="exact")
    for name in ("sensitivity", "specificity", "melanoma_roc_auc", "balanced_accuracy"):
        assert figures[name].value == 1.0, name
        assert figures[name].low == pytest.approx(exact.low), name
        assert figures[name].high == 1.0, name
    assert figures["sensitivity"].total == 2 * num_lesions


def test_missing_every_melanoma_of_few_is_no_proof_of_missing_all():
    is_melanoma = np.arange(20) < 5

    figure = measure_alert(np.full(20, 0.1), is_melanoma, np.arange(20))["sensitivity"]

    exact = binomtest(0, 5).proportion_ci(0.95, method="exact")
    assert (figure.value, figure.low) == (0.0, 0.0)
    assert figure.high == pytest.approx(exact.high)


def test_an_auc_with_one_melanoma_is_as_uncertain_as_one_case():
    probability = np.append(0.85, np.arange(20) / 20)
    is_melanoma = np.arange(21) == 0

    figure = measure_alert(probability, is_melanoma, np.arange(21))["melanoma_roc_auc"]

    # 0.85 is above 17 of 20 and ties with one.
    assert figure.value == 17.5 / 20
    assert figure.low < 0.1
    assert figure.high > 0.99


def test_the_same_seed_gives_the_same_intervals_and_another_seed_different_ones():
    generator = np.random.default_rng(3)
    probability, is_melanoma = generator.random(100), generator.random(100) < 0.5
    first, again, other = (
        measure_alert(probability, is_melanoma, np.arange(100), num_resamples=100, seed=seed)
        for seed in (1, 1, 2)
    )

    assert first["melanoma_roc_auc"] == again["melanoma_roc_auc"]
    assert first["melanoma_roc_auc"].low != other["melanoma_roc_auc"].low


def test_lesion_ids_may_be_strings_or_numbers():
    by_name = measure(lesion_ids=np.array(["a", "a", "b", "c", "d", "e"], dtype=object))
    by_number = measure(lesion_ids=np.array([0, 0, 1, 2, 3, 4]))

    assert by_name["accuracy"] == by_number["accuracy"]


def draw_alerts(
    generator: np.random.Generator, num_lesions: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw one to six images per lesion, whose logits share most of their noise."""
    lesion_ids = np.repeat(np.arange(num_lesions), generator.integers(1, 7, size=num_lesions))
    is_melanoma = (np.arange(num_lesions) % 2 == 0)[lesion_ids]
    shared = generator.normal(size=num_lesions)[lesion_ids]
    logit = is_melanoma + 0.8 * shared + 0.6 * generator.normal(size=len(lesion_ids))
    return expit(logit), is_melanoma, lesion_ids


@pytest.mark.slow
def test_the_interval_contains_the_truth_in_19_of_20_samples_unlike_one_resampled_by_image():
    # Logits are normal with standard deviation 1, with mean 1 in melanomas and 0 in the others.
    truth = {
        "sensitivity": NormalDist().cdf(1),
        "specificity": NormalDist().cdf(0),
        "melanoma_roc_auc": NormalDist().cdf(1 / math.sqrt(2)),
    }
    num_samples = 120
    contained = {by: dict.fromkeys(truth, 0) for by in ("lesion", "image")}
    generator = np.random.default_rng(4)
    for _ in range(num_samples):
        probability, is_melanoma, lesion_ids = draw_alerts(generator, num_lesions=120)
        for by, ids in (("lesion", lesion_ids), ("image", np.arange(len(lesion_ids)))):
            resamples = resample_lesions(ids, num_resamples=200)
            figures = measure_alerts(resamples, probability >= 0.5, is_melanoma)
            figures["melanoma_roc_auc"] = measure_roc_auc(resamples, probability, is_melanoma)
            for name, value in truth.items():
                contained[by][name] += figures[name].low <= value <= figures[name].high

    for name in truth:
        assert 0.90 <= contained["lesion"][name] / num_samples <= 0.99, (name, contained)
        assert contained["image"][name] / num_samples < 0.90, (name, contained)


@pytest.mark.parametrize(
    "wrong",
    [
        {"probabilities": PROBABILITIES[:, :2]},
        {"probabilities": PROBABILITIES[:5]},
        {"probabilities": PROBABILITIES[:, 0]},
        {"probabilities": np.full((6, 3), np.nan)},
        {"probabilities": np.full((6, 3), 1.1)},
        {"probabilities": PROBABILITIES.astype(np.float32)},
        {"labels": LABELS[:5]},
        {"labels": LABELS + 1},
        {"labels": LABELS - 4},
        {"lesion_ids": LESION_IDS[:5]},
        {"lesion_ids": np.array(["a", "a", "b", "c", "d", ""])},
        {"lesion_ids": np.array(["a", "a", "b", "c", "d", None])},
        {"lesion_ids": np.array([0, 0, 1, 2, 3, np.nan])},
        {"threshold": 1.1},
        {"threshold": np.nan},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_invalid_arguments_are_refused(wrong: dict):
    with pytest.raises(ValueError, match="must be"):
        measure(**wrong)


def test_no_image_is_refused():
    with pytest.raises(ValueError, match="N above 0"):
        measure(np.empty((0, 3)), np.empty(0, dtype=int), np.empty(0, dtype=str))


def test_a_melanoma_index_outside_the_classes_is_refused():
    with pytest.raises(ValueError, match="melanoma_index is 3 of 3 classes"):
        DecisionRules(CLASS_NAMES, 3, threshold=0.4)


def test_predictions_of_other_classes_are_refused():
    with pytest.raises(ValueError, match="3 classes; they must be the 2"):
        evaluate(PREDICTIONS, DecisionRules(("MEL", "NV"), 0))


def test_a_model_compared_with_itself_has_no_difference_and_no_interval():
    figures = compare(PREDICTIONS, PREDICTIONS, WITHOUT_THRESHOLD, WITHOUT_THRESHOLD)
    for figure in figures.values():
        assert figure.value == 0
        assert math.isnan(figure.low)
        assert math.isnan(figure.high)
        assert figure.count is None
    counts = {name: (figure.total, figure.num_lesions) for name, figure in figures.items()}
    assert counts == {
        "accuracy": (6, 5),
        "melanoma_roc_auc": (6, 5),
        "sensitivity": (2, 1),
        "specificity": (4, 4),
    }


def test_the_difference_of_two_models_is_that_of_their_metrics():
    rng = np.random.default_rng(0)
    labels, lesions = rng.integers(0, 3, 200), rng.integers(0, 120, 200)
    better = rng.dirichlet([1, 1, 1], 200) + np.eye(3)[labels] / 2
    better /= better.sum(axis=1, keepdims=True)
    one = LabelledPredictions(better, labels, lesions)
    other = LabelledPredictions(rng.dirichlet([1, 1, 1], 200), labels, lesions)
    difference = compare(one, other, WITHOUT_THRESHOLD, WITHOUT_THRESHOLD)
    each = [evaluate(predictions, WITHOUT_THRESHOLD) for predictions in (one, other)]
    for name, figure in difference.items():
        assert figure.value == pytest.approx(each[0][name].value - each[1][name].value)
        assert 0 < figure.low < figure.value < figure.high
    reverse = compare(other, one, WITHOUT_THRESHOLD, WITHOUT_THRESHOLD)
    assert reverse["accuracy"].high == pytest.approx(-difference["accuracy"].low)


def test_each_model_raises_alerts_at_its_own_threshold():
    labels, lesion_ids = np.array([0, 0, 1, 1]), np.arange(4)
    one, other = (
        LabelledPredictions(np.stack([score, 1 - score], axis=1), labels, lesion_ids)
        for score in (np.array([0.2, 0.1, 0.3, 0.05]), np.array([0.6, 0.4, 0.3, 0.1]))
    )
    rules = [DecisionRules(("MEL", "NV"), 0, threshold) for threshold in (0.1, 0.5)]
    figures = compare(one, other, *rules)
    # The first finds both melanomas and raises one of two false alerts; the other finds one of two
    # and raises none.
    assert figures["sensitivity"].value == 1 - 1 / 2
    assert figures["specificity"].value == 1 / 2 - 1
    assert (figures["sensitivity"].low, figures["sensitivity"].high) == (0, 1)


def test_lesions_that_are_hard_for_both_models_do_not_widen_the_interval_of_the_difference():
    rng = np.random.default_rng(0)
    is_melanoma = rng.random(400) < 0.3
    score = np.where(is_melanoma, rng.beta(4, 2, 400), rng.beta(2, 4, 400))
    one, other = (
        LabelledPredictions(as_probabilities(each), np.where(is_melanoma, 0, 1), np.arange(400))
        for each in (score, np.clip(score - 0.03, 0, 1))
    )
    paired = compare(one, other, WITHOUT_THRESHOLD, WITHOUT_THRESHOLD)["accuracy"]
    alone = evaluate(one, WITHOUT_THRESHOLD)["accuracy"]
    assert paired.high - paired.low < 0.6 * (alone.high - alone.low)


def test_without_melanoma_the_difference_of_auc_is_undefined():
    others = PREDICTIONS.select(LABELS != 0)
    figures = compare(others, others, WITHOUT_THRESHOLD, WITHOUT_THRESHOLD)
    assert math.isnan(figures["melanoma_roc_auc"].value)


def test_models_of_other_classes_or_images_are_not_compared():
    pairs = LabelledPredictions(PROBABILITIES[:, :2], LABELS.clip(max=1), LESION_IDS)
    two_classes = DecisionRules(("MEL", "NV"), 0)
    with pytest.raises(ValueError, match="they must be the 3"):
        compare(PREDICTIONS, pairs, RULES, RULES)
    with pytest.raises(ValueError, match="classes of both models"):
        compare(PREDICTIONS, pairs, RULES, two_classes)
    with pytest.raises(ValueError, match="labels of both models"):
        compare(PREDICTIONS, replace(PREDICTIONS, labels=LABELS[::-1]), RULES, RULES)
