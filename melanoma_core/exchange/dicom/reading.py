"""DICOM files of photographs that no record keeps: read now, or by the Reading page before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from melanoma_core.data.drawn.shipped import is_drawn
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.exchange.dicom.files import DicomFile, make_files
from melanoma_core.exchange.occasion import (
    MadeReading,
    Occasion,
    StrippedFiles,
    make_occasion,
    strip_files,
)
from melanoma_core.models.card import ModelCard
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.reading import Reading
from melanoma_core.records.ai_readings import ReadingRequest, keep_readings, read_lesion
from melanoma_core.records.vocabulary import ImageKind
from melanoma_core.software import VERSION


@dataclass(frozen=True, kw_only=True)
class Unkept:
    """A lesion that no record keeps.

    Attributes:
        files: Content of each photograph's file, by its name, which goes no further.
        pseudonym: Of the patient; "" for a name from the content of the photographs.
        label: Of the lesion.
        kind: What the photographs show.
        prevalence: In force; None if none is set.
        read_anyway: Whether photographs are read although they are out of distribution.
    """

    files: Mapping[str, bytes]
    pseudonym: str = ""
    label: str = "1"
    kind: ImageKind = ImageKind.DERMOSCOPIC
    prevalence: Prevalence | None = None
    read_anyway: bool = False


def read_files(classifier: Classifier, lesion: Unkept) -> tuple[DicomFile, ...]:
    """Read a lesion from its files, and return its DICOM files.

    Raises:
        ImageError: A file is no photograph that can be decoded.
    """
    files = strip_files(lesion.files, lesion.kind)
    request = _make_request(files, lesion)
    value = read_lesion(classifier, request, files.keep)
    made = MadeReading(value=value, card=classifier.card)
    return make_files([_make_occasion(files, made, lesion)])


def take_readings(
    card: ModelCard, lesion: Unkept, readings: Mapping[str, Reading]
) -> tuple[DicomFile, ...]:
    """Return the DICOM files of a lesion that was read before; nothing is read again.

    Args:
        card: Of the model that has read it.
        lesion: The lesion.
        readings: The reading of each photograph, by its name in `lesion.files`.

    Raises:
        ImageError: A file cannot be decoded.
    """
    files = StrippedFiles({}, {})
    kept: dict[str, Reading] = {}
    for name, data in lesion.files.items():
        one = strip_files({name: data}, lesion.kind)
        (sha256,) = one.photographs
        files.contents.update(one.contents)
        files.photographs.update(one.photographs)
        kept[sha256] = readings[name]
    value = keep_readings(card, _make_request(files, lesion), kept, files.keep)
    return make_files([_make_occasion(files, MadeReading(value=value, card=card), lesion)])


def _make_request(files: StrippedFiles, lesion: Unkept) -> ReadingRequest:
    return ReadingRequest(
        lesion_id="",
        visit_id="",
        photographs={each: files.contents[each] for each in files.photographs},
        app_version=VERSION,
        prevalence=lesion.prevalence,
        is_drawn=_are_drawn(lesion),
        read_anyway=lesion.read_anyway,
    )


def _make_occasion(files: StrippedFiles, reading: MadeReading, lesion: Unkept) -> Occasion:
    occasion = make_occasion(files, reading, lesion.pseudonym, lesion.label)
    return replace(occasion, is_drawn=_are_drawn(lesion))


def _are_drawn(lesion: Unkept) -> bool:
    return all(is_drawn(data) for data in lesion.files.values())
