#!/usr/bin/env bash
# Guess: a Keras network with Resizing(interpolation="area") and its ONNX form agree to rounding, or
# the export is refused.
#
# What happens: Model.export(format="onnx") (tf2onnx) succeeds, onnxruntime loads the file, and its
# pixels differ by up to 33 grey levels, even at exactly half the size. Bilinear resizing of the same
# photograph agrees to 0.001.
#
# Versions: Keras 3.15.1, tensorflow-cpu 2.21.0, tf2onnx 1.17.0, onnx 1.23.2, onnxruntime 1.31.1.
# Why it matters here: a network may resize by itself, and the ONNX form is the one that reads. So the
# export of every model is compared with its Keras form on photographs before it is kept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow-cpu==2.21.0 keras==3.15.1 tf2onnx==1.17.0 onnx==1.23.2 \
  onnxruntime==1.31.1 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import os

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
import keras
import numpy as np
import onnxruntime

# A lesion-like photograph with fine structure, float32, 0 to 255.
rows, columns = np.mgrid[0:96, 0:128]
waves = [60 * np.sin(columns / 9), 60 * np.cos(rows / 7), 50 * np.sin((rows + columns) / 5)]
photograph = np.stack(waves, -1) + (150, 120, 90)
photograph += np.random.default_rng(0).normal(0, 8, photograph.shape)
photograph = photograph.clip(0, 255).astype(np.float32)[None]
largest = {}
for interpolation in ("bilinear", "area"):
    source = keras.Input(photograph.shape[1:])
    network = keras.Model(source, keras.layers.Resizing(48, 64, interpolation)(source))
    wanted = np.asarray(network(photograph))
    network.export("network.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession("network.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: photograph})
    difference = np.abs(found - wanted)
    largest[interpolation] = difference.max()
    print(f"{interpolation}: off by up to {difference.max():.4f} grey levels, "
          f"{difference.mean():.4f} on average")  # fmt: skip
same = largest["bilinear"] < 0.01 and largest["area"] > 20
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
