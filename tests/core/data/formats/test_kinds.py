import pytest

from melanoma_core.data.formats.kinds import recognise


def media(brand: bytes, *others: bytes) -> bytes:
    """Return the beginning of an ISO media file."""
    content = b"ftyp" + brand + bytes(4) + b"".join(others)
    return (4 + len(content)).to_bytes(4) + content + bytes(100)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (media(b"heic", b"mif1"), "a HEIC photograph"),
        (media(b"mif1", b"heic"), "a HEIC photograph"),
        (media(b"mif1"), "a HEIC photograph"),
        (media(b"hevc", b"msf1"), "a HEIC photograph"),
        (media(b"msf1", b"hevc"), "a HEIC photograph"),
        (media(b"miaf", b"mif1", b"heix"), "a HEIC photograph"),
        (media(b"avif"), "an AVIF image"),
        (media(b"mif1", b"avif"), "an AVIF image"),
        (media(b"mif1", b"miaf", b"avif"), "an AVIF image"),
        (media(b"avis", b"avif"), "an AVIF image"),
        (media(b"msf1", b"avis"), "an AVIF image"),
        (media(b"crx ", b"isom"), "a raw photograph of a Canon camera (CR3)"),
        (media(b"isom"), "a video"),
        (media(b"qt  "), "a video"),
        (media(b"3gp5"), "a video"),
        (media(b"zzzz"), "an ISO media file of the brand 'zzzz'"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(100), "a raw photograph of a Canon camera (CR2)"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
    ],
)
def test_a_media_file_is_named_by_what_it_holds(data: bytes, kind: str):
    assert recognise(data) == kind


@pytest.mark.parametrize(
    "data",
    [
        bytes(128) + b"DICM" + bytes(100),
        b"\x02\0\0\0UL\4\0" + bytes(100),  # the length of group 2, without a preamble
        b"\x08\0\5\0CS\x0a\0ISO_IR 100" + bytes(100),  # the character set, explicit type
        b"\x08\0\x16\0\x1a\0\0\x001.2.840.10008" + bytes(100),  # the SOP class, implicit type
    ],
    ids=["with preamble", "group 2", "explicit", "implicit"],
)
def test_dicom_is_recognised_with_and_without_its_preamble(data: bytes):
    assert recognise(data) == "a DICOM file"


@pytest.mark.parametrize("data", [b"", b"\x08", bytes(1000), b"\x08\0\0\0ZZ\0\0" + bytes(100)])
def test_what_only_begins_like_dicom_is_not_called_so(data: bytes):
    assert recognise(data) in {None, "a text file"}
