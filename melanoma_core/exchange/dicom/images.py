"""A photograph, and the heatmap over it, as DICOM images."""

from pydicom.dataset import Dataset
from pydicom.uid import (
    DermoscopicPhotographyImageStorage,
    SecondaryCaptureImageStorage,
    VLPhotographicImageStorage,
)

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.images import encode_jpeg
from melanoma_core.exchange.dicom import codes
from melanoma_core.exchange.dicom.headers import (
    CLOSE_UPS,
    DERMOSCOPY,
    HEATMAPS,
    LONGEST,
    clean,
    describe,
    describe_equipment,
    describe_image,
    make_contributor,
    make_item,
    make_reference,
    seal,
    set_made_at,
)
from melanoma_core.exchange.dicom.pixels import read_pixels, set_pixels
from melanoma_core.exchange.dicom.uids import make_uid
from melanoma_core.exchange.facts import SOFTWARE
from melanoma_core.exchange.occasion import MadeReading, Occasion
from melanoma_core.reading.explanation import shape_heatmaps
from melanoma_core.reading.overlay import blend
from melanoma_core.records.ai_readings import decode_heatmap
from melanoma_core.records.entities import Photograph
from melanoma_core.records.kept_readings import find_heatmap
from melanoma_core.records.vocabulary import DermoscopicType, ImageKind

_SIDE = 2048  # px, the longer one of an overlay
_OPACITY = 0.6
_POLARISATION = {
    DermoscopicType.CONTACT_POLARISED: "POLARIZED",
    DermoscopicType.CONTACT_NON_POLARISED: "NON_POLARIZED",
    DermoscopicType.NON_CONTACT_POLARISED: "POLARIZED",
}
_CONTACT = {
    DermoscopicType.CONTACT_POLARISED: "CONTACT",
    DermoscopicType.CONTACT_NON_POLARISED: "CONTACT",
    DermoscopicType.NON_CONTACT_POLARISED: "NON_CONTACT",
}


def make_photograph(occasion: Occasion, photograph: Photograph, place: int) -> Dataset:
    """Return a photograph as a DICOM image.

    A dermoscopic one is a Dermoscopic Photography Image (Supplement 221), every other one a VL
    Photographic Image.

    Args:
        occasion: The lesion at a visit.
        photograph: The photograph.
        place: Its place in the series, from 1.

    Raises:
        ImageError: It cannot be decoded.
        RecordDamagedError: Its file is missing, or was altered.
    """
    is_dermoscopic = photograph.kind is ImageKind.DERMOSCOPIC
    dataset = Dataset()
    dataset.SOPClassUID = (
        DermoscopicPhotographyImageStorage if is_dermoscopic else VLPhotographicImageStorage
    )
    describe(dataset, occasion, DERMOSCOPY if is_dermoscopic else CLOSE_UPS, place)
    describe_equipment(dataset, photograph.device)
    describe_image(dataset, occasion)
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.AcquisitionContextSequence = []
    dataset.ContributingEquipmentSequence = [make_contributor()]
    set_made_at(dataset, photograph.taken_on)
    if photograph.taken_on is not None:
        dataset.AcquisitionDate = photograph.taken_on.strftime("%Y%m%d")
    scale = photograph.millimetres_per_pixel
    if scale is not None:
        dataset.PixelSpacing = [f"{scale:.10g}"] * 2
    if is_dermoscopic:
        _describe_dermoscopy(dataset, occasion, photograph)
    set_pixels(dataset, read_pixels(occasion.read(photograph.sha256)))
    seal(dataset)
    return dataset


def _describe_dermoscopy(dataset: Dataset, occasion: Occasion, photograph: Photograph) -> None:
    """Write the Dermoscopic Image Module; what the record does not know is empty."""
    light = photograph.dermoscopic_type
    dataset.RecognizableVisualFeatures = "NO"  # a few millimetres of skin
    dataset.LightSourcePolarization = _POLARISATION[light] if light else None
    dataset.ContactMethod = _CONTACT[light] if light else None
    if dataset.ContactMethod == "CONTACT":
        dataset.ImmersionMedia = None
    dataset.EmitterColorTemperature = None
    dataset.OpticalMagnificationFactor = None
    dataset.TrackingID = clean(occasion.lesion.label)[:LONGEST]
    dataset.TrackingUID = make_uid("lesion", occasion.lesion_key)


def make_overlay(
    occasion: Occasion, reading: MadeReading, source: Dataset, photograph_key: str
) -> Dataset | None:
    """Return a photograph with the heatmap of the alert over it, as a secondary capture.

    Args:
        occasion: The lesion at a visit.
        reading: The reading, with its kept heatmaps.
        source: The photograph as a DICOM image, to which the overlay refers.
        photograph_key: Key of the photograph.

    Returns:
        None if no heatmap was kept of it.
    """
    sha256, diagnosis = find_heatmap(reading.value, photograph_key)
    if not sha256:
        return None
    dataset = Dataset()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    describe(dataset, occasion, HEATMAPS, source.InstanceNumber)
    describe_equipment(dataset, SOFTWARE, SOFTWARE)
    describe_image(dataset, occasion)
    dataset.ConversionType = "WSD"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    set_made_at(dataset, reading.made_at)
    dataset.BurnedInAnnotation = "NO"
    dataset.DerivationDescription = (
        f"Heatmap of the evidence for {diagnosis}, model {reading.value.model_id}. It shows what "
        "the model used, not where a tumour is."
    )[:1024]
    origin = make_reference(source)
    origin.PurposeOfReferenceCodeSequence = [make_item(codes.SOURCE_IMAGE)]
    dataset.SourceImageSequence = [origin]
    dataset.ReferencedSeriesSequence = [_refer_to_series(source)]
    photograph = occasion.photographs[photograph_key]
    set_pixels(dataset, read_pixels(_draw(occasion, photograph, sha256)))
    seal(dataset)
    return dataset


def _refer_to_series(source: Dataset) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = source.SeriesInstanceUID
    item.ReferencedInstanceSequence = [make_reference(source)]
    return item


def _draw(occasion: Occasion, photograph: Photograph, heatmap_sha256: str) -> bytes:
    """Return a JPEG file of a photograph with a heatmap over it."""
    pixels = decode_within(occasion.read(photograph.sha256), max_side=_SIDE).pixels
    height, width = pixels.shape[:2]
    heatmap = decode_heatmap(occasion.read(heatmap_sha256))
    return encode_jpeg(blend(pixels, shape_heatmaps(heatmap[None], height, width)[0], _OPACITY))
