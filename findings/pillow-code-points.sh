#!/usr/bin/env bash
# Guess: Pillow opens an AVIF or PNG photograph that declares Display P3 by code points (nclx in AVIF,
# cICP in PNG, no ICC profile), and converts it to sRGB, makes a profile of it, or says so in info.
#
# What happens: none of these. The numbers are returned as they are stored, info has no word about
# them, and nothing differs from an sRGB file. So the colours are taken for sRGB. Saving as AVIF again
# writes the code points of sRGB (BT.709 primaries): now the file itself says the wrong thing.
#
# Versions: Pillow 13.0.0 (libavif inside), imagecodecs 2026.3.6 to write the AVIF file.
# Why it matters here: phones and converters write Display P3 like this. A reading of such a photograph
# would see paler skin and paler reds. The code points must be read from the file itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow==13.0.0 imagecodecs==2026.3.6 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import io
import struct
import zlib

import imagecodecs
import numpy as np
from PIL import Image

SRGB, DISPLAY_P3 = 1, 12  # primaries of ITU-T H.273
pixels = np.full((64, 64, 3), (200, 60, 40), np.uint8)


def nclx(data):
    """Return primaries, transfer and matrix that an AVIF file declares."""
    return struct.unpack_from(">3H", data, data.index(b"colrnclx") + 8)


def write_png(primaries):
    """Return a PNG file with a cICP chunk: primaries, transfer of sRGB, RGB, full range."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    data, chunk = file.getvalue(), b"cICP" + bytes((primaries, 13, 0, 1))
    ready = struct.pack(">I", 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return data[:33] + ready + data[33:]  # behind IHDR


found = {}
for primaries in (SRGB, DISPLAY_P3):
    avif = imagecodecs.avif_encode(
        pixels, level=100, pixelformat="444", primaries=primaries, transfer=13, matrix=6
    )
    for kind, data in (("AVIF", avif), ("PNG", write_png(primaries))):
        with Image.open(io.BytesIO(data)) as image:
            colour = tuple(int(each) for each in np.asarray(image)[0, 0])
            found[kind, primaries] = (colour, dict(image.info))
            print(f"{kind}, primaries {primaries}: colour {colour}, info {image.info}")
            if kind == "AVIF":
                again = io.BytesIO()
                image.save(again, "AVIF")
                written = nclx(again.getvalue())
                print(f"  the file says {nclx(data)}, saved again {written}")
                assert nclx(data)[0] == primaries
same = all(found[kind, SRGB] == found[kind, DISPLAY_P3] for kind in ("AVIF", "PNG"))
same = same and not any("icc_profile" in info for _, info in found.values()) and written[0] == SRGB
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
