"""A letter about a lesion, to the referring doctor or to the patient, in plain words.

It is a draft: a person reads and changes every part of it before it is printed. It names the
patient by the clinic's pseudonym alone, since the record knows no name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum

from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.models.card_text.pdf import FAMILY, Document
from melanoma_core.models.card_text.printable import describe_unprinted
from melanoma_core.reading.pdf_layout import open_document, write_text
from melanoma_core.reading.report import Report
from melanoma_core.records.case import LesionCase
from melanoma_core.records.current_visit import find_current_visit
from melanoma_core.records.diagnoses import interpret, title_diagnosis
from melanoma_core.records.drawn import is_drawn
from melanoma_core.records.loop import AiReading, Histology
from melanoma_core.records.texts import tidy
from melanoma_core.records.vocabulary import Management, RecallStatus
from melanoma_core.records.wording import describe_person, say, say_site, title_opinion
from melanoma_core.taxonomy import Diagnosis, RiskTier

LONGEST = 6_000
"""Most characters of a part of a letter."""

_SIZE, _LINE = 10.5, 5.2  # points, mm
_PARAGRAPH = 2.0  # mm
_MAX_TITLE = 120  # characters


class Addressee(StrEnum):
    """To whom a letter is."""

    DOCTOR = "referring doctor"
    PATIENT = "patient"


@dataclass(frozen=True)
class Letter:
    """A letter; every part can be changed before it is printed.

    Attributes:
        sender: Name and address of the clinic, in lines.
        recipient: Name and address, in lines.
        date: Place and day.
        subject: What it is about.
        salutation: How it begins.
        text: Paragraphs, with an empty line between them.
        closing: How it ends, with the name of the signer.
    """

    sender: str
    recipient: str
    date: str
    subject: str
    salutation: str
    text: str
    closing: str


def draft_letter(
    case: LesionCase, addressee: Addressee, by: str, on: date, *, hides_ai: bool = False
) -> Letter:
    """Return the draft of a letter about a lesion of the record.

    Args:
        case: Everything of the lesion.
        addressee: To whom it is.
        by: Who will sign it.
        on: Its day.
        hides_ai: Whether nothing of an AI reading may be said: the doctor reads first.
    """
    lesion, patient = case.lesion.value, case.patient.value
    place = say_site(lesion).lower()
    is_patient, person = addressee is Addressee.PATIENT, describe_person(patient, on)
    paragraphs = [
        "" if is_patient else f"{', '.join((f'Patient {patient.pseudonym}', *person))}.",
        *_list_findings(case, place, is_patient=is_patient, hides_ai=hides_ai),
        *_list_plans(case, is_patient=is_patient),
    ]
    if is_drawn(patient):
        paragraphs.insert(0, "Demonstration: patient, dates and reports are invented.")
    where = f", {place}" if place else ""
    return Letter(
        sender="",
        recipient="",
        date=say(on),
        subject=tidy(f"Patient {patient.pseudonym}: lesion {lesion.label}{where}"),
        salutation=_greet(addressee),
        text="\n\n".join(tidy(each) for each in paragraphs if each),
        closing=f"Yours sincerely,\n\n\n{tidy(by)}",
    )


def draft_letter_of_reading(report: Report, addressee: Addressee, by: str, on: date) -> Letter:
    """Return the draft of a letter about a reading that is not kept.

    Args:
        report: The report of the reading.
        addressee: To whom it is.
        by: Who will sign it; "" if it is not known.
        on: Its day.
    """
    if addressee is Addressee.PATIENT:
        paragraphs = [
            "We have looked at a photograph of a spot on your skin, also with a computer program.",
            "The program is an aid for doctors. It can be wrong, and its answer is no diagnosis.",
            "What matters is what your doctor sees and says. If the spot grows, changes, itches or "
            "bleeds, come to us at once.",
        ]
    else:
        alerts = "; ".join(
            f"{each.name}: {each.probability}, {each.result} ({each.point})"
            for each in report.alerts
        )
        paragraphs = [
            f"{report.title}, {report.date}.",
            f"{report.headline}. {report.sentence}",
            *report.warnings,
            alerts,
            f"{report.model}. It is an aid, no medical device, and its answer is no diagnosis.",
            report.notes,
        ]
    return Letter(
        sender="",
        recipient="",
        date=say(on),
        subject="A photograph of a skin lesion" if addressee is Addressee.PATIENT else report.title,
        salutation=_greet(addressee),
        text="\n\n".join(tidy(each) for each in paragraphs if each),
        closing=f"Yours sincerely,\n\n\n{tidy(by)}",
    )


def list_cautions(case: LesionCase, addressee: Addressee) -> tuple[str, ...]:
    """Return what a person should know before a letter leaves, a sentence each."""
    seen = {each.value.histology_id for each in case.acknowledgements}
    informed = {each.value.histology_id for each in case.informations}
    unseen = any(each.id not in seen for each in case.histologies)
    cautions = []
    if unseen:
        cautions.append("The record does not say that a reader has seen the histology.")
    if addressee is Addressee.PATIENT and case.histologies:
        meaning = interpret(case.histologies[-1].value.diagnosis)
        if meaning.is_skin_cancer is not False and case.histologies[-1].id not in informed:
            cautions.append(
                "The record does not say that the patient knows this result. A letter should not "
                "be the first to give it."
            )
    return tuple(cautions)


def write_letter_text(letter: Letter) -> str:
    """Return a letter as plain text, in lines as they were typed."""
    cleaned = clean_letter(letter)
    parts = (getattr(cleaned, field.name) for field in fields(Letter))
    return "\n\n".join(part for part in parts if part) + "\n"


def write_letter_pdf(letter: Letter, made_at: datetime) -> bytes:
    """Return a letter as a PDF of A4 pages.

    Args:
        letter: The letter.
        made_at: Date of the document, with its zone.
    """
    document = _compose(clean_letter(letter), made_at, "")
    note = describe_unprinted(document.unprinted)
    if note:
        document = _compose(clean_letter(letter), made_at, note)
    return bytes(document.output())


def clean_letter(letter: Letter) -> Letter:
    """Return a letter without control characters, each part at most as long as `LONGEST`."""
    return Letter(
        *(
            tidy(getattr(letter, each.name), has_paragraphs=True)[:LONGEST]
            for each in fields(Letter)
        )
    )


def _compose(letter: Letter, made_at: datetime, note: str) -> Document:
    document = open_document(letter.subject[:_MAX_TITLE], made_at, footer="")
    document.set_margins(25, 20, 20)
    document.set_xy(25, 20)
    _write_block(document, letter.sender)
    document.set_y(max(50.0, document.get_y() + 4))  # the window of an envelope
    _write_block(document, letter.recipient)
    document.set_y(max(90.0, document.get_y() + 8))
    _write_block(document, letter.date)
    document.ln(_LINE)
    write_text(document, letter.subject, _SIZE, _LINE, bold=True)
    document.ln(_LINE)
    for part in (letter.salutation, *letter.text.split("\n\n"), letter.closing):
        _write_block(document, part)
        document.ln(_PARAGRAPH)
    if note:
        document.set_font(FAMILY, "", _SIZE - 2)
        write_text(document, note, _SIZE - 2, _LINE)
    return document


def _write_block(document: Document, text: str) -> None:
    if text:
        write_text(document, text, _SIZE, _LINE)


def _greet(addressee: Addressee) -> str:
    return "Dear patient," if addressee is Addressee.PATIENT else "Dear colleague,"


def _list_findings(
    case: LesionCase, place: str, *, is_patient: bool, hides_ai: bool
) -> Iterator[str]:
    """Yield what was seen, what the network said, and what histology found."""
    visit = find_current_visit(case)
    seen_on = f" on {say(visit.value.on)}" if visit else ""
    where = f" ({place})" if place else ""
    if is_patient:
        yield f"We have examined a spot on your skin{where}{seen_on}."
    else:
        yield f"We have examined lesion {case.lesion.value.label}{where}{seen_on}."
        if case.first_reads:
            yield f"Clinical impression: {title_opinion(case.first_reads[-1].value.opinion)}."
    if case.ai_readings and not hides_ai:
        yield _describe_ai(case.ai_readings[-1].value, is_patient=is_patient)
    for specimen in case.specimens[-1:]:
        taken = say(specimen.value.taken_on)
        if is_patient:
            yield f"On {taken} we took tissue from it ({specimen.value.method})."
        else:
            number = specimen.value.number
            yield f"Tissue was taken on {taken} ({specimen.value.method}, specimen {number})."
    reports = [each.value for each in case.histologies]
    for position, report in enumerate(reports):
        before = any(interpret(each.diagnosis).is_skin_cancer for each in reports[:position])
        yield _describe_histology(report, is_patient=is_patient, had_cancer=before)


def _describe_ai(reading: AiReading, *, is_patient: bool) -> str:
    if is_patient:
        return (
            "A computer program has looked at the photographs too. It is an aid for doctors. Its "
            "answer is no diagnosis."
        )
    if not reading.was_read:
        return f"The network (model {reading.model_id}) could not read the photographs."
    melanoma = format_percent(reading.find_probability(Diagnosis.MEL) or 0.0)
    raised = "raised" if reading.melanoma_alert else "not raised"
    return (
        f"A network (model {reading.model_id}, software {reading.app_version}) read the "
        f"photographs: probability of melanoma "
        f"{melanoma}; the melanoma alert (from {format_percent(reading.melanoma_threshold)}) was "
        f"{raised}. It is an aid, no medical device, and its answer is no diagnosis."
    )


def _describe_histology(histology: Histology, *, is_patient: bool, had_cancer: bool) -> str:
    title, on = title_diagnosis(histology.diagnosis), say(histology.reported_on)
    if is_patient:
        tier = interpret(histology.diagnosis).tier
        is_free = had_cancer and tier is RiskTier.BENIGN
        nature = "In this tissue there was no cancer." if is_free else _NATURES[tier]
        return f"The laboratory examined the tissue. Its report of {on} says: {title}. {nature}"
    facts = (
        "in situ" if histology.in_situ else "",
        "" if histology.breslow_mm is None else f"Breslow {say(histology.breslow_mm)} mm",
        "" if histology.ulcerated is None else f"ulceration {say(histology.ulcerated)}",
        ""
        if histology.mitoses_per_mm2 is None
        else f"{say(histology.mitoses_per_mm2)} mitoses per mm²",
        histology.pt,
        f"margins {histology.margins}" if histology.margins else "",
    )
    return f"Histology of {on}: {', '.join((title, *(each for each in facts if each)))}."


def _list_plans(case: LesionCase, *, is_patient: bool) -> Iterator[str]:
    """Yield what was decided, and when the lesion is seen again."""
    removes = False
    if _waits_for_decision(case):
        decision = case.decisions[-1].value
        removes = decision.management.removes_tissue
        if is_patient:
            yield _say_plan(case, decision.management)
        else:
            reason = f" ({decision.reason})" if decision.reason else ""
            yield f"Decision: {decision.management}{reason}."
    due = [each.value.due_on for each in case.recalls if each.value.status is RecallStatus.OPEN]
    if due:
        day = say(min(due))
        check = "For a check after that, please" if removes else "Please"
        yield f"{check} come to us again on or after {day}." if is_patient else f"Recall: {day}."
    if is_patient:
        yield (
            "If the spot or another one grows, changes its shape or colour, itches or bleeds, come "
            "to us at once."
        )


def _say_plan(case: LesionCase, management: Management) -> str:
    """Return a plan in plain words; a lesion that was reported not to be benign was removed."""
    tiers = {interpret(each.value.diagnosis).tier for each in case.histologies}
    return (_LATER_PLANS if tiers - {RiskTier.BENIGN} else {}).get(management, _PLANS[management])


def _waits_for_decision(case: LesionCase) -> bool:
    """Return whether what was last decided is still to be done."""
    if not case.decisions:
        return False
    last = case.decisions[-1]
    is_done = any(each.value.decision_id == last.id for each in case.specimens)
    return not is_done and all(each.at < last.at for each in case.histologies)


_NATURES = {
    RiskTier.MALIGNANT: "This is a cancer or an early form of one. Please speak with us about it.",
    RiskTier.PREMALIGNANT: "This is no cancer, but it can become one.",
    RiskTier.BENIGN: "This is no cancer.",
    None: "The laboratory could not say with certainty whether it is harmless.",
}
_PLANS = {
    Management.REASSURE: "We think that it is harmless. Nothing needs to be done now.",
    Management.MONITOR_3: "We want to look at it again in three months.",
    Management.MONITOR_6: "We want to look at it again in six months.",
    Management.MONITOR_12: "We want to look at it again in a year.",
    Management.SHAVE: "We want to take tissue from it, so that a laboratory can examine it.",
    Management.PUNCH: "We want to take tissue from it, so that a laboratory can examine it.",
    Management.EXCISION: "We want to remove it, so that a laboratory can examine it.",
    Management.REFER: "Another doctor should look at it. Please make an appointment.",
    Management.REFER_URGENTLY: "Another doctor should look at it soon. Please go this week.",
}
_LATER_PLANS = {
    Management.REASSURE: "Nothing more needs to be done at this place now.",
    Management.MONITOR_3: "We want to look at the place again in three months.",
    Management.MONITOR_6: "We want to look at the place again in six months.",
    Management.MONITOR_12: "We want to look at the place again in a year.",
    Management.SHAVE: "We want to take more tissue from the place, for the laboratory.",
    Management.PUNCH: "We want to take more tissue from the place, for the laboratory.",
    Management.EXCISION: "We want to remove more skin around the place, so that nothing of it is "
    "left.",
}
