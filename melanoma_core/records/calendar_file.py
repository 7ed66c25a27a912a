"""A recall as a file for a calendar (.ics, RFC 5545)."""

from datetime import UTC, timedelta

from icalendar import Alarm, Calendar, Event

from melanoma_core.records.entities import Patient
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import Recall
from melanoma_core.records.texts import tidy

_REMINDER = timedelta(days=-7)


def write_recall(recall: Entry[Recall], patient: Patient, label: str) -> bytes:
    """Return a recall as an event of a whole day, with a reminder a week before.

    It names the patient by the clinic's pseudonym alone, and says nothing of a diagnosis. A later
    version of the recall replaces the event in the calendar, and one that was cancelled cancels it.

    Args:
        recall: The recall.
        patient: The patient.
        label: The lesion's name; "" for the whole skin.
    """
    value = recall.value
    event = Event()
    event.add("uid", f"{recall.id}@melanoma-dashboard")
    event.add("sequence", recall.version - 1)
    event.add("dtstamp", recall.at.astimezone(UTC))
    event.add("dtstart", value.due_on)
    event.add("dtend", value.due_on + timedelta(days=1))
    what = f"lesion {tidy(label)}" if label else "whole skin"
    event.add("summary", f"Recall of patient {tidy(patient.pseudonym)}: {what}")
    event.add("status", "CANCELLED" if value.status == "cancelled" else "CONFIRMED")
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", event["summary"])
    alarm.add("trigger", _REMINDER)
    event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", "-//melanoma-dashboard//record//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content
