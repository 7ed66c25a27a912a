"""What was measured on one file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What was measured on one file; nothing but `error` is known where that is set.

    Attributes:
        sha256: Of the bytes, hexadecimal; equal for byte-identical copies.
        pixel_sha256: Of the pixels, as `images.decode_image` gives them, with their size;
            hexadecimal. Equal for the same picture in other bytes, without loss.
        dhash: Difference hash of the picture (`difference_hash`), 64 hexadecimal digits.
        width: Upright width in pixels.
        height: Upright height in pixels.
        brightness: Mean luma (Rec. 601), in [0, 1].
        contrast: Standard deviation of the luma, in [0, 0.5].
        sharpness: Variance of the Laplacian of the luma in [0, 1], at 128×128 pixels (Pech-Pacheco
            et al. 2000, doi:10.1109/ICPR.2000.903548); low for a blurred picture.
        error: Why the file cannot be read, or None.
    """

    sha256: str | None = None
    pixel_sha256: str | None = None
    dhash: str | None = None
    width: int | None = None
    height: int | None = None
    brightness: float | None = None
    contrast: float | None = None
    sharpness: float | None = None
    error: str | None = None
