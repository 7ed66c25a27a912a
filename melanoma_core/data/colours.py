"""Convert the pixels of an image to sRGB."""

from io import BytesIO

from PIL import Image, ImageChops, ImageCms

_SPACE = slice(16, 20)  # where an ICC profile names its colour model


def convert_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an image to sRGB.

    Colours are matched exactly where both spaces have them, and the darkest tone becomes black
    (relative colorimetric, with black point compensation). Every profile of sRGB so leaves pixels
    as they are, also the preference profile of version 4 by the ICC, whose perceptual table
    changes tones to please.

    Args:
        image: In the mode RGB, L or CMYK.
        profile: ICC profile of the pixels, such as Display P3 of phones or Adobe RGB of cameras;
            None for sRGB. A profile that is broken, or of another colour model, is ignored, as
            browsers do.

    Returns:
        The image in the mode RGB.
    """
    if profile:
        fitting = _fit_mode(image, profile[_SPACE])
        try:
            converted = ImageCms.profileToProfile(
                fitting,
                BytesIO(profile),
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except ImageCms.PyCMSError:
            converted = None
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def _fit_mode(image: Image.Image, space: bytes) -> Image.Image:
    """Return grey pixels in the mode that their profile describes."""
    if space == b"RGB " and image.mode == "L":
        return image.convert("RGB")
    if space == b"GRAY" and image.mode == "RGB":  # it was grey with transparency
        red, green, blue = image.split()
        is_grey = not any(ImageChops.difference(red, other).getbbox() for other in (green, blue))
        return red if is_grey else image
    return image
