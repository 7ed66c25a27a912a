#!/usr/bin/env bash
# Guess: an Augmentor operation with probability=0.01 changes about 1 image of 100, however the
# pipeline is run.
#
# What happens: it changes about 5 of 100, and probability=0.04 does the same. sample() and the
# generators round the number that they draw to one decimal, and compare with "<=". So 0.5 fires at
# 55% and 0.25 at 25%: a probability is cut to tenths, and 5 points are added (at most 100%).
# keras_preprocess_func() of the same library does not round, and fires as asked.
#
# Versions: Augmentor 0.2.12, Pillow 13.0.0.
# Why it matters here: a recipe states how often a training image is mirrored or rotated. A share that
# the library applied by its own draw would differ from the one that the recipe states.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet Augmentor==0.2.12 pillow==13.0.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import random

import Augmentor
import numpy as np

random.seed(1)
DRAWS = 20_000
photograph = np.zeros((4, 4, 3))  # from 0 to 1, light on the left
photograph[:, :2] = 1
expected = {0.01: 0.05, 0.04: 0.05, 0.25: 0.25, 0.29: 0.25, 0.5: 0.55, 0.9: 0.95}
same = True
for probability, share in expected.items():
    pipeline = Augmentor.DataPipeline([[np.uint8(255 * photograph)]])
    pipeline.flip_left_right(probability=probability)
    sampled = np.mean([images[0][0, 0, 0] == 0 for images in pipeline.sample(DRAWS)])
    function = Augmentor.Pipeline()
    function.flip_left_right(probability=probability)
    augment = function.keras_preprocess_func()
    applied = np.mean([np.asarray(augment(photograph))[0, 0, 0] == 0 for _ in range(DRAWS)])
    print(f"asked for {probability:.0%}: sample() mirrors {sampled:.1%} of {DRAWS:,} images, "
          f"keras_preprocess_func() {applied:.1%}")  # fmt: skip
    same = same and abs(sampled - share) < 0.015 and abs(applied - probability) < 0.015
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
