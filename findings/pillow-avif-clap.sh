#!/usr/bin/env bash
# Guess: Pillow shows an AVIF photograph as the file presents it. It hands on rotation and mirroring (as
# EXIF orientation), so it crops by "clap" (clean aperture) too, or says that a part is to be cut off.
#
# What happens: it returns all coded pixels, 64 x 64 where the file presents 32 x 64, and info has no
# word about it. sharp (libheif inside) opens the same file as 32 x 64. What was cropped away by the
# property is visible again.
#
# Versions: Pillow 13.0.0 (libavif inside), sharp 0.35.5 as the second reader. Needs node and npm.
# Why it matters here: a crop of a clinical photograph can hide a face or a name. The project refuses
# an AVIF photograph with this property.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow==13.0.0 numpy==2.4.6
npm install --silent --no-fund --no-audit --prefix . sharp@0.35.5 >/dev/null
cat >write.py <<'PYTHON'
import io
import struct

import numpy as np
from PIL import Image

pixels = np.full((64, 64, 3), (200, 60, 40), np.uint8)
pixels[:, 32:] = (20, 200, 20)  # to be cut off
file = io.BytesIO()
Image.fromarray(pixels).save(file, "AVIF", quality=100, subsampling="4:4:4")
data = bytearray(file.getvalue())


def find(name):
    """Return where the first box of this name begins, and its size."""
    start = data.index(name) - 4
    return start, struct.unpack_from(">I", data, start)[0]


properties, length = find(b"ipco")
associations, end = find(b"ipma")
number, place = 1, properties + 8
while place < properties + length:  # the new property comes last
    number += 1
    place += struct.unpack_from(">I", data, place)[0]
# Width 32, height 64, and the centre 16 pixels to the left: each a fraction of two integers.
clap = struct.pack(">I4s8i", 40, b"clap", 32, 1, 64, 1, -16, 1, 0, 1)
added = len(clap) + 1
pixels_at = find(b"mdat")[0] + 8
offset = data.index(struct.pack(">I", pixels_at), find(b"iloc")[0])
struct.pack_into(">I", data, offset, pixels_at + added)
for name, more in ((b"meta", added), (b"iprp", added), (b"ipco", len(clap)), (b"ipma", 1)):
    start, size = find(name)
    struct.pack_into(">I", data, start, size + more)
assert struct.unpack_from(">IH", data, associations + 12) == (1, 1)  # of one item, the photograph
data[associations + 18] += 1
data[associations + end : associations + end] = bytes([0x80 | number])  # essential
data[properties + length : properties + length] = clap
with open("photograph.avif", "wb") as output:
    output.write(data)
PYTHON
venv/bin/python write.py
cat >read.mjs <<'JAVASCRIPT'
import sharp from "sharp";
const { info } = await sharp("photograph.avif").raw().toBuffer({ resolveWithObject: true });
console.log(`sharp ${sharp.versions.sharp}: ${info.width} x ${info.height}`);
if (info.width !== 32 || info.height !== 64) process.exit(1);
JAVASCRIPT
node read.mjs
venv/bin/python - <<'PYTHON'
import numpy as np
from PIL import Image

with Image.open("photograph.avif") as image:
    hidden = tuple(int(each) for each in np.asarray(image)[0, -1])
    print(f"Pillow: {image.width} x {image.height}, info {image.info}, last pixel {hidden}")
    same = image.size == (64, 64) and "clap" not in str(image.info) and hidden[1] > 190
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
