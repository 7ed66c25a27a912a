#!/usr/bin/env bash
# Guess: highdicom reads a DICOM photograph that is declared as sRGB, with an ICC profile of sRGB, as
# the stored pixels, or at most 1 or 2 levels away.
#
# What happens: Image.get_frame applies the profile by default, and pixels move by up to 102 of 255
# levels. The profile is the "sRGB v4 ICC preference" that highdicom itself ships and embeds in its
# colour presentation states. Its perceptual table is not the identity. highdicom checks that the
# profile supports relative colorimetric intent, but builds the transform with the default of Pillow's
# ImageCms, which is perceptual. Relative colorimetric intent moves pixels by up to 29 levels, and
# by 0 with black point compensation.
#
# Versions: highdicom 0.28.2, pydicom 3.0.2, Pillow 13.0.0.
# Why it matters here: colours decide between diagnoses. Two readers of one file must agree, so the
# project converts with relative colorimetric intent and black point compensation.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet highdicom==0.28.2 pydicom==3.0.2 pillow==13.0.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import importlib.resources
import io

import highdicom as hd
import numpy as np
from PIL import Image, ImageCms
from pydicom import dcmread
from pydicom.uid import generate_uid

steps = range(0, 256, 17)
cube = np.array([(r, g, b) for r in steps for g in steps for b in steps], np.uint8)
cube = cube.reshape(64, 64, 3)
path = importlib.resources.files("highdicom") / "_icc_profiles/sRGB_v4_ICC_preference.icc"
profile = path.read_bytes()
photograph = hd.sc.SCImage(
    pixel_array=cube, photometric_interpretation="RGB", bits_allocated=8, series_number=1,
    coordinate_system="PATIENT", patient_orientation=("L", "P"), manufacturer="none",
    study_instance_uid=generate_uid(), series_instance_uid=generate_uid(),
    sop_instance_uid=generate_uid(), instance_number=1,
)  # fmt: skip
photograph.ICCProfile, photograph.ColorSpace = profile, "SRGB"
photograph.save_as("photograph.dcm")
image = hd.imread("photograph.dcm")
found = {
    "pydicom pixel_array": dcmread("photograph.dcm").pixel_array,
    "highdicom get_frame": image.get_frame(1),
    "highdicom get_frame(apply_icc_profile=False)": image.get_frame(1, apply_icc_profile=False),
}
source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
for name, flags in (("", 0), (" with black point", ImageCms.Flags.BLACKPOINTCOMPENSATION)):
    found[f"ImageCms relative{name}"] = np.asarray(ImageCms.profileToProfile(
        Image.fromarray(cube), source, target, renderingIntent=intent, flags=flags,
    ))  # fmt: skip
moved = {name: int(np.abs(pixels.astype(int) - cube).max()) for name, pixels in found.items()}
for name, levels in moved.items():
    print(f"{name}: pixels move by up to {levels} levels")
raise SystemExit(0 if list(moved.values()) == [0, 102, 0, 29, 0] else "The behaviour has changed.")
PYTHON
