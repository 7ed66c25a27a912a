"""The demonstration record: invented patients with drawn lesions, marked as drawn everywhere.

A program has drawn every photograph, and every person, date and report is invented. The AI readings
are not: the model has read each drawing. Each entry has the time at which it is said to have
happened, so that the record looks as if it had been kept for two years.
"""

import heapq
from datetime import UTC, datetime
from pathlib import Path

from melanoma_core.models.classifier import Classifier
from melanoma_core.progress import Progress
from melanoma_core.records.drawn_loop import ASSISTANT, PREFIX, Cue, LesionLoop, Stage, Steps
from melanoma_core.records.drawn_stories import load_patients
from melanoma_core.records.entities import Patient
from melanoma_core.records.place import Place
from melanoma_core.records.store import Record
from melanoma_core.records.writing import Change


def is_drawn(patient: Patient) -> bool:
    """Return whether a patient is an invented one of the demonstration record.

    >>> is_drawn(Patient(pseudonym="drawn-01")), is_drawn(Patient(pseudonym="4711"))
    (True, False)
    """
    return patient.pseudonym.startswith(PREFIX)


def holds_drawn(record: Record) -> bool:
    """Return whether a record is the demonstration record, so that its pages say so."""
    return any(is_drawn(found.value) for found in record.search_patients(PREFIX, limit=1))


def create_drawn_record(
    place: Path | Place,
    classifier: Classifier,
    app_version: str,
    now: datetime | None = None,
    progress: Progress = lambda *_: None,
) -> Record:
    """Create the demonstration record in a new folder, and open it.

    It takes about half a minute: each lesion is drawn and read. Drawn lesions never come into a
    record that holds others.

    Args:
        place: A new or empty folder.
        classifier: The model that reads the drawn lesions.
        app_version: Version of this software, `melanoma_core.__version__`.
        now: When today is, in UTC; None for now.
        progress: Called with how often a lesion was drawn and read so far, and in all.

    Raises:
        FolderError: The folder cannot be made, or has other files in it.
        RecordError: There is a record already, or it cannot be written.
    """
    record = Record.create(place, by=ASSISTANT)
    try:
        _play(Stage(record, classifier, app_version, now or datetime.now(UTC)), progress)
    except BaseException:
        record.close()
        raise
    return record


def _play(stage: Stage, progress: Progress) -> None:
    """Take the steps of all lesions in the order of time, each in a transaction of its own."""
    lesions = [
        (number, patient, lesion)
        for number, patient in enumerate(load_patients(), start=1)
        for lesion in patient.lesions
    ]
    total = sum(len(lesion.seen) for _, _, lesion in lesions)
    loops = [LesionLoop(stage, *each).play() for each in lesions]
    cues = [(next(steps), place) for place, steps in enumerate(loops)]
    heapq.heapify(cues)
    while cues:
        cue, place = heapq.heappop(cues)
        with stage.record.write(by=cue.by) as change:
            change.at = cue.at
            following = _send(loops[place], change)
        progress(stage.num_seen, total)
        if following is not None:
            heapq.heappush(cues, (following, place))


def _send(steps: Steps, change: Change) -> Cue | None:
    """Take the next step in a change; return the cue of the one after it, if there is one."""
    try:
        return steps.send(change)
    except StopIteration:
        return None
