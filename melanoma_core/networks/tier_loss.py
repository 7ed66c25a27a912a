"""The loss of batches with labels of a risk tier."""

from collections.abc import Sequence

import keras

from melanoma_core.training.recipe import Loss, Recipe


class TierLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras ships no types
    """Cross-entropy or focal loss, in which a tier has the sum of its diagnoses' probabilities.

    Without labels of a tier, it equals the loss of `network.make_loss`. Label smoothing spreads its
    share over the diagnoses.

    Args:
        recipe: Its `loss`, `focal_gamma` and `label_smoothing` are used.
        members: Positions of the diagnoses of each of T tiers (`targets.find_members`).
    """

    def __init__(self, recipe: Recipe, members: Sequence[Sequence[int]]) -> None:
        super().__init__(name="tier_loss")
        self._gamma = recipe.focal_gamma if recipe.loss is Loss.FOCAL else 0.0
        self._smoothing = recipe.label_smoothing
        self._members = [list(each) for each in members]

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Return the loss of each image.

        Args:
            y_true: float [B, C + T], probability of each diagnosis and tier.
            y_pred: float [B, C], logits.

        Returns:
            float [B].
        """
        logs = keras.ops.log_softmax(y_pred, axis=-1)
        sums = [
            keras.ops.logsumexp(keras.ops.take(logs, each, axis=-1), axis=-1, keepdims=True)
            for each in self._members
        ]
        logs = keras.ops.concatenate([logs, *sums], axis=-1)
        num_classes = y_pred.shape[-1]
        spread = [1.0 / num_classes] * num_classes + [0.0] * len(sums)
        targets = y_true * (1 - self._smoothing) + self._smoothing * keras.ops.array(spread)
        losses = -targets * logs
        if self._gamma:
            losses = losses * (1 - keras.ops.exp(logs)) ** self._gamma
        return keras.ops.sum(losses, axis=-1)
