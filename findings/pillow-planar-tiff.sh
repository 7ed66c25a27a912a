#!/usr/bin/env bash
# Guess: Pillow reads a 16-bit RGB TIFF with separate planes as 8-bit RGB, or refuses it.
#
# What happens: without compression, it opens as RGB, raises no error, and its pixels are scrambled.
# The same pixels with zlib compression, or with contiguous planes, are read correctly.
#
# Versions: Pillow 13.0.0, tifffile 2026.3.3.
# Why it matters here: scanners and microscope cameras write such files, and the shape, the mode and
# the range of values look right. A reading of the scrambled picture would be a reading of nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow==13.0.0 tifffile==2026.3.3 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import numpy as np
import tifffile
from PIL import Image

rows, columns = np.mgrid[0:64, 0:80]
pixels = np.stack([columns * 3, rows * 3, rows + columns], -1).astype(np.uint8)
deep = pixels.astype(np.uint16) * 257  # 0 stays 0, 255 becomes 65535
differences = {}
for planes in ("contig", "separate"):
    for compression in (None, "zlib"):
        data = deep if planes == "contig" else np.moveaxis(deep, -1, 0)
        tifffile.imwrite(
            "scan.tif", data, photometric="rgb", planarconfig=planes, compression=compression
        )
        assert np.array_equal(tifffile.imread("scan.tif"), data)  # the file itself is right
        with Image.open("scan.tif") as image:
            read, mode = np.asarray(image).astype(int), image.mode
        difference = np.abs(read - pixels)
        differences[planes, compression] = difference.max()
        print(
            f"planes {planes}, compression {compression}: mode {mode}, "
            f"off by up to {difference.max()} grey levels, {difference.mean():.1f} on average"
        )
scrambled = differences.pop(("separate", None))
same = scrambled > 50 and not any(differences.values())
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
