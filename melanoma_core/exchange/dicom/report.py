"""The reading as a Structured Report: TID 1500, with the model by TID 4019.

Probabilities and thresholds are percentages. Each is stored as a decimal string, which DICOM
shortens to 16 characters, and as the double that was kept.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes as public

from melanoma_core.exchange.dicom import codes
from melanoma_core.exchange.dicom.headers import (
    READINGS,
    clean,
    describe,
    describe_equipment,
    find_series_uid,
    seal,
    set_made_at,
)
from melanoma_core.exchange.dicom.uids import make_uid
from melanoma_core.exchange.facts import SOFTWARE, list_alerts, list_candidates, list_notices
from melanoma_core.exchange.occasion import MadeReading, Occasion
from melanoma_core.records.kept_readings import list_probabilities
from melanoma_core.records.loop import AiReading, PhotographReading
from melanoma_core.records.vocabulary import ImageKind
from melanoma_core.taxonomy import SKIN_CANCERS, Diagnosis

_ALERTS = {
    "melanoma": (codes.MELANOMA_PROBABILITY, codes.MELANOMA_THRESHOLD, codes.MELANOMA_ALERT),
    "skin cancer": (codes.CANCER_PROBABILITY, codes.CANCER_THRESHOLD, codes.CANCER_ALERT),
}
_TIMES = ("InstanceCreationDate", "InstanceCreationTime", "ContributingEquipmentSequence")


def make_report(
    occasion: Occasion, reading: MadeReading, images: dict[str, Dataset], now: datetime
) -> Dataset:
    """Return the Structured Report of a reading.

    Args:
        occasion: The lesion at a visit.
        reading: The reading.
        images: The DICOM image of each photograph, by its key; at least one.
        now: When the reading was made, if that is not known.
    """
    kinds = {each.kind for each in occasion.photographs.values()}
    procedure = codes.DERMOSCOPY if ImageKind.DERMOSCOPIC in kinds else codes.PHOTOGRAPHY
    groups = [_describe_lesion(occasion, reading, list(images.values()))]
    parts = reading.value.photographs
    if len(parts) > 1 or any(each.refusal for each in parts):
        groups += [_describe_photograph(occasion, reading, each, images) for each in parts]
    content = MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=_name_observer(reading.value)
        ),
        procedure_reported=procedure,
        imaging_measurements=groups,
        title=public.DCM.ImagingMeasurementReport,
    )
    _add_comments(content, list_notices(occasion))
    report = ComprehensiveSR(
        evidence=list(images.values()),
        content=content[0],
        series_instance_uid=find_series_uid(occasion, READINGS),
        series_number=READINGS.number,
        sop_instance_uid=make_uid("draft"),
        instance_number=1,
        manufacturer=SOFTWARE,
        is_complete=True,
        is_final=False,
        is_verified=False,
    )
    dataset = _detach(report)
    describe(dataset, occasion, READINGS, 1)
    describe_equipment(dataset, SOFTWARE, SOFTWARE)
    set_made_at(dataset, reading.made_at or now)
    seal(dataset)
    return dataset


def _detach(report: ComprehensiveSR) -> Dataset:
    """Return a report as a plain dataset, without when and by which library it was written."""
    dataset = Dataset({each.tag: each for each in report if each.keyword not in _TIMES})
    dataset.file_meta = report.file_meta
    return dataset


def _name_observer(value: AiReading) -> ObserverContext:
    device = DeviceObserverIdentifyingAttributes(
        uid=make_uid("device", SOFTWARE, value.app_version, value.model_id),
        name=SOFTWARE,
        manufacturer_name=SOFTWARE,
        model_name=value.model_id,
    )
    return ObserverContext(observer_type=public.DCM.Device, observer_identifying_attributes=device)


def _identify_algorithm(reading: MadeReading) -> AlgorithmIdentification:
    """Return the model, with all that its alerts depend on."""
    parameters = [
        f"{alert.name.capitalize()} alert at "
        + (f"{alert.threshold!r}. " if alert.threshold is not None else "no threshold. ")
        + alert.origin
        for alert in list_alerts(reading)
    ]
    prevalence = reading.value.prevalence
    if prevalence is not None:
        parameters.append(
            f"Prevalence of the clinic: melanoma {prevalence[0]!r}, skin cancer {prevalence[1]!r}. "
            "Probabilities and alerts here are those without it; the differential is with it."
        )
    return AlgorithmIdentification(
        name=f"{SOFTWARE}, model {reading.value.model_id}",
        version=reading.value.app_version,
        parameters=parameters or None,
        family=public.DCM.ArtificialIntelligence,
        manufacturer=SOFTWARE,
    )


def _describe_lesion(
    occasion: Occasion, reading: MadeReading, images: Sequence[Dataset]
) -> MeasurementsAndQualitativeEvaluations:
    """Return what was said of the lesion from all its photographs."""
    value = reading.value
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=make_uid("lesion", occasion.lesion_key), identifier=clean(occasion.lesion.label)
        ),
        finding_type=codes.SKIN_LESION,
        algorithm_id=_identify_algorithm(reading),
        finding_sites=[_find_site(occasion)],
        measurements=list(_measure_lesion(reading)) or None,
        qualitative_evaluations=list(_evaluate_lesion(reading)),
        source_images=[_refer(image) for image in images],
    )
    _add_comments(group, [value.statement] if value.statement else [])
    return group


def _find_site(occasion: Occasion) -> FindingSite:
    return FindingSite(
        anatomic_location=codes.code_site(occasion.lesion),
        laterality=codes.code_side(occasion.lesion),
    )


def _measure_lesion(reading: MadeReading) -> Iterator[Measurement]:
    """Yield both probabilities with their thresholds, then that of each other diagnosis."""
    for alert in list_alerts(reading):
        probability, threshold, _ = _ALERTS[alert.name]
        yield _measure(probability, alert.probability)
        if alert.threshold is not None:
            yield _measure(threshold, alert.threshold)
    value = reading.value
    named = list_probabilities(value.class_names, value.probabilities) if value.was_read else []
    for diagnosis, share in named:
        if diagnosis is not Diagnosis.MEL:
            yield _measure(codes.code_probability(diagnosis), share)


def _evaluate_lesion(reading: MadeReading) -> Iterator[QualitativeEvaluation]:
    """Yield whether it was read, both alerts, and the differential diagnosis."""
    value = reading.value
    yield _answer(codes.WAS_READ, is_so=value.was_read)
    for alert in list_alerts(reading):
        if alert.is_raised is not None:
            yield _answer(_ALERTS[alert.name][2], is_so=alert.is_raised)
    if any(each.read_anyway for each in value.photographs):
        yield _answer(codes.READ_ANYWAY, is_so=True)
    if value.was_read:
        leading = list_probabilities(value.class_names, value.probabilities)[0][0]
        yield QualitativeEvaluation(codes.LEADING, codes.code_diagnosis(leading))
    for diagnosis in list_candidates(value):
        yield QualitativeEvaluation(codes.DIFFERENTIAL, codes.code_diagnosis(diagnosis))


def _describe_photograph(
    occasion: Occasion,
    reading: MadeReading,
    part: PhotographReading,
    images: dict[str, Dataset],
) -> MeasurementsAndQualitativeEvaluations:
    """Return what was said of one photograph: its probabilities, or why it was refused."""
    named = dict(zip(reading.value.class_names, part.probabilities, strict=False))
    measurements = []
    if named:
        cancers = [named[each] for each in SKIN_CANCERS if each in named]
        measurements = [
            _measure(codes.MELANOMA_PROBABILITY, named[Diagnosis.MEL]),
            _measure(codes.CANCER_PROBABILITY, sum(cancers)),
        ]
    evaluations = [_answer(codes.WAS_READ, is_so=bool(named))]
    if part.read_anyway:
        evaluations.append(_answer(codes.READ_ANYWAY, is_so=True))
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=make_uid("photograph", occasion.lesion_key, part.photograph_id),
            identifier=f"Photograph {images[part.photograph_id].InstanceNumber}",
        ),
        finding_type=codes.SKIN_LESION,
        algorithm_id=_identify_algorithm(reading),
        measurements=measurements or None,
        qualitative_evaluations=evaluations,
        source_images=[_refer(images[part.photograph_id])],
    )
    _add_comments(group, [text for text in (part.refusal, *part.findings) if text])
    return group


def _measure(name: CodedConcept, share: float) -> Measurement:
    """Return a share, in [0, 1], as a percentage."""
    # highdicom refuses NumPy's numbers, and stores a double for a Python float alone.
    return Measurement(name=name, value=100 * float(share), unit=codes.PERCENT)


def _answer(name: CodedConcept, *, is_so: bool) -> QualitativeEvaluation:
    return QualitativeEvaluation(name, codes.YES if is_so else codes.NO)


def _refer(image: Dataset) -> SourceImageForMeasurementGroup:
    return SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID)


def _add_comments(
    template: MeasurementReport | MeasurementsAndQualitativeEvaluations, texts: Sequence[str]
) -> None:
    """Add texts to a container; both templates are extensible."""
    for text in texts:
        template[0].ContentSequence.append(
            TextContentItem(name=codes.COMMENT, value=text, relationship_type="CONTAINS")
        )
