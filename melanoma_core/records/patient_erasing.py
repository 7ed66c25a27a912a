"""Erase one patient: every entry and version, photographs, and what was derived of them."""

from dataclasses import dataclass

from melanoma_core.errors import RecordError
from melanoma_core.lookalikes.embeddings import forget_files
from melanoma_core.records.draft_files import remove_drafts_about
from melanoma_core.records.entities import Patient, Photograph
from melanoma_core.records.errors import UnknownEntryError
from melanoma_core.records.history import Event
from melanoma_core.records.ledger import LogEntry
from melanoma_core.records.loop import AiReading
from melanoma_core.records.store import Record

_MAX_EXPORTS = 100_000
_TRIES = 5  # another person may add an entry meanwhile


@dataclass(frozen=True)
class Erased:
    """What was erased, or would be.

    Attributes:
        num_entries: Number of entries, all versions of each.
        num_photographs: Number of photographs and heatmaps.
        num_shared: Number of those whose file stays, because another patient has the same one.
        exports: When data of the patient left the record: copies that erasing does not reach.
    """

    num_entries: int
    num_photographs: int
    num_shared: int
    exports: tuple[LogEntry, ...]

    def describe(self) -> str:
        """Return what was erased in a sentence, and what was not."""
        shared = (
            f" {self.num_shared:,} of their files stay: another patient has the same ones."
            if self.num_shared
            else ""
        )
        copies = (
            f" Data had left the record {len(self.exports):,} times before: delete those copies, "
            "and backups, yourself."
            if self.exports
            else " Backups of the record still hold it: delete them yourself."
        )
        return (
            f"Erased {self.num_entries:,} entries with all their versions, and "
            f"{self.num_photographs:,} photographs and heatmaps.{shared}{copies}"
        )


def erase_patient(record: Record, patient_id: str, by: str) -> Erased:
    """Erase everything of a patient; the audit log keeps only that it went.

    Photographs go with their files, unless another patient has an identical one. The indexes of
    look-alikes are made again without the patient when they are next needed.

    Args:
        record: A record that can be written.
        patient_id: Id of the patient.
        by: Who erases.

    Raises:
        UnknownEntryError: There is no such patient.
        RecordError: It cannot be written. Nothing was erased.
        FolderError: All is erased but the file of a photograph, which the next start removes.
    """
    exports = find_exports(record, patient_id)
    for last in (*[False] * (_TRIES - 1), True):
        history = _load(record, patient_id)
        try:
            with record.erasing(patient_id, by) as erasure:
                for event in history:
                    erasure.remove(event.kind, event.current.id)
            break
        except UnknownEntryError as error:  # an entry came or went since
            if last:
                raise RecordError(
                    "Other people write to this patient all the time. Nothing was erased. Ask them "
                    "to stop, then erase again."
                ) from error
    remove_drafts_about(record.place.drafts_folder, _list_names(history))
    images = _list_images(history)
    shared = {sha256 for sha256 in images if record.images.find(sha256)}
    forget_files(record.place.lookalikes_folder, images)  # the indexes name the patient beside them
    return Erased(len(history), len(images), len(shared), exports)


def find_exports(record: Record, patient_id: str) -> tuple[LogEntry, ...]:
    """Return when data of a patient left the record, alone or with that of all, newest first."""
    ids = {event.current.id for event in _load(record, patient_id)}
    page = record.list_exports(_MAX_EXPORTS)
    return tuple(entry for entry, _ in page.rows if entry.entry_id in ids or not entry.entry_id)


def _load(record: Record, patient_id: str) -> tuple[Event, ...]:
    history = record.load_patient_history(patient_id)
    if not history:
        raise UnknownEntryError(
            "The patient is not in the record: it was erased, or the address is wrong. Choose it "
            "from the list of patients."
        )
    return history


def _list_names(history: tuple[Event, ...]) -> set[str]:
    """Return the ids of all entries of a patient, and the pseudonyms that the patient had."""
    values = [entry.value for event in history for entry in event.versions]
    pseudonyms = {each.pseudonym for each in values if isinstance(each, Patient)}
    return {event.current.id for event in history} | pseudonyms


def _list_images(history: tuple[Event, ...]) -> set[str]:
    """Return the SHA-256 (hex) of all photographs and heatmaps of a patient."""
    values = [entry.value for event in history for entry in event.versions]
    photographs = {each.sha256 for each in values if isinstance(each, Photograph)}
    readings = [each for each in values if isinstance(each, AiReading)]
    heatmaps = {part.heatmap_sha256 for each in readings for part in each.photographs}
    return (photographs | heatmaps) - {""}
