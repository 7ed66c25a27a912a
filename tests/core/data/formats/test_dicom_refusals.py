"""DICOM files that are refused by name, and those that would do harm."""

import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.data import get_testdata_file

from melanoma_core.data.formats import dicom_elements
from melanoma_core.data.formats.dicom_facts import read_facts
from melanoma_core.data.formats.dicom_kinds import name_kind
from melanoma_core.data.images import decode_here, decode_image
from melanoma_core.errors import ImageError
from tests.dicom_files import (
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    JPEG_2000,
    JPEG_LS,
    RLE,
    compress,
    encode,
    make_photograph,
    wrap,
    write,
)

CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def describe_refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as refusal:
        decode_here(data)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("uid", "name"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "a CT image"),
        ("1.2.840.10008.5.1.4.1.1.4", "an MR image"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "an encapsulated PDF"),
        ("1.2.840.10008.5.1.4.1.1.6.1", "an ultrasound image"),
        ("1.2.840.10008.5.1.4.1.1.77.1.6", "a VL whole slide microscopy image"),
        ("1.2.840.10008.5.1.4.1.1.77.1.5.1", "an ophthalmic photography 8 bit image"),
        ("1.2.840.10008.5.1.4.1.1.88.67", "an X-Ray radiation dose SR"),
        ("1.2.840.10008.1.3.10", "a DICOMDIR, the list of the files of a disc"),
        ("1.2.3.4", "of a kind that is not known here (1.2.3.4)"),
    ],
)
def test_a_file_of_another_kind_is_named(picture, uid, name):
    assert name_kind(uid) == name
    assert describe_refusal(write(make_photograph(picture, uid))) == (
        f"The DICOM file is {name}. A DICOM file of a photograph is needed: VL Photographic Image, "
        "Dermoscopic Photography Image, or a secondary capture of one. Export the photograph as a "
        "JPEG, or choose another file of the series."
    )


def test_a_secondary_capture_is_read_unless_it_is_one_of_a_scanner(picture):
    decode_here(write(make_photograph(picture, CAPTURE, Modality="OT")))
    assert describe_refusal(write(make_photograph(picture, CAPTURE, Modality="CT"))).startswith(
        "The DICOM file is a secondary capture of another modality (CT)."
    )


def test_real_files_of_other_kinds_are_named():
    names = {"CT_small.dcm": "a CT image", "rtplan.dcm": "an RT plan", "test-SR.dcm": "a compre"}
    for file, name in names.items():
        with open(get_testdata_file(file), "rb") as content:  # noqa: PTH123 - a text, not a path
            assert describe_refusal(content.read()).startswith(f"The DICOM file is {name}")


@pytest.mark.parametrize(
    ("syntax", "found"),
    [
        ("1.2.840.10008.1.2.4.102", "The DICOM file is a video (MPEG-4 AVC/H.264 High Profile"),
        ("1.2.840.10008.1.2.4.107", "The DICOM file is a video (HEVC/H.265 Main Profile"),
        ("1.2.840.10008.1.2.4.94", "The DICOM file holds no pixels, but the address of a server"),
        ("1.2.840.10008.1.2.4.53", "The pixels of the DICOM file are compressed in a way that is"),
    ],
)
def test_a_transfer_syntax_that_is_not_read_is_named(picture, syntax, found):
    data = wrap([b"\0" * 10], make_photograph(picture), syntax, "RGB")
    assert describe_refusal(data).startswith(found)


def test_an_unknown_transfer_syntax_is_named(picture):
    data = wrap([b"\0" * 10], make_photograph(picture), JPEG, "RGB")
    unknown = data.replace(JPEG.encode(), b"1.2.999.10008.1.2.4.50")
    assert describe_refusal(unknown).startswith(
        "The pixels of the DICOM file are compressed in a way that is not read: an unknown "
        "transfer syntax, 1.2.999.10008.1.2.4.50. JPEG, JPEG 2000, JPEG-LS, RLE or no "
        "compression is needed."
    )


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"PhotometricInterpretation": "HSV"}, 'its colours are "HSV"'),
        ({"PhotometricInterpretation": "MONOCHROME2"}, "it has 3 values per pixel"),
        ({"BitsStored": 7}, "it stores 7 of 8 bits"),
        ({"PixelRepresentation": 1}, "its values are signed"),
    ],
)
def test_a_layout_that_is_not_read_is_named(picture, values, found):
    data = write(make_photograph(picture, **values))
    assert found in describe_refusal(data)


def test_grey_of_a_scanner_is_refused(picture):
    grey = picture[..., 0]
    wide = make_photograph(grey.astype(np.uint16), BitsStored=12, HighBit=11)
    assert "it is grey with 12 bits" in describe_refusal(write(wide))
    shown = make_photograph(grey, WindowCenter=100, WindowWidth=50)
    assert "to be shown in a window" in describe_refusal(write(shown))
    decode_here(write(make_photograph(grey, RescaleSlope=1, RescaleIntercept=0)))


def test_a_file_without_pixels_or_without_a_kind_says_so(picture):
    without = make_photograph(picture)
    del without.PixelData
    assert describe_refusal(write(without)).startswith("The DICOM file holds no pixels.")
    unnamed = make_photograph(picture)
    data = write(unnamed).replace(b"1.2.840.10008.5.1.4.1.1.77.1.4", b" " * 30)
    assert "does not say of which kind it is" in describe_refusal(data)


def test_several_photographs_are_counted_before_they_are_decoded(picture):
    data = write(make_photograph(np.stack([picture, picture])))
    assert describe_refusal(data).startswith("The DICOM file contains 2 photographs (frames).")
    film = make_photograph(picture, NumberOfFrames=101)
    assert describe_refusal(write(film)).startswith(
        "The DICOM file contains 101 frames, like a film. At most 100"
    )


def test_a_size_beyond_the_limit_is_refused_before_room_is_made(picture):
    large = make_photograph(picture, Rows=60_000, Columns=60_000)
    assert describe_refusal(write(large)).startswith("The image has more than 64 million pixels")
    small = make_photograph(picture[:40])
    assert describe_refusal(write(small)).startswith("The image is 100 × 40 pixels.")


@pytest.mark.parametrize("syntax", [JPEG, JPEG_2000])
def test_a_stream_of_another_size_than_its_tags_is_refused(picture, syntax):
    stream = encode(picture, "JPEG" if syntax == JPEG else "JPEG2000")
    data = wrap([stream], make_photograph(picture[:, :90]), syntax, "RGB")
    assert describe_refusal(data) == (
        "The DICOM file contradicts itself: its tags say 90 × 72 pixels with 3 values of 8 bits, "
        "its pixels 100 × 72 pixels with 3 values of 8 bits. Export it again from its source."
    )


def test_pixels_that_are_too_few_or_too_many_are_refused(picture):
    for pixels in (picture[:-1].tobytes(), picture.tobytes() + bytes(20)):
        found = describe_refusal(write(make_photograph(picture, PixelData=pixels)))
        assert found.startswith("The DICOM file is damaged or incomplete: its pixels take")


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED])
def test_a_file_that_ends_anywhere_is_refused(picture, syntax):
    data = write(make_photograph(picture), syntax)
    for length in [*range(1, 1500, 7), len(data) // 2, len(data) - 9]:
        with pytest.raises(ImageError):
            decode_here(data[:length])


@pytest.mark.parametrize("syntax", [RLE, JPEG_LS, "1.2.840.10008.1.2.4.70"])
def test_a_compressed_file_that_ends_anywhere_is_refused(picture, tmp_path, syntax):
    data = compress(write(make_photograph(picture)), syntax, tmp_path)
    for length in range(1, len(data), len(data) // 12):
        with pytest.raises(ImageError):
            decode_image(data[:length])


def test_a_file_with_any_byte_changed_is_read_or_refused(picture, tmp_path):
    """In processes of their own: a decoder that ends its process ends none of ours."""
    random = np.random.default_rng(0)
    for syntax in (RLE, JPEG_LS, "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90"):
        data = bytearray(compress(write(make_photograph(picture)), syntax, tmp_path))
        for _ in range(10):
            changed = bytearray(data)
            for place in random.integers(132, len(data), 3):
                changed[place] = random.integers(256)
            with suppress(ImageError):
                assert decode_image(bytes(changed)).pixels.shape[2] == 3


def test_what_is_deflated_is_inflated_up_to_a_limit_alone(picture, monkeypatch):
    data = write(make_photograph(picture), DEFLATED)
    monkeypatch.setattr(dicom_elements, "MAX_INFLATED", 1000)
    assert "is deflated, and holds more than" in describe_refusal(data)


def test_a_deflated_file_of_zeros_is_no_bomb():
    head = write(make_photograph(np.zeros((72, 100, 3), np.uint8)), DEFLATED)
    start = head.index(b"1.2.840.10008.1.2.1.99")
    deflater = zlib.compressobj(1, zlib.DEFLATED, -15)
    zeros = b"".join(deflater.compress(bytes(2**20)) for _ in range(300)) + deflater.flush()
    bomb = head[: start + 22] + zeros
    assert len(bomb) < 2_000_000
    describe_refusal(bomb)


def test_sequences_are_counted_and_not_followed_for_ever(picture):
    nested = Dataset()
    for _ in range(40):
        outer = Dataset()
        outer.ReferencedImageSequence = Sequence([nested])
        outer["ReferencedImageSequence"].is_undefined_length = True
        nested = outer
    deep = make_photograph(picture)
    deep.ReferencedImageSequence = nested.ReferencedImageSequence
    deep["ReferencedImageSequence"].is_undefined_length = True
    assert "nests more than 32 sequences" in describe_refusal(write(deep))


def test_a_file_of_very_many_elements_is_refused(picture):
    data = write(make_photograph(picture))
    element = struct.pack("<HH2sH", 0x0009, 0x1000, b"LO", 0)
    start = data.index(b"\x10\0\x10\0PN")
    many = data[:start] + element * 120_000 + data[start:]
    assert "is made of more than 100,000 parts" in describe_refusal(many)


def test_no_value_of_a_patient_reaches_a_log(picture, caplog, recwarn):
    dataset = make_photograph(picture, PatientID="X" * 70, PatientAge="secret", BitsStored=8)
    data = write(dataset)
    caplog.clear()
    recwarn.clear()
    read_facts(data)
    decode_here(data)
    assert not caplog.records
    assert not list(recwarn)


def test_no_element_but_those_that_are_needed_is_parsed(picture):
    """A name with letters that its character set does not have harms nothing."""
    dataset = make_photograph(picture)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    data = write(dataset).replace(b"Secret^Name", b"\xff\xfe\xff^\xff\xff\xff\xff\xff\xff\xff")
    assert np.array_equal(decode_here(data).pixels, picture)
