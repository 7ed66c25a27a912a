import hashlib
import resource
import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from melanoma_core.data.images import decode_image
from melanoma_core.errors import FolderError, ImageError
from melanoma_core.records import stripping
from melanoma_core.records.errors import RecordDamagedError, RecordReadOnlyError
from melanoma_core.records.images import ImageStore
from tests.core.records.made_entries import read_drawn

GPS, MODEL, ORIENTATION = 0x8825, 0x0110, 0x0112
SECRET = b"Anna Muster"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "images")


def draw(size: tuple[int, int] = (160, 120), mode: str = "RGB", seed: int = 1) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


def make_exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[MODEL] = SECRET.decode()
    exif.get_ifd(GPS)[1] = "N"
    return exif


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def check_kept(images: ImageStore, data: bytes) -> bytes:
    """Return the kept file, which holds no secret and looks as the original."""
    stored = images.put(data)
    kept = images.read(stored.sha256)
    assert hashlib.sha256(kept).hexdigest() == stored.sha256
    assert SECRET not in kept
    again, original = decode_image(kept), decode_image(data)
    assert np.array_equal(again.pixels, original.pixels)
    assert (stored.width, stored.height) == (again.original_width, again.original_height)
    with Image.open(BytesIO(kept)) as image:
        assert Image.MIME[str(image.format)] == stored.media_type
        assert dict(image.getexif()) == {}
        assert set(image.info) <= {
            *("jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "icc_profile"),
            *("progressive", "progression", "adobe", "adobe_transform", "gamma", "srgb"),
            *("transparency", "chromaticity"),
        }
    return kept


def get_scan(data: bytes) -> bytes:
    return data[data.index(b"\xff\xda") : data.rindex(b"\xff\xd9")]


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 100, "optimize": True}],
)
def test_an_upright_jpeg_loses_its_metadata_and_no_bit_of_its_pixels(
    images: ImageStore, options: dict
):
    data = save(
        draw(),
        "JPEG",
        exif=make_exif(),
        comment=SECRET,
        xmp=b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>",
        icc_profile=PROFILE,
        **options,
    )
    assert data.count(SECRET) == 3

    kept = check_kept(images, data)

    assert get_scan(kept) == get_scan(data)
    with Image.open(BytesIO(kept)) as image:
        assert image.info["icc_profile"] == PROFILE


def test_a_jpeg_in_grey_and_one_for_print_keep_their_pixels(images: ImageStore):
    for mode in ("L", "CMYK"):
        data = save(draw(mode=mode), "JPEG", comment=SECRET)
        assert get_scan(check_kept(images, data)) == get_scan(data)


def test_the_thumbnail_of_a_jpeg_goes(images: ImageStore):
    data = save(draw(), "JPEG")
    assert data[2:4] == b"\xff\xe0"
    header = data[6:18] + bytes([2, 2]) + SECRET + b"x"  # 2 × 2 pixels of 3 bytes
    with_thumbnail = data[:2] + b"\xff\xe0" + (len(header) + 2).to_bytes(2) + header
    with_thumbnail += data[4 + int.from_bytes(data[4:6]) :]

    assert check_kept(images, with_thumbnail) == data


def test_only_the_first_image_of_a_phone_is_kept(images: ImageStore):
    second = draw(seed=2)
    data = save(draw(), "MPO", save_all=True, append_images=[second])
    assert decode_image(data).image_format == "MPO"

    kept = check_kept(images, data)
    assert len(kept) < len(data) / 1.5


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_jpeg_held_sideways_becomes_an_upright_png(images: ImageStore, orientation: int):
    data = save(draw(), "JPEG", exif=make_exif(orientation))

    stored = images.put(data)

    assert stored.media_type == "image/png"
    assert (stored.width, stored.height) == ((160, 120) if orientation < 5 else (120, 160))
    check_kept(images, data)


def test_a_jpeg_held_sideways_that_is_too_large_for_a_png_keeps_the_number_of_its_orientation(
    images: ImageStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stripping, "MAX_BYTES", 10_000)
    data = save(draw(), "JPEG", exif=make_exif(6), comment=SECRET)

    stored = images.put(data)

    kept = images.read(stored.sha256)
    assert (stored.media_type, stored.width, stored.height) == ("image/jpeg", 120, 160)
    assert SECRET not in kept
    assert get_scan(kept) == get_scan(data)
    with Image.open(BytesIO(kept)) as image:
        assert dict(image.getexif()) == {ORIENTATION: 6}
    assert np.array_equal(decode_image(kept).pixels, decode_image(data).pixels)


def test_what_would_be_too_large_to_be_read_again_is_refused(
    images: ImageStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stripping, "MAX_BYTES", 10_000)

    with pytest.raises(ImageError, match="Crop it to the lesion, or save it as a JPEG"):
        images.put(save(draw(), "WEBP", lossless=True))


def test_an_upright_png_loses_its_texts_and_no_bit_of_its_pixels(images: ImageStore):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", SECRET.decode())
    texts.add_itxt("Title", SECRET.decode())
    data = save(draw(), "PNG", pnginfo=texts, exif=make_exif(), icc_profile=PROFILE, dpi=(72, 72))
    data += SECRET  # after its end

    kept = check_kept(images, data)

    start, end = data.index(b"IDAT"), data.index(b"IEND")
    assert data[start : end - 4] in kept
    with Image.open(BytesIO(kept)) as image:
        assert image.info["icc_profile"] == PROFILE


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16"])
def test_a_png_of_any_mode_keeps_its_pixels(images: ImageStore, mode: str):
    image = draw(mode="L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) << 8)
    elif mode == "RGBA":
        image.putalpha(draw(mode="L", seed=3))

    check_kept(images, save(image, "PNG"))


def test_a_png_held_sideways_becomes_upright(images: ImageStore):
    data = save(draw(), "PNG", exif=make_exif(6))

    assert (images.put(data).width, images.put(data).height) == (120, 160)
    check_kept(images, data)


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "BMP"])
def test_other_formats_become_png_of_the_same_pixels(images: ImageStore, kind: str):
    options = {} if kind == "BMP" else {"exif": make_exif(), "icc_profile": PROFILE}
    data = save(draw(), kind, **options)

    check_kept(images, data)
    assert images.put(data).media_type == "image/png"


def test_a_large_photograph_keeps_its_size(images: ImageStore):
    data = save(draw((3000, 2500)), "JPEG", exif=make_exif())

    stored = images.put(data)
    assert (stored.width, stored.height) == (3000, 2500)
    assert get_scan(images.read(stored.sha256)) == get_scan(data)


def test_a_photograph_is_named_by_its_content_and_written_once(images: ImageStore):
    first = images.put(read_drawn())
    path = images.folder / first.sha256[:2] / f"{first.sha256[2:]}.jpg"
    before = path.stat()
    second = images.put(read_drawn())

    assert second == first
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert list(images.list_files()) == [(first.sha256, path)]


def test_a_damaged_file_is_written_again(images: ImageStore):
    first = images.put(read_drawn())
    path = images.find(first.sha256)
    assert path is not None
    path.write_bytes(b"damaged")
    with pytest.raises(RecordDamagedError, match="was altered"):
        images.read(first.sha256)

    images.put(read_drawn())
    assert hashlib.sha256(images.read(first.sha256)).hexdigest() == first.sha256


def test_threads_may_keep_one_photograph_at_once(images: ImageStore):
    stored = []
    threads = [
        threading.Thread(target=lambda: stored.append(images.put(read_drawn()))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(stored)) == 1
    assert len(stored) == 6
    assert len([path for path in images.folder.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8\xff\xe0 and no more", bytes(100)])
def test_what_is_no_photograph_is_refused(images: ImageStore, data: bytes):
    with pytest.raises(ImageError):
        images.put(data)
    assert not images.folder.exists()


def test_a_missing_photograph_is_named(images: ImageStore):
    with pytest.raises(RecordDamagedError, match="Restore it from a backup"):
        images.read("0" * 64)


def test_nothing_is_written_where_the_record_is_read_only(tmp_path: Path):
    with pytest.raises(RecordReadOnlyError, match="read-only here"):
        ImageStore(tmp_path / "images", is_read_only=True).put(read_drawn())


def test_a_full_disk_leaves_no_part_of_a_photograph(images: ImageStore):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # writing fails as on a full disk
    try:
        with pytest.raises(FolderError, match="Free some space"):
            images.put(read_drawn())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert [path for path in images.folder.rglob("*") if path.is_file()] == []
    images.put(read_drawn())


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_a_heic_photograph_becomes_an_upright_png_of_the_same_pixels(
    images: ImageStore, orientation: int
):
    buffer = BytesIO()
    options = {"quality": 60, "thumbnails": [64], "xmp": b"<x:xmpmeta/>" + SECRET}
    made = pillow_heif.from_pillow(draw())
    made.save(buffer, exif=make_exif(orientation).tobytes(), icc_profile=PROFILE, **options)
    assert SECRET in buffer.getvalue()

    stored = images.put(buffer.getvalue())

    assert stored.media_type == "image/png"
    assert (stored.width, stored.height) == ((160, 120) if orientation < 5 else (120, 160))
    check_kept(images, buffer.getvalue())


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_an_avif_photograph_becomes_an_upright_png_of_the_same_pixels(
    images: ImageStore, orientation: int
):
    exif = make_exif(orientation)
    data = save(draw(), "AVIF", exif=exif, icc_profile=PROFILE, xmp=SECRET)
    assert SECRET in data
    assert images.put(data).media_type == "image/png"
    check_kept(images, data)


def test_of_a_burst_what_is_read_alone_is_kept(images: ImageStore):
    buffer = BytesIO()
    made = pillow_heif.from_pillow(draw())
    made.add_from_pillow(draw(seed=2))
    made.save(buffer, primary_index=1)
    check_kept(images, buffer.getvalue())
