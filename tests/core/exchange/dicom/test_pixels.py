"""How the pixels of each kind of file are stored, and their colours."""

import io
from dataclasses import dataclass

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageCms
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, SecondaryCaptureImageStorage

from melanoma_core.exchange.dicom.colour import adopt_profile, make_srgb
from melanoma_core.exchange.dicom.files import DicomFile
from melanoma_core.exchange.dicom.headers import seal
from melanoma_core.exchange.dicom.pixels import find_photometric, read_pixels, set_pixels


@dataclass(frozen=True)
class Stored:
    """A file as it was, and as DICOM gives it back."""

    before: np.ndarray
    dataset: pydicom.FileDataset

    @property
    def difference(self) -> int:
        return int(abs(self.before.astype(int) - self.dataset.pixel_array.astype(int)).max())


def _draw() -> Image.Image:
    rows, columns = np.mgrid[0:80, 0:97]
    red, green = 120 + 100 * np.sin(columns / 9), 90 + 60 * np.cos(rows / 7)
    return Image.fromarray(np.stack([red, green, red / 2 + 30], 2).astype(np.uint8))


def _encode(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def _store(data: bytes, mode: str = "RGB") -> Stored:
    dataset = Dataset()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    set_pixels(dataset, read_pixels(data))
    seal(dataset)
    again = pydicom.dcmread(io.BytesIO(DicomFile("", dataset).encode()))
    return Stored(np.asarray(Image.open(io.BytesIO(data)).convert(mode)), again)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_every_subsampling_of_a_baseline_jpeg_keeps_its_stream(subsampling: str) -> None:
    data = _encode(_draw(), "JPEG", quality=90, subsampling=subsampling)
    stored = _store(data)
    (frame,) = pydicom.encaps.generate_frames(stored.dataset.PixelData, number_of_frames=1)
    assert frame[: len(data)] == data
    assert stored.dataset.PhotometricInterpretation == "YBR_FULL_422"
    assert stored.dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert stored.difference <= 2


def test_a_jpeg_of_rgb_is_called_rgb() -> None:
    data = _encode(_draw(), "JPEG", quality=95, keep_rgb=True)
    assert find_photometric(data) == "RGB"
    assert _store(data).difference <= 1


def test_a_grey_jpeg_has_one_sample_and_no_profile() -> None:
    stored = _store(_encode(_draw().convert("L"), "JPEG"), "L")
    assert stored.dataset.PhotometricInterpretation == "MONOCHROME2"
    assert stored.dataset.SamplesPerPixel == 1
    assert "ICCProfile" not in stored.dataset
    assert "PlanarConfiguration" not in stored.dataset
    assert stored.difference == 0


def test_a_progressive_jpeg_is_stored_decoded_and_still_called_lossy() -> None:
    stored = _store(_encode(_draw(), "JPEG", progressive=True))
    assert stored.dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert stored.dataset.PhotometricInterpretation == "RGB"
    assert stored.dataset.LossyImageCompression == "01"
    assert stored.difference == 0


def test_a_png_keeps_every_pixel_also_with_an_odd_number_of_bytes() -> None:
    stored = _store(_encode(_draw().crop((0, 0, 97, 79)), "PNG"))
    assert len(stored.dataset.PixelData) == 97 * 79 * 3 + 1
    assert stored.dataset.LossyImageCompression in ("", None)
    assert stored.difference == 0


def test_a_jpeg_that_was_held_sideways_is_stored_upright() -> None:
    exif = Image.Exif()
    exif[274] = 6
    data = _encode(_draw(), "JPEG", exif=exif)
    dataset = _store(data).dataset
    assert (dataset.Rows, dataset.Columns) == (97, 80)
    upright = np.rot90(np.asarray(Image.open(io.BytesIO(data))), -1)
    assert abs(dataset.pixel_array.astype(int) - upright).max() == 0


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xc0\0\x02\xff"])
def test_what_is_no_whole_jpeg_has_no_name(data: bytes) -> None:
    assert find_photometric(data) == ""


@pytest.mark.parametrize("intent", list(ImageCms.Intent))
def test_the_profile_moves_no_colour_with_any_intent(intent: ImageCms.Intent) -> None:
    values = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(make_srgb()))
    srgb = ImageCms.createProfile("sRGB")
    for flags in (ImageCms.Flags.NONE, ImageCms.Flags.BLACKPOINTCOMPENSATION):
        converted = ImageCms.profileToProfile(
            Image.fromarray(values), profile, srgb, renderingIntent=intent, flags=flags
        )
        assert converted is not None
        assert abs(np.asarray(converted, int) - values).max() == 0


def test_the_profile_is_that_of_an_input_device_and_always_the_same() -> None:
    profile = make_srgb()
    assert (profile[12:16], profile[16:20], profile[20:24]) == (b"scnr", b"RGB ", b"XYZ ")
    assert profile[36:40] == b"acsp"
    make_srgb.cache_clear()
    assert make_srgb() == profile


def test_an_embedded_matrix_profile_goes_along_and_is_not_called_srgb() -> None:
    # The primaries of Display P3 would do as well: what counts is that these bytes go along.
    embedded = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    dataset = _store(_encode(_draw(), "JPEG", icc_profile=embedded)).dataset
    assert "ColorSpace" not in dataset
    assert dataset.ICCProfile[128:] == embedded[128:]
    assert dataset.ICCProfile[12:16] == b"scnr"


def test_a_profile_with_tables_or_damage_is_not_adopted() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert adopt_profile(lab) is None
    assert adopt_profile(b"no profile") is None
