#!/usr/bin/env bash
# Guess: a Keras network with Normalization(mean=..., variance=...) exports to an ONNX file with one
# input, the photograph. The mean and the variance are constants in it.
#
# What happens: the ONNX file has three required inputs. Mean and deviation became inputs
# without a value, with names such as "normalization/Sub/y:0". The export raises nothing, and
# onnxruntime refuses to run with the photograph alone.
#
# Versions: Keras 3.15.1, tensorflow-cpu 2.21.0, tf2onnx 1.17.0, onnx 1.23.2, onnxruntime 1.31.1.
# Why it matters here: normalising with the mean of a training set inside the network is usual. The
# project exports such a layer in another way, because the deployed model takes a photograph alone.
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

photograph = np.full((1, 8, 8, 3), 120, np.float32)
layers = {
    "Rescaling": keras.layers.Rescaling(1 / 127.5, -1),
    "Normalization": keras.layers.Normalization(mean=[180, 140, 130], variance=[900, 900, 900]),
}
names = {}
for name, layer in layers.items():
    source = keras.Input(photograph.shape[1:], name="photograph")
    network = keras.Model(source, layer(source))
    network(photograph)
    network.export("network.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession("network.onnx")
    names[name] = [each.name for each in session.get_inputs()]
    print(f"{name}: {len(names[name])} required inputs: {', '.join(names[name])}")
    try:
        session.run(None, {names[name][0]: photograph})
        print("  runs with the photograph alone")
    except ValueError as error:
        print(f"  {error}")
same = len(names["Rescaling"]) == 1 and len(names["Normalization"]) == 3
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
