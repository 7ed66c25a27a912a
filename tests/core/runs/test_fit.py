import math

import pandas as pd

from melanoma_core.runs.fit import judge_fit

CLASSES = ("melanoma", "nevus", "wart")


def draw_curves(train: list[float], validation: list[float], reached: float = 0.8) -> pd.DataFrame:
    """Losses from epoch 1, and the balanced accuracy on training images of three classes."""
    rows = [
        (epoch, subset, "loss", value)
        for subset, losses in (("train", train), ("validation", validation))
        for epoch, value in enumerate(losses, start=1)
    ]
    rows += [(len(train), "train", f"recall/{name}", reached) for name in CLASSES]
    rows += [(len(train), "train", "balanced_accuracy", reached)]
    # Other metrics and values within an epoch do not matter.
    rows += [(1, "", "learning_rate", 1e-3), (0.5, "batch", "loss", 99.0)]
    return pd.DataFrame(rows, columns=["epoch", "subset", "metric", "value"])


def test_six_epochs_are_needed_for_a_judgement():
    assert judge_fit(draw_curves([], [])) == ""
    assert judge_fit(draw_curves([1.0, 0.5, 0.2, 0.1, 0.01], [1.0, 2.0, 3.0, 4.0, 5.0])) == (
        "Too early to say: 5 of the 6 epochs needed are done."
    )
    # An epoch with only one of the losses does not count yet.
    assert judge_fit(draw_curves([1.0] * 6, [1.0] * 5)).startswith("Too early to say: 5 of the 6")


def test_a_loss_that_is_not_finite_has_diverged():
    curves = draw_curves([1.0, 0.9, math.nan], [1.0, 0.9, 0.8])
    assert judge_fit(curves) == (
        "Diverged in epoch 3: the loss is no longer a number. Lower the learning rate."
    )
    assert judge_fit(draw_curves([1.0], [math.inf])).startswith("Diverged in epoch 1")


def test_a_rising_validation_loss_with_a_falling_training_loss_is_overfitting():
    train = [1.0, 0.8, 0.6, 0.5, 0.4, 0.3]
    validation = [1.1, 1.0, 0.9, 1.0, 1.1, 1.2]
    assert judge_fit(draw_curves(train, validation)) == (
        "Overfits since epoch 3: the validation loss rose from 0.900 to 1.200, while the training "
        "loss fell from 0.600 to 0.300. Use early stopping, or add augmentation, dropout or images."
    )
    shuffled = draw_curves(train, validation).sample(frac=1, random_state=1)
    assert judge_fit(shuffled) == judge_fit(draw_curves(train, validation))


def test_one_bad_epoch_is_not_overfitting():
    sentence = judge_fit(draw_curves([1.0, 0.8, 0.6, 0.5, 0.4, 0.3], [1.1, 1, 0.9, 0.8, 0.7, 1.2]))
    assert sentence.startswith("Still learning")


def test_two_falling_losses_mean_still_learning():
    falling = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]
    assert judge_fit(draw_curves(falling, falling)) == (
        "Still learning: both losses fall (now 0.500 in training, 0.500 in validation). More "
        "epochs may help."
    )
    # Even if it is not better than guessing yet.
    assert judge_fit(draw_curves(falling, falling, 1 / 3)).startswith("Still learning")


def test_a_training_loss_that_falls_alone_is_memorising():
    sentence = judge_fit(draw_curves([1.0, 0.9, 0.8, 0.7, 0.6, 0.5], [1.0] * 6))
    assert sentence.startswith("Memorises: the training loss still falls")


def test_guessing_on_the_training_images_is_underfitting():
    flat = [1.1] * 6
    assert judge_fit(draw_curves(flat, flat, 0.35)) == (
        "Underfits: the balanced accuracy on the training images is 35.0%, hardly above the 33.3% "
        "of guessing, and the loss no longer falls. Try another learning rate, less augmentation "
        "or a larger network."
    )


def test_flat_losses_of_a_good_network_have_converged():
    flat = [0.5] * 6
    assert judge_fit(draw_curves(flat, flat, 0.9)).startswith("Converged: neither loss falls")
    # Without the balanced accuracy, guessing cannot be detected.
    losses = draw_curves(flat, flat).query("metric == 'loss'")
    assert judge_fit(losses).startswith("Converged")
