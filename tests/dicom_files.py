"""DICOM files of photographs, written by pydicom, GDCM and dcmtk in every form that is read."""

import shutil
import subprocess
from base64 import b85decode
from io import BytesIO
from pathlib import Path

import gdcm
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import convert_color_space
from pydicom.uid import UID, generate_uid

from tests.conftest import need

PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.4"
DERMOSCOPIC = "1.2.840.10008.5.1.4.1.1.77.1.7"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
JPEG, RLE = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5"
JPEG_2000_LOSSLESS, JPEG_2000 = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"
JPEG_LOSSLESS, JPEG_LOSSLESS_FIRST = "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"
JPEG_LS, JPEG_LS_LOSSY = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"

# 64 × 64 pixels, the left half (200, 10, 30), the right (20, 120, 60): high-throughput JPEG 2000,
# lossless, by OpenJPH, which none of our libraries writes.
HIGH_THROUGHPUT = "1.2.840.10008.1.2.4.201"
HIGH_THROUGHPUT_STREAM = b85decode(
    "|4;u>053oQ0000$0000$00000000000000$0000$000000000000RdB0S5sA2LS>9Pyh%30ssI21OHM03;+TE0Ra"
    "UB1V91*TmTawP*_-4SXfwCSXfwCSWr+<|6~9c00B>MWo}APNFY{aav(4+GBz$VF8`1K3IG5A00H&@0soW06#$8ec"
    "KZN9lmNgJfJo%N03nnBz!f0!<vBS10AZ8>zzINY_aU<YzzTo>Fq!-SL9_tC3V`hF2?+qgv;e>gkiY)+OOvzGb^yQ"
    "%(1sC$VT9oTT%D8BcL2Z&@CXR^jeu}>_XWw}gVJ{ZzzawbM2JL)M2P&pbvvouPd&nV0Kf}e5L5+0RRuv+1wmEyzB"
    "--M?x(}hf_nhK3venb&!eL9^rWKl^rWKl^z^<1sohTMaD&l;d;q`;q5w0@0L%c)0L%c)0L%c)0Q~3v0o3lNbvvou"
    "PU?44n!<7czzeGY7?xmIl3-YpU|5o1Sdw5^l3-YpU|5p;=l%n!-A?LvQ@Wkh?x#c0f^z}D3$p-3L}L&Ujf@Zxjf@"
    "Zxjf@Zxjf@Zxjf@Zxjf@Zxjg0)~{yLr1?x%G-sohTMa0AhTa{<5?QUDPV5fKp)5fKp)5fKp)5fS<Sd{dO=IZjiQ<"
    "vC7Ml;t^2Q<UX6!g&F}7i0jA<2a7vIF92uj^j9v<2a7vIF92uj^jA_|9k~GPE(ZSIZjiQ<vC7Ml;t^2Q-Fec0l*h"
    "@03aYBARr(hARr(hARr(hARr(hARr(hARr(hARr(hAo>4%1vySrl;t^2Q<UX7PE(ZSIZji7f_ee}*#"
)

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


def make_photograph(frames: Pixels, kind: str = PHOTOGRAPH, **values: object) -> Dataset:
    """Return a dermatologic photograph, uncompressed.

    Args:
        frames: [H, W], [H, W, 3] or [N, H, W, 3], as they are to be stored.
        kind: SOP class.
        values: Elements by keyword, in place of or besides the usual ones.
    """
    frames = np.asarray(frames)
    is_several = frames.ndim == 4
    rows, columns = frames.shape[1:3] if is_several else frames.shape[:2]
    channels = 3 if frames.shape[-1] == 3 and frames.ndim > 2 else 1
    bits = 8 * frames.dtype.itemsize
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(kind)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.Modality = "XC"
    dataset.PatientName = "Secret^Name"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = rows, columns, channels
    dataset.PhotometricInterpretation = "RGB" if channels == 3 else "MONOCHROME2"
    if channels == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, 0
    if is_several:
        dataset.NumberOfFrames = len(frames)
    stored = frames.tobytes()
    dataset.PixelData = stored + bytes(len(stored) % 2)
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def write(dataset: Dataset, syntax: str = EXPLICIT) -> bytes:
    """Return a file in a transfer syntax that compresses no pixels, or whose pixels are so."""
    buffer = BytesIO()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    if syntax == BIG_ENDIAN:
        dataset["PixelData"].VR = "OW"
        words = np.frombuffer(dataset.PixelData, "<u2").byteswap()
        dataset.PixelData = words.tobytes()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def wrap(streams: list[bytes], dataset: Dataset, syntax: str, photometric: str) -> bytes:
    """Return a file that holds compressed streams, whatever its tag says of their colours."""
    dataset.PhotometricInterpretation = photometric
    dataset.PixelData = encapsulate(streams)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return write(dataset, syntax)


def encode(pixels: Pixels, image_format: str = "JPEG", **options: object) -> bytes:
    """Return the stream of pixels, by Pillow."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, image_format, **options)
    return buffer.getvalue()


def compress(data: bytes, syntax: str, folder: Path) -> bytes:
    """Return a file compressed by GDCM."""
    plain, compressed = folder / "plain.dcm", folder / "compressed.dcm"
    plain.write_bytes(data)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(plain))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(compressed))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    assert str(dcmread(compressed).file_meta.TransferSyntaxUID) == syntax
    return compressed.read_bytes()


def convert(data: bytes, folder: Path, *command: str) -> bytes:
    """Return a file converted by a tool of dcmtk."""
    need(shutil.which(command[0]) is not None, f"{command[0]} of dcmtk is not installed")
    plain, converted = folder / "plain.dcm", folder / "converted.dcm"
    plain.write_bytes(data)
    subprocess.run([*command, plain, converted], check=True, capture_output=True)
    return converted.read_bytes()


def to_ycbcr(pixels: Pixels) -> NDArray[np.uint8]:
    """Return RGB as YBR_FULL."""
    return convert_color_space(pixels, "RGB", "YBR_FULL")
