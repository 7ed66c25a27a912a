#!/usr/bin/env bash
# Guess: the distance of two colour hashes of imagehash grows with the difference of colours: near
# copies are close, and photographs with other colours are far.
#
# What happens: each share of a colour is kept as a binary number, and the distance counts the bits
# that differ. So the distance does not follow the share. With 0% and with 1% of red pixels the
# distance is 4, but with 1% and 51% it is 1. A limit that accepts the first pair as copies accepts
# the second too.
#
# Versions: ImageHash 4.3.2, Pillow 13.0.0, binbits=4 (with the default of 3: distances 3 and 1).
# Why it matters here: near copies must lie in one subset. A limit on this distance would miss copies
# with a red mark at the rim, or join lesions of different patients.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet ImageHash==4.3.2 pillow==13.0.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import imagehash
import numpy as np
from PIL import Image


def draw(red_rows):
    """Return 100 x 100 pixels, light grey, with so many rows of saturated red."""
    pixels = np.full((100, 100, 3), 200, np.uint8)
    pixels[:red_rows] = (200, 30, 30)
    return Image.fromarray(pixels)


distances = []
for bits in (3, 4):
    for first, second in ((0, 1), (1, 51)):
        hashes = [imagehash.colorhash(draw(rows), binbits=bits) for rows in (first, second)]
        distances.append(int(hashes[0] - hashes[1]))
        print(f"binbits={bits}: {first}% and {second}% of the pixels red: distance {distances[-1]}")
raise SystemExit(0 if distances == [3, 1, 4, 1] else "The behaviour has changed.")
PYTHON
