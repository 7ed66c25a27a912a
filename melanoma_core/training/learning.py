"""What a network is compiled with: loss and optimizer."""

import keras

from melanoma_core.training.hardware import choose_jit
from melanoma_core.training.recipe import Loss, Recipe


def compile_network(network: keras.Model, recipe: Recipe) -> None:
    """Give a network of logits the loss and the optimizer of a recipe, at learning rate 0."""
    network.compile(
        optimizer=make_optimizer(recipe), loss=make_loss(recipe), jit_compile=choose_jit()
    )


def make_loss(recipe: Recipe) -> keras.losses.Loss:
    """Return the loss of logits against probabilities of the classes."""
    if recipe.loss is Loss.FOCAL:
        return keras.losses.CategoricalFocalCrossentropy(
            alpha=1.0,  # so that gamma 0 is cross-entropy: classes are weighed by `rebalancing`
            gamma=recipe.focal_gamma,
            from_logits=True,
            label_smoothing=recipe.label_smoothing,
        )
    return keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=recipe.label_smoothing
    )


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """Return AdamW, or Adam without weight decay; its learning rate is set before each step."""
    if recipe.weight_decay:
        return keras.optimizers.AdamW(learning_rate=0.0, weight_decay=recipe.weight_decay)
    return keras.optimizers.Adam(learning_rate=0.0)
