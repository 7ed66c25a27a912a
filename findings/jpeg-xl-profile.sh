#!/usr/bin/env bash
# Guess: pillow-jxl-plugin saves the ICC profile of a photograph, as Pillow does for PNG, TIFF and AVIF,
# or at least the one that is passed as save(..., icc_profile=...).
#
# What happens: both are ignored without a warning. The numbers are kept, and the file declares them
# as sRGB: reading it back gives a profile of sRGB. So saving changes the colours, even with
# lossless=True. The profile survives only where a JPEG file is opened and saved untouched, because
# then the file itself is packed, not the pixels.
#
# Versions: pillow-jxl-plugin 1.3.8, Pillow 13.0.0.
# Why it matters here: phones photograph in Display P3. Kept numbers under another name are paler skin
# and paler reds, with nothing in the file that says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow-jxl-plugin==1.3.8 pillow==13.0.0 numpy==2.4.6
venv/bin/python -W ignore - <<'PYTHON'
import struct

import numpy as np
import pillow_jxl  # noqa: F401  (registers the format)
from PIL import Image, ImageCms

PRIMARIES = {  # of Display P3, adapted to D50
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}


def find(profile, name):
    """Return where the three numbers of a tag are."""
    (count,) = struct.unpack_from(">I", profile, 128)
    for entry in range(132, 132 + 12 * count, 12):
        if profile[entry : entry + 4] == name:
            return struct.unpack_from(">I", profile, entry + 4)[0] + 8
    return None


def red(path):
    """Return the red primary that a file declares, as its Z (sRGB 0.014, Display P3 -0.001)."""
    with Image.open(path) as image:
        profile = image.info.get("icc_profile")
        if profile is None:
            return None
        return round(struct.unpack_from(">3i", profile, find(profile, b"rXYZ"))[2] / 65536, 3)


wide = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
for name, numbers in PRIMARIES.items():
    struct.pack_into(">3i", wide, find(wide, name), *(round(each * 65536) for each in numbers))
wide = bytes(wide)
pixels = np.full((32, 32, 3), (220, 90, 70), np.uint8)
photograph = Image.fromarray(pixels)
photograph.info["icc_profile"] = wide
declared = {}
for ending in ("png", "tif", "avif", "jxl"):
    options = {"lossless": True} if ending == "jxl" else {}
    photograph.save(f"kept.{ending}", **options)
    photograph.save(f"passed.{ending}", icc_profile=wide, **options)
    declared[ending] = (red(f"kept.{ending}"), red(f"passed.{ending}"))
    print(f"{ending}: red primary Z of the profile in info: {declared[ending][0]}, "
          f"passed to save: {declared[ending][1]}")  # fmt: skip
unchanged = np.array_equal(Image.open("passed.jxl"), pixels)
print("numbers of the lossless JPEG XL file unchanged:", unchanged)
photograph.save("photograph.jpg", icc_profile=wide)
Image.open("photograph.jpg").save("packed.jxl")
print("a JPEG file that is packed: red primary Z", red("packed.jxl"))
expected = dict.fromkeys(("png", "tif", "avif"), (-0.001, -0.001)) | {"jxl": (0.014, 0.014)}
same = declared == expected and unchanged and red("packed.jxl") == -0.001
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
