#!/usr/bin/env bash
# Guess: Gradcam(network)(..., penultimate_layer="last_relu") explains the layer of that name.
#
# What happens: it explains the convolution before it, without a warning. A named layer that is no
# convolution is only where the search for one begins (seek_penultimate_conv_layer=True by default).
# Naming the convolution gives the same heatmap to the last bit. The heatmap of the named layer
# itself needs seek_penultimate_conv_layer=False and differs clearly.
#
# Versions: tf-keras-vis 0.8.7, Keras 3.15.1, tensorflow-cpu 2.21.0, scipy 1.17.1.
# Why it matters here: Grad-CAM is defined on the last activation. In most backbones a batch
# normalisation and a ReLU follow the last convolution, so the heatmap comes from values before both.
# The project switches the search off.
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
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.utils.scores import CategoricalScore

keras.utils.set_random_seed(1)
source = keras.Input((32, 32, 3))
hidden = layers.Conv2D(8, 3, padding="same", name="last_convolution")(source)
hidden = layers.BatchNormalization()(hidden)
hidden = layers.ReLU(name="last_relu")(hidden)
logits = layers.Dense(3)(layers.GlobalAveragePooling2D()(hidden))
network = keras.Model(source, logits)
photographs = np.random.default_rng(0).random((2, 32, 32, 3)).astype(np.float32)


def explain(layer, **options):
    """Return the heatmaps of diagnosis 0."""
    score = CategoricalScore([0, 0])
    return Gradcam(network)(score, photographs, penultimate_layer=layer, **options)


named = explain("last_relu")
to_convolution = np.abs(named - explain("last_convolution")).max()
to_relu = np.abs(named - explain("last_relu", seek_penultimate_conv_layer=False)).max()
print(f"asked for last_relu; differs from last_convolution by up to {to_convolution:.3f} of 1")
print(f"asked for last_relu; differs from last_relu itself by up to {to_relu:.3f} of 1")
same = to_convolution == 0 and to_relu > 0.05
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
