#!/usr/bin/env bash
# Guess: with Pipeline.ground_truth, Augmentor moves a mask like its photograph, and the mask stays
# black and white. Operations on brightness or contrast leave the mask as it is.
#
# What happens: a mask goes through every operation as if it were a photograph. Rotation and zoom are
# bicubic, so the border of the mask becomes grey. random_brightness turns white into 127,
# random_contrast makes both tones grey, invert swaps lesion and skin, and random_erasing draws noise
# into the mask. There is no warning.
#
# Versions: Augmentor 0.2.12, Pillow 13.0.0. All files are PNG, so no compression is involved.
# Why it matters here: outlines of lesions are read as masks with a threshold at 128. After
# random_brightness(factor 0.5), nothing is left of the lesion.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet Augmentor==0.2.12 pillow==13.0.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import shutil
from pathlib import Path

import Augmentor
import numpy as np
from PIL import Image, ImageDraw

for name, mode, outside, inside in (("in", "RGB", "#dcb4a0", "#643c28"), ("mask", "L", 0, 255)):
    Path(name).mkdir()
    image = Image.new(mode, (128, 128), outside)
    ImageDraw.Draw(image).ellipse((30, 40, 90, 100), fill=inside)
    image.save(f"{name}/lesion.png")
start = np.asarray(Image.open("mask/lesion.png"))


def run(operation, *arguments):
    """Return the mask after one operation that always fires."""
    shutil.rmtree("in/output", ignore_errors=True)
    pipeline = Augmentor.Pipeline("in")
    pipeline.ground_truth("mask")
    getattr(pipeline, operation)(1, *arguments)
    pipeline.sample(1, multi_threaded=False)
    (path,) = Path("in/output").glob("_groundtruth_*")
    return np.asarray(Image.open(path))


masks = {
    "rotate": run("rotate", 20, 20),
    "random_brightness": run("random_brightness", 0.5, 0.5),
    "random_contrast": run("random_contrast", 0.5, 0.5),
    "invert": run("invert"),
    "random_erasing": run("random_erasing", 0.3),
}
print("\nBefore: tones", np.unique(start), f"lesion {np.mean(start >= 128):.1%}")
for name, mask in masks.items():
    tones = np.unique(mask)
    lesion = np.mean(mask >= 128)
    print(f"{name}: {len(tones)} tones, {tones[0]} to {tones[-1]}, lesion {lesion:.1%}")
same = (
    len(np.unique(masks["rotate"])) > 50
    and masks["random_brightness"].max() < 128
    and masks["random_contrast"].min() > 0
    and np.array_equal(masks["invert"], 255 - start)
    and len(np.unique(masks["random_erasing"])) > 50
)
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
