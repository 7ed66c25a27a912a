"""The fields of a recipe that alter the training images."""

from dashboard.training.field import Group, RecipeField


def _augmentation(
    group: Group, label: str, text: str, maximum: float, step: float = 0.05
) -> RecipeField:
    return RecipeField(group, label, f"{text} 0 switches it off.", maximum=maximum, step=step)


AUGMENTATION_FIELDS = {
    "mirror": RecipeField(Group.GEOMETRY, "Mirroring", "Mirrors half of the images."),
    "rotation": _augmentation(
        Group.GEOMETRY, "Rotation, max. °", "In either direction.", 180.0, 5.0
    ),
    "zoom": _augmentation(
        Group.GEOMETRY, "Zoom, max.", "Relative change of scale along each axis.", 2.0
    ),
    "shift": _augmentation(
        Group.GEOMETRY, "Shift, max.", "Relative to the side of the image.", 0.9, 0.01
    ),
    "brightness": _augmentation(
        Group.COLOUR,
        "Brightness, max.",
        "Change in either direction, relative to the full range.",
        0.9,
    ),
    "contrast": _augmentation(
        Group.COLOUR, "Contrast, max.", "Relative change in either direction.", 0.9
    ),
    "colour": _augmentation(
        Group.COLOUR,
        "Colour gain, max.",
        "Relative change of each channel: cameras and illumination differ.",
        0.9,
    ),
    "saturation": _augmentation(
        Group.COLOUR, "Saturation, max.", "Relative change of colour saturation.", 0.9
    ),
    "gamma": _augmentation(Group.COLOUR, "Gamma, max.", "Relative change of the midtones.", 2.0),
    "resolution": _augmentation(
        Group.CAMERA,
        "Resolution loss, max.",
        "Share of the resolution that is removed: other cameras resolve less.",
        0.9,
    ),
    "blur": _augmentation(
        Group.CAMERA,
        "Blur, max.",
        "Standard deviation relative to the side of the image.",
        0.1,
        0.005,
    ),
    "vignette": _augmentation(
        Group.CAMERA, "Vignette, share of images", "Dark outside a circle.", 1.0
    ),
    "artefacts": _augmentation(
        Group.CAMERA,
        "Artefacts, share of images",
        "Hair, ink, a ruler or gel bubbles are drawn.",
        1.0,
    ),
    "jpeg": _augmentation(
        Group.CAMERA, "JPEG compression, share of images", "Of a quality between 30 and 95.", 1.0
    ),
}
