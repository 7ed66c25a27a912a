#!/usr/bin/env bash
# Guess: ReplaceToLinear of tf-keras-vis takes the softmax off the end of a network, so that heatmaps
# explain logits, as its documentation recommends.
#
# What happens: it does so for Dense(activation="softmax"). On a network that ends in a layer
# Softmax(), the same function, it does nothing and says nothing: it sets the attribute "activation",
# which that layer never reads. The outputs still sum to 1, and where the network is sure, gradients
# vanish.
#
# Versions: tf-keras-vis 0.8.7, Keras 3.15.1, tensorflow-cpu 2.21.0, scipy 1.17.1.
# Why it matters here: networks of this project have a layer "logits" and a softmax after it. A
# saliency map of a sure reading would be made of gradients near 0, though it looks as bright as any,
# because maps are normalised.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow-cpu==2.21.0 keras==3.15.1 tf-keras-vis==0.8.7 numpy==2.4.6 \
  scipy==1.17.1
venv/bin/python - <<'PYTHON'
import os

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
import keras
import numpy as np
from keras import layers
from tf_keras_vis.saliency import Saliency
from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
from tf_keras_vis.utils.scores import CategoricalScore

photograph = np.random.default_rng(0).random((1, 16, 16, 3)).astype(np.float32)
sums, slopes = {}, {}
for ending in ("Dense(activation='softmax')", "Dense, then Softmax()"):
    keras.utils.set_random_seed(1)
    source = keras.Input((16, 16, 3))
    hidden = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(source))
    if ending.startswith("Dense("):
        result = layers.Dense(3, activation="softmax", name="logits")(hidden)
    else:
        result = layers.Softmax()(layers.Dense(3, name="logits")(hidden))
    network = keras.Model(source, result)
    network.get_layer("logits").bias.assign([12, 0, 0])  # a network that is sure
    saliency = Saliency(network, model_modifier=ReplaceToLinear(), clone=True)
    sums[ending] = float(np.sum(np.asarray(saliency.model(photograph))))
    slope = saliency(CategoricalScore([0]), photograph, normalize_map=False)
    slopes[ending] = float(np.max(slope))
    print(f"{ending}: outputs sum to {sums[ending]:.4f}, largest gradient {slopes[ending]:.2e}")
first, second = sums
same = abs(sums[first] - 1) > 1 and abs(sums[second] - 1) < 1e-5
same = same and slopes[first] > 1000 * slopes[second]
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
