"""Draw lesions that imitate dermoscopy, for demonstration; none of them is a photograph.

No photograph of a patient may ship with the project. A drawing is a stack of layers over skin, each
with an opacity and a colour, mixed in optical density as pigments in skin are (Beer-Lambert law).
The signs of each diagnosis follow Kittler et al. (2016), "Standardization of terminology in
dermoscopy".
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.drawn.strokes import (
    Plane,
    View,
    aim,
    blob,
    depth_inside,
    dots,
    hairs,
    honeycomb,
    network,
    patches,
    ramp,
    streaks,
    vessels,
)
from melanoma_core.taxonomy import Diagnosis

JPEG_QUALITY = 88

_Colour = tuple[int, int, int]
_Layer = tuple[Plane, _Colour]

_SKIN_TONES = ((222, 172, 164), (214, 166, 172), (226, 180, 160), (204, 158, 150))
TAN, BROWN, DARK_BROWN, BLACK = (176, 122, 88), (128, 76, 52), (74, 42, 34), (38, 26, 28)
PINK, RED, MAROON, PURPLE = (214, 128, 128), (186, 62, 66), (124, 30, 62), (66, 28, 62)
WHITE, SCALE, YELLOW, ORANGE = (232, 208, 202), (246, 234, 220), (230, 206, 160), (186, 104, 70)
BLUE_GREY = (108, 106, 122)


def _melanoma(view: View, rng: Generator) -> Iterator[_Layer]:
    """Many colours in an uneven outline: atypical network, streaks, blue-white veil, white scar."""
    depth = depth_inside(view, rng, 0.62, asymmetry=0.2, ragged=0.1)
    body = ramp(depth, -0.03, 0.2)
    side = rng.uniform(0, 2 * math.pi)
    x, y = 0.26 * math.cos(side), 0.26 * math.sin(side)
    yield body * 0.75, TAN
    yield body * patches(view, rng, 0.35, -0.1) * 0.85, BROWN
    yield body * network(view, rng, 0.5) * patches(view, rng, 0.3) * 0.6, DARK_BROWN
    yield streaks(view, rng) * ramp(depth, -0.3, 0) * 0.6, DARK_BROWN
    yield body * blob(view, rng, x, y, 0.5) * 0.95, DARK_BROWN
    yield body * blob(view, rng, 1.2 * x, 1.2 * y, 0.3) * 0.9, BLACK
    yield body * blob(view, rng, -0.8 * y, 0.8 * x, 0.4) * 0.75, BLUE_GREY
    yield body * blob(view, rng, -x, -y, 0.34) * 0.6, WHITE
    yield body * patches(view, rng, 0.25, 1.2) * 0.5, RED
    yield body * patches(view, rng, 0.3) * dots(view, rng, 200, 0.018, 0.7) * 0.6, BLACK


def _nevus(view: View, rng: Generator) -> Iterator[_Layer]:
    """Round and regular: a network that fades outwards, a few globules, darker in the centre."""
    depth = depth_inside(view, rng, rng.uniform(0.42, 0.55), asymmetry=0.025, ragged=0.05)
    yield ramp(depth, -0.1, 0.35) * 0.7, TAN
    yield ramp(depth, 0.05, 0.9) * 0.75, BROWN
    lines = network(view, rng) * patches(view, rng, 0.3, -1.3)
    yield ramp(depth, 0, 0.4) * lines * 0.35, DARK_BROWN
    globules = ramp(honeycomb(view, rng, 0.085, 0.6), 1.2, 2.6) * patches(view, rng, 0.2)
    yield ramp(depth, 0.2, 0.7) * globules * 0.6, DARK_BROWN


def _basal_cell_carcinoma(view: View, rng: Generator) -> Iterator[_Layer]:
    """Pearly pink with arborising vessels, blue-grey nests and a small ulcer."""
    depth = depth_inside(view, rng, 0.62, asymmetry=0.08, ragged=0.08)
    body = ramp(depth, -0.05, 0.35)
    yield body * 0.5, PINK
    yield body * patches(view, rng, 0.3, 0.4) * 0.6, WHITE
    nests = ramp(view.noise(rng, 0.17, 3) - 1.6 * depth, -0.3, 1.1)
    yield ramp(depth, 0, 0.25) * nests * 0.75, BLUE_GREY
    yield body * dots(view, rng, 40, 0.04, 0.8) * 0.55, BLUE_GREY
    yield ramp(depth, -0.15, 0.2) * vessels(view, rng) * 0.6, RED
    crust = blob(view, rng, rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.25), 0.18)
    yield crust * 0.7, ORANGE
    yield crust * patches(view, rng, 0.06) * 0.8, MAROON


def _actinic_keratosis(view: View, rng: Generator) -> Iterator[_Layer]:
    """Strawberry pattern: red between pale follicles, with dry white scale."""
    depth = depth_inside(view, rng, 0.65, asymmetry=0.1, ragged=0.2)
    body = ramp(depth, -0.15, 0.6)
    follicles = honeycomb(view, rng, 0.09, 0.38)
    yield body * 0.5, PINK
    yield body * ramp(-follicles, -2.5, 1.2) * patches(view, rng, 0.3, -0.4) * 0.65, RED
    yield body * ramp(follicles, 1.4, 3) * patches(view, rng, 0.2) * 0.7, YELLOW
    yield body * patches(view, rng, 0.3, 0.5) * 0.5, TAN
    flakes = ramp(np.abs(view.noise(rng, 0.07, 3)), 1.0, 1.9) * patches(view, rng, 0.3, 0.2)
    yield body * flakes * 0.8, SCALE


def _benign_keratosis(view: View, rng: Generator) -> Iterator[_Layer]:
    """A sharp border, fissures, dark comedo-like openings and bright milia-like cysts."""
    depth = depth_inside(view, rng, 0.62, asymmetry=0.06, ragged=0.06)
    body = ramp(depth, 0, 0.07)
    yield body * 0.7, TAN
    yield body * patches(view, rng, 0.2, 0.2) * 0.75, BROWN
    fissures = ramp(-np.abs(view.noise(rng, 0.16, 3)), -0.6, 0)
    yield body * fissures * 0.4, DARK_BROWN
    yield body * dots(view, rng, 40, 0.045, 0.7) * 0.65, DARK_BROWN
    yield body * dots(view, rng, 70, 0.026, 0.7) * 0.7, YELLOW


def _dermatofibroma(view: View, rng: Generator) -> Iterator[_Layer]:
    """A white scar-like centre within a fine pale network."""
    depth = depth_inside(view, rng, 0.6, asymmetry=0.025, ragged=0.06)
    ring = ramp(depth, -0.1, 0.5)
    yield ring * 0.5, PINK
    yield ring * 0.55, TAN
    yield ring * network(view, rng) * patches(view, rng, 0.3, -0.5) * 0.45, BROWN
    yield ramp(depth + 0.06 * view.noise(rng, 0.15, 4), 0.4, 0.85) * 0.75, WHITE


def _vascular_lesion(view: View, rng: Generator) -> Iterator[_Layer]:
    """Red, maroon and purple lacunae without any brown."""
    depth = depth_inside(view, rng, 0.45, asymmetry=0.06, ragged=0.1)
    body = ramp(depth, -0.08, 0.2)
    yield ramp(depth, -0.5, 0.3) * 0.4, PINK
    yield body * 0.75, RED
    yield body * dots(view, rng, 45, 0.12, 0.5) * 0.6, MAROON
    yield body * dots(view, rng, 30, 0.1, 0.5) * 0.5, PURPLE
    yield body * patches(view, rng, 0.3, 0.9) * 0.6, PURPLE


def _squamous_cell_carcinoma(view: View, rng: Generator) -> Iterator[_Layer]:
    """Keratin in white, yellow and blood spots over pink with dotted vessels."""
    depth = depth_inside(view, rng, 0.62, asymmetry=0.08, ragged=0.1)
    body = ramp(depth, -0.1, 0.4)
    yield body * 0.6, PINK
    yield body * patches(view, rng, 0.25, 0.3) * 0.6, RED
    yield ramp(depth, 0, 0.2) * dots(view, rng, 260, 0.016, 0.8) * 0.5, RED
    centre = depth + 0.12 * view.noise(rng, 0.15, 4)
    keratin = ramp(centre, 0.35, 0.75)
    yield ramp(centre, 0.1, 0.6) * 0.6, WHITE
    yield keratin * 0.6, YELLOW
    yield keratin * patches(view, rng, 0.12, 0.6) * 0.7, ORANGE
    yield keratin * patches(view, rng, 0.09, 1.3), MAROON
    yield keratin * patches(view, rng, 0.07, 0.9) * 0.7, SCALE


def _skin(view: View, rng: Generator) -> Iterator[_Layer]:
    """Skin mottled by blood and pigment."""
    yield np.ones_like(view.x), _SKIN_TONES[rng.integers(len(_SKIN_TONES))]
    yield patches(view, rng, 0.9, 0.3) * 0.3, PINK
    yield patches(view, rng, 0.3, 0.9) * 0.25, TAN


def _surface(view: View, rng: Generator) -> Iterator[_Layer]:
    """Creases and shine, on the skin and the lesion alike."""
    yield ramp(-np.abs(view.noise(rng, 0.06, 2)), -0.8, 0) * 0.05, BROWN
    yield ramp(view.noise(rng, 0.02), 0, 2) * 0.2, WHITE


_LESIONS: dict[Diagnosis, Callable[[View, Generator], Iterator[_Layer]]] = {
    Diagnosis.MEL: _melanoma,
    Diagnosis.NV: _nevus,
    Diagnosis.BCC: _basal_cell_carcinoma,
    Diagnosis.AK: _actinic_keratosis,
    Diagnosis.BKL: _benign_keratosis,
    Diagnosis.DF: _dermatofibroma,
    Diagnosis.VASC: _vascular_lesion,
    Diagnosis.SCC: _squamous_cell_carcinoma,
}


def _develop(density: NDArray[np.float32], rng: Generator) -> NDArray[np.uint8]:
    """Convert log intensity, [3, height, width], to pixels, with vignetting, tint and noise."""
    _, height, width = density.shape
    rows, columns = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    falloff = np.float32(rng.uniform(0.04, 0.1)) * (rows**2 + columns**2).astype(np.float32)
    tint = rng.normal(0, 0.025, (3, 1, 1)).astype(np.float32)
    light = 255 * np.exp(density + tint - falloff)
    light += 2.5 * rng.standard_normal((height, width), dtype=np.float32)
    return np.moveaxis(np.clip(light, 0, 255).astype(np.uint8), 0, 2)


def draw_lesion(
    diagnosis: Diagnosis, seed: int, width: int = 600, height: int = 450, view: int = 0
) -> NDArray[np.uint8]:
    """Draw a lesion with the dermoscopic signs of a diagnosis; equal arguments give equal images.

    Args:
        diagnosis: The diagnosis to imitate.
        seed: Which lesion of that diagnosis, 0 or more.
        width: In pixels.
        height: In pixels; the lesion fills about half of it.
        view: Which view of that lesion, 0 or more. Views differ in camera position, light and hair.

    Returns:
        RGB, uint8 [height, width, 3].

    Examples:
        >>> draw_lesion(Diagnosis.NV, seed=0, width=60, height=45).shape
        (45, 60, 3)
    """
    kind = list(Diagnosis).index(diagnosis)
    # Skin and camera have separate generators, so that every view shows the same lesion.
    skin_rng = np.random.default_rng([kind, seed])
    camera_rng = np.random.default_rng([kind, seed, 1 + view])
    camera = aim(camera_rng, width, height)
    layers = [
        *_skin(camera, skin_rng),
        *_LESIONS[diagnosis](camera, skin_rng),
        *_surface(camera, skin_rng),
        (hairs(camera, camera_rng) * 0.75, DARK_BROWN),
    ]
    density = np.zeros((3, height, width), np.float32)
    for opacity, colour in layers:
        density += opacity * (np.log(np.array(colour, np.float32) / 255)[:, None, None] - density)
    return _develop(density, camera_rng)


def write_demonstration(folder: Path) -> list[Path]:
    """Draw every demonstration lesion as a JPEG file; its comment states that it is drawn.

    Args:
        folder: Where to write; it is created if missing.

    Returns:
        The files, in the order of `DEMONSTRATION_LESIONS`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / lesion.file_name for lesion in DEMONSTRATION_LESIONS]
    for lesion, path in zip(DEMONSTRATION_LESIONS, paths, strict=True):
        drawing = Image.fromarray(draw_lesion(lesion.diagnosis, lesion.seed))
        drawing.save(path, quality=JPEG_QUALITY, comment=lesion.description)
    return paths
