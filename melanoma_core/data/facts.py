"""The measurements of one image file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The measurements of one image file. If `error` is set, only `num_photographs` is set besides.

    Attributes:
        sha256: Hash of the bytes, hexadecimal. Equal for exact copies.
        pixel_sha256: Hash of the pixels and their shape as `images.decode_image` returns them,
            hexadecimal. Equal for lossless copies in different bytes.
        dhash: Difference hash of the image, 256 bits as 64 hexadecimal digits: whether each pixel
            at 17×16 is brighter than its left neighbour (Krawetz 2013; `hash_size` 16 of the
            imagehash library). The default of 64 bits has a hundred times as many collisions
            between different lesions, because each is dark in the middle of bright skin.
        width: Width of the upright image in pixels.
        height: Height of the upright image in pixels.
        brightness: Mean luma (Rec. 601), in [0, 1].
        contrast: Standard deviation of the luma, in [0, 0.5].
        sharpness: Variance of the Laplacian of the luma in [0, 1], at 128×128 pixels (Pech-Pacheco
            et al. 2000, doi:10.1109/ICPR.2000.903548). Low for a blurred image.
        canonical_dhash: Difference hashes of the image in its canonical orientation, one after
            another (`orientations.list_canonical`). Mirrored and turned copies share one.
        ita: Individual typology angle of the skin around the lesion in degrees, an estimate
            (`skin_tone.estimate_ita`). None also where too little skin is seen.
        said: What a DICOM file says of patient and lesion (`dicom_facts.write_said`); None for
            others.
        num_photographs: Of a file with an error; a DICOM file can hold several, each of which is
            measured apart.
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
    canonical_dhash: str | None = None
    ita: float | None = None
    said: str | None = None
    num_photographs: int = 1
    error: str | None = None
