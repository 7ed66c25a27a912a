"""The steps of one drawn lesion: photographed, read, decided, excised, examined, recalled."""

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from melanoma_core.models.classifier import Classifier
from melanoma_core.records.ai_readings import DRAWN, ReadingRequest, read_lesion
from melanoma_core.records.decisions import needs_reason
from melanoma_core.records.diagnoses import interpret
from melanoma_core.records.drawn_photographs import (
    MILLIMETRES_PER_PIXEL,
    Pixels,
    draw_dermoscopic,
    draw_site,
    encode,
    outline_drawing,
)
from melanoma_core.records.drawn_stories import DrawnLesion, DrawnPatient, Pathology, Seen
from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import (
    Acknowledgement,
    AiReading,
    Decision,
    FirstRead,
    Histology,
    Information,
    Recall,
    Specimen,
)
from melanoma_core.records.staging import stage_primary_tumour
from melanoma_core.records.store import Record
from melanoma_core.records.surroundings import Surroundings
from melanoma_core.records.tasks import make_recall
from melanoma_core.records.validation import check
from melanoma_core.records.vocabulary import (
    Channel,
    DermoscopicType,
    ImageKind,
    Management,
    OutlineSource,
    ReadOrder,
    RecallStatus,
)
from melanoma_core.records.writing import Change

PREFIX = "drawn-"
"""What the pseudonym of every invented patient begins with."""

ASSISTANT, READERS, LABORATORY = "drawn assistant", ("drawn dr.a", "drawn dr.b"), "drawn lab"
_NOTE = f"{DRAWN} Patient, dates and reports are invented."
_TODAY_MINUTES = 120  # what happens today lies within the last two hours
_WHOLE_SKIN_DAYS = 20  # from today: the next examination after a melanoma


@dataclass(frozen=True, order=True)
class Cue:
    """When the next step happens, and who takes it.

    Attributes:
        at: When, in UTC.
        by: Who.
    """

    at: datetime
    by: str


Steps = Generator[Cue, Change, None]


@dataclass
class Stage:
    """The record that is written, with what the lesions share.

    Attributes:
        record: The record.
        classifier: The model that reads.
        app_version: Version of this software.
        now: When today is, in UTC.
        patients: The patients that are in the record, by their number.
        visits: Their visits, by number and days before today.
        num_seen: Number of times that a lesion was photographed so far.
    """

    record: Record
    classifier: Classifier
    app_version: str
    now: datetime
    patients: dict[int, Entry[Patient]] = field(default_factory=dict)
    visits: dict[tuple[int, int], Entry[Visit]] = field(default_factory=dict)
    num_seen: int = 0

    def find_day(self, ago: int) -> date:
        """Return a day so many days before today."""
        return self.make_cue(ago, 0, "").at.date()

    def make_cue(self, ago: int, minute: int, by: str) -> Cue:
        """Return the cue of a step on a day, some minutes after its first."""
        return Cue(self.now - timedelta(days=ago, minutes=_TODAY_MINUTES - minute), by)

    def add(self, change: Change, value: Any) -> Any:
        """Add an entry that the rules of a record allow."""
        return change.add(check(value, Surroundings(today=self.now.date())))


class LesionLoop:
    """One drawn lesion of an invented patient.

    Args:
        stage: The record that is written.
        number: Number of the patient, from 1.
        patient: The patient.
        lesion: The lesion, one of the patient's.
    """

    def __init__(
        self, stage: Stage, number: int, patient: DrawnPatient, lesion: DrawnLesion
    ) -> None:
        self._stage, self._number, self._patient, self._story = stage, number, patient, lesion
        self._place = patient.lesions.index(lesion)
        self._reader = READERS[number % len(READERS)]
        self._lesion: Entry[Lesion]
        self._recall: Entry[Recall] | None = None

    def play(self) -> Steps:
        """Yield when each step happens, and take it in the change that is sent back."""
        seen = None
        for view, seen in enumerate(self._story.seen):
            decision = yield from self._see(seen, view)
        if self._story.pathology is not None and seen is not None:
            yield from self._examine(self._story.pathology, seen, decision)

    def _see(self, seen: Seen, view: int) -> Generator[Cue, Change, Entry[Decision] | None]:
        """Take the steps of a visit."""
        minute = 10 * self._place
        change = yield self._stage.make_cue(seen.ago, minute, ASSISTANT)
        self._open(change)
        visit = self._visit(change, seen.ago)
        photographs = dict(self._photograph(change, visit, seen, view))
        self._stage.num_seen += 1
        if seen.opinion is None:
            return None
        change = yield self._stage.make_cue(seen.ago, minute + 2, self._reader)
        self._stage.add(change, self._make_first_read(seen, visit))
        change = yield self._stage.make_cue(seen.ago, minute + 3, self._reader)
        reading = self._read(change, visit, photographs)
        if seen.management is None:
            return None
        change = yield self._stage.make_cue(seen.ago, minute + 5, self._reader)
        return self._decide(change, visit, seen.management, reading)

    def _open(self, change: Change) -> None:
        """Add the patient and the lesion, if they are not in the record yet."""
        stage, story = self._stage, self._story
        if self._number not in stage.patients:
            stage.patients[self._number] = stage.add(
                change,
                Patient(
                    pseudonym=f"{PREFIX}{self._number:02d}",
                    birth_year=stage.now.year - self._patient.age,
                    sex=self._patient.sex,
                    skin_type=self._patient.skin_type,
                    melanoma_before=self._patient.melanoma_before,
                    melanoma_in_family=self._patient.melanoma_in_family,
                    immunosuppressed=self._patient.immunosuppressed,
                    num_nevi=self._patient.num_nevi,
                ),
            )
        if not hasattr(self, "_lesion"):
            first = stage.find_day(story.seen[0].ago)
            noticed = "" if story.noticed is None else str(first.year - story.noticed)
            self._lesion = stage.add(
                change,
                Lesion(
                    patient_id=stage.patients[self._number].id,
                    label=str(self._place + 1),
                    site=story.site,
                    laterality=story.laterality,
                    map_point=story.point,
                    noticed=noticed,
                    changes=story.changes,
                    note=_NOTE,
                ),
            )

    def _visit(self, change: Change, ago: int) -> Entry[Visit]:
        """Return the visit of a day, which the patient's lesions share."""
        stage, key = self._stage, (self._number, ago)
        if key not in stage.visits:
            patient_id = stage.patients[self._number].id
            visit = Visit(patient_id=patient_id, on=stage.find_day(ago), reason=DRAWN)
            stage.visits[key] = stage.add(change, visit)
        if self._recall is not None:
            done = replace(self._recall.value, status=RecallStatus.DONE)
            change.correct(self._recall, done)
            self._recall = None
        return stage.visits[key]

    def _photograph(
        self, change: Change, visit: Entry[Visit], seen: Seen, view: int
    ) -> Generator[tuple[str, bytes], None, None]:
        """Add the photographs of a visit with their outlines; yield ids and contents."""
        for extra in range(seen.num_photographs):
            pixels = draw_dermoscopic(
                self._story.drawing, self._story.seed, 4 * view + extra, seen.growth
            )
            photograph = self._add_photograph(change, visit, pixels)
            if len(self._story.seen) > 1:
                self._outline(change, photograph.id, pixels)
            yield photograph.id, encode(pixels)

    def _add_photograph(
        self, change: Change, visit: Entry[Visit], pixels: Pixels, *, is_site: bool = False
    ) -> Entry[Photograph]:
        stored = self._stage.record.images.put(encode(pixels))
        photograph = Photograph(
            patient_id=self._lesion.value.patient_id,
            lesion_id=self._lesion.id,
            visit_id=visit.id,
            sha256=stored.sha256,
            media_type=stored.media_type,
            width=stored.width,
            height=stored.height,
            kind=ImageKind.CLOSE_UP if is_site else ImageKind.DERMOSCOPIC,
            dermoscopic_type=None if is_site else DermoscopicType.CONTACT_POLARISED,
            device=f"drawn by a program, {'AB'[self._number % 2]}",
            taken_on=visit.value.on,
            millimetres_per_pixel=None if is_site else MILLIMETRES_PER_PIXEL,
            shows_specimen_site=is_site,
        )
        added: Entry[Photograph] = self._stage.add(change, photograph)
        return added

    def _outline(self, change: Change, photograph_id: str, pixels: Pixels) -> None:
        points = outline_drawing(pixels)
        if points:
            outline = Outline(
                photograph_id=photograph_id,
                lesion_id=self._lesion.id,
                points=points,
                source=OutlineSource.PERSON,
            )
            self._stage.add(change, outline)

    def _make_first_read(self, seen: Seen, visit: Entry[Visit]) -> FirstRead:
        assert seen.opinion is not None
        return FirstRead(
            lesion_id=self._lesion.id,
            visit_id=visit.id,
            opinion=seen.opinion,
            melanoma_probability=seen.probability,
            management=seen.management or Management.REFER,
            order=ReadOrder.DOCTOR_FIRST,
            seconds=12.0 + 5 * (self._story.seed % 7) + 20 * (seen.seven_points is not None),
            seven_points=seen.seven_points,
            abcd=seen.abcd,
        )

    def _read(
        self, change: Change, visit: Entry[Visit], photographs: dict[str, bytes]
    ) -> Entry[AiReading]:
        request = ReadingRequest(
            lesion_id=self._lesion.id,
            visit_id=visit.id,
            photographs=photographs,
            app_version=self._stage.app_version,
            is_drawn=True,
        )
        put = self._stage.record.images.put
        reading = read_lesion(self._stage.classifier, request, lambda data: put(data).sha256)
        added: Entry[AiReading] = self._stage.add(change, reading)
        return added

    def _decide(
        self,
        change: Change,
        visit: Entry[Visit],
        management: Management,
        reading: Entry[AiReading],
    ) -> Entry[Decision]:
        reason = ""
        if needs_reason(management, reading.value):
            reason = "It has grown or worries the reader." if management.acts else "Looks benign."
        decision = Decision(
            lesion_id=self._lesion.id,
            visit_id=visit.id,
            management=management,
            reason=reason,
            ai_reading_id=reading.id,
        )
        recall = make_recall(decision, visit.value)
        if recall is not None:
            self._recall = self._stage.add(change, recall)
        added: Entry[Decision] = self._stage.add(change, decision)
        return added

    def _examine(self, pathology: Pathology, seen: Seen, decision: Entry[Decision] | None) -> Steps:
        """Take the steps from the specimen on."""
        stage = self._stage
        change = yield stage.make_cue(pathology.taken, 60 + self._place, self._reader)
        visit = stage.visits[self._number, seen.ago]
        pixels = draw_dermoscopic(self._story.drawing, self._story.seed, 0, seen.growth)
        site = self._add_photograph(change, visit, draw_site(pixels), is_site=True)
        specimen = stage.add(
            change,
            Specimen(
                lesion_id=self._lesion.id,
                number=f"{PREFIX}S-{self._number:02d}-{self._place + 1}",
                taken_on=stage.find_day(pathology.taken),
                method=seen.management or Management.EXCISION,
                decision_id=decision.id if decision else None,
                photograph_id=site.id,
            ),
        )
        if pathology.reported is None:
            return
        change = yield stage.make_cue(pathology.reported, 0, LABORATORY)
        histology = stage.add(change, self._make_report(pathology, specimen.id))
        yield from self._inform(pathology, pathology.reported, histology)

    def _make_report(self, pathology: Pathology, specimen_id: str) -> Histology:
        assert pathology.reported is not None
        category = stage_primary_tumour(
            breslow_mm=pathology.breslow_mm,
            ulcerated=pathology.ulcerated,
            in_situ=pathology.in_situ,
        )
        return Histology(
            lesion_id=self._lesion.id,
            specimen_id=specimen_id,
            reported_on=self._stage.find_day(pathology.reported),
            diagnosis=pathology.diagnosis,
            text="Invented for the demonstration: no tissue was examined.",
            breslow_mm=pathology.breslow_mm,
            ulcerated=pathology.ulcerated,
            mitoses_per_mm2=pathology.mitoses,
            in_situ=pathology.in_situ,
            margins=pathology.margins,
            pt=category or "",
        )

    def _inform(self, pathology: Pathology, reported: int, histology: Entry[Histology]) -> Steps:
        """Take the steps after the report."""
        stage, ago = self._stage, max(reported - 1, 0)
        if not pathology.is_acknowledged:
            return
        change = yield stage.make_cue(ago, 30, self._reader)
        lesion_id = self._lesion.id
        stage.add(change, Acknowledgement(lesion_id=lesion_id, histology_id=histology.id))
        if not pathology.is_informed:
            return
        meaning = interpret(histology.value.diagnosis)
        change = yield stage.make_cue(max(ago - 2, 0), 40, self._reader)
        stage.add(
            change,
            Information(
                lesion_id=lesion_id,
                histology_id=histology.id,
                on=stage.find_day(max(ago - 2, 0)),
                channel=Channel.IN_PERSON if meaning.is_skin_cancer else Channel.LETTER,
            ),
        )
        if meaning.is_melanoma:
            recall = Recall(
                patient_id=self._lesion.value.patient_id,
                lesion_id=None,
                due_on=stage.now.date() + timedelta(days=_WHOLE_SKIN_DAYS),
                reason="whole skin after a melanoma",
            )
            stage.add(change, recall)
