#!/usr/bin/env bash
# Guess: pixel_array of pydicom is in the colour space that PhotometricInterpretation names. So the old
# idiom convert_color_space(pixel_array, PhotometricInterpretation, "RGB") gives the photograph.
#
# What happens: pydicom 3 returns RGB already, and the tag goes on saying YBR_FULL_422 or YBR_FULL. The
# idiom converts a second time, and pixels are off by up to 195 of 255 levels. There is no warning, and
# the result looks like a photograph in false colours. With pydicom 2.4.5 it is right. In version 3,
# decompress() sets the tag to RGB, but for uncompressed YBR_FULL there is nothing to decompress.
#
# Versions: pydicom 3.0.2 and 2.4.5, Pillow 13.0.0. The release notes of 3.0.0 name the conversion.
# Why it matters here: photographs from DICOM archives are JPEG in YBR_FULL_422. The tag of a file must
# never decide about pixels that a library has decoded.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >read.py <<'PYTHON'
import io
import sys

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, SecondaryCaptureImageStorage

if pydicom.__version__.startswith("3"):
    from pydicom.pixels import convert_color_space
else:
    from pydicom.pixel_data_handlers import convert_color_space

rows, columns = np.mgrid[0:64, 0:64]
colours = np.stack([200 + 0 * rows, 100 + rows, 60 + columns], -1).astype(np.uint8)


def write(photometric, syntax, data):
    """Write a DICOM photograph of 64 x 64 pixels with so much metadata as pixels need."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    dataset.Rows = dataset.Columns = 64
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PhotometricInterpretation = photometric
    dataset.PixelData = data
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = syntax.is_compressed
    if pydicom.__version__.startswith("2"):
        dataset.is_little_endian, dataset.is_implicit_VR = True, False
    dataset.save_as("photograph.dcm")


def distance(pixels):
    """Return the largest difference to the photograph, in levels."""
    return int(np.abs(pixels.astype(int) - colours).max())


jpeg = io.BytesIO()
Image.fromarray(colours).save(jpeg, "JPEG", quality=95, subsampling="4:2:2")
plain = np.asarray(Image.fromarray(colours).convert("YCbCr")).tobytes()
for photometric, syntax, data in (
    ("YBR_FULL_422", JPEGBaseline8Bit, encapsulate([jpeg.getvalue()])),
    ("YBR_FULL", ExplicitVRLittleEndian, plain),
):
    write(photometric, syntax, data)
    dataset = pydicom.dcmread("photograph.dcm", force=True)
    pixels = dataset.pixel_array
    converted = convert_color_space(pixels, dataset.PhotometricInterpretation, "RGB")
    print(f"pydicom {pydicom.__version__}, tag {dataset.PhotometricInterpretation}: pixel_array is off "
          f"by up to {distance(pixels)} levels, converted by the tag {distance(converted)}")
    right, wrong = (pixels, converted) if sys.argv[1] == "3" else (converted, pixels)
    if distance(right) > 5 or distance(wrong) < 100:
        raise SystemExit("The behaviour has changed.")
PYTHON
for version in 3.0.2 2.4.5; do
  python3 -m venv "venv$version"
  "venv$version/bin/pip" install --quiet "pydicom==$version" pillow==13.0.0 numpy==2.4.6
  "venv$version/bin/python" read.py "${version%%.*}"
done
