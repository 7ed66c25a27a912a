"""What the entries of a record say, in words: for its pages, its versions and its reports.

Every function returns plain text. The caller escapes it.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import singledispatch
from typing import Any

from melanoma_core.models.card_text.formats import format_percent
from melanoma_core.records.checklists import score_abcd, score_seven_points
from melanoma_core.records.dates import write_day, write_partial
from melanoma_core.records.diagnoses import title_diagnosis
from melanoma_core.records.entities import Lesion, Outline, Patient, Photograph, Visit
from melanoma_core.records.loop import (
    AbcdRule,
    Acknowledgement,
    AiReading,
    Decision,
    FirstRead,
    Histology,
    Information,
    Recall,
    SevenPointChecklist,
    Specimen,
)
from melanoma_core.records.vocabulary import MapPoint, Opinion
from melanoma_core.taxonomy import Diagnosis

SEVEN_POINTS = {
    "atypical_network": "Atypical pigment network",
    "blue_white_veil": "Blue-white veil",
    "atypical_vessels": "Atypical vessels",
    "irregular_streaks": "Irregular streaks",
    "irregular_dots": "Irregular dots or globules",
    "irregular_blotches": "Irregular blotches",
    "regression": "Regression structures",
}
"""The criteria of the seven-point checklist; the first three are the major ones."""

_TITLES = {
    "AiReading": "AI reading",
    "FirstRead": "First read",
    "Information": "Patient informed",
    "Acknowledgement": "Histology acknowledged",
}
_LABELS = {
    "abcd": "ABCD rule",
    "ai_reading_id": "AI reading known",
    "app_version": "Version of the software",
    "birth_year": "Year of birth",
    "breslow_mm": "Breslow thickness",
    "due_on": "Due on",
    "immunosuppressed": "Immunosuppression",
    "in_situ": "In situ",
    "kind": "What it shows",
    "melanoma_before": "Melanoma before",
    "melanoma_in_family": "Melanoma in the family",
    "melanoma_probability": "Probability of melanoma",
    "millimetres_per_pixel": "Scale",
    "mitoses_per_mm2": "Mitoses",
    "model_id": "Model",
    "num_nevi": "Number of nevi",
    "on": "Date",
    "order": "Order",
    "pt": "pT (AJCC 8)",
    "reported_on": "Reported on",
    "seconds": "Time taken",
    "seven_points": "Seven-point checklist",
    "shows_specimen_site": "Shows the site of a specimen",
    "site": "Anatomic site",
    "skin_type": "Fitzpatrick skin type",
    "taken_on": "Taken on",
    "ulcerated": "Ulceration",
}
_UNITS = {
    "breslow_mm": " mm",
    "height": " px",
    "mitoses_per_mm2": " per mm²",
    "millimetres_per_pixel": " mm per pixel",
    "width": " px",
}
_UNSAID = {"sha256", "media_type", "class_names", "probabilities", "adapted", "photographs"}


@dataclass(frozen=True)
class Fact:
    """What a field of an entry says: its label, and its content in words."""

    label: str
    text: str


@dataclass(frozen=True)
class Difference:
    """A field in which two versions differ: its label, and both contents in words."""

    label: str
    before: str
    after: str


def title_kind(kind: type) -> str:
    """Return what an entry of a kind is called.

    >>> title_kind(FirstRead), title_kind(Decision)
    ('First read', 'Decision')
    """
    return _TITLES.get(kind.__name__, kind.__name__)


def title_opinion(opinion: Opinion) -> str:
    """Return an opinion with the full name of its diagnosis.

    >>> title_opinion(Opinion.NV), title_opinion(Opinion.OTHER_BENIGN)
    ('nevus', 'other benign')
    """
    is_diagnosis = opinion in set(map(str, Diagnosis))
    return Diagnosis(opinion.value).title if is_diagnosis else opinion.value


def describe(value: Any) -> tuple[Fact, ...]:
    """Return what the fields of an entry say, without those that are empty.

    >>> from melanoma_core.records.vocabulary import Management
    >>> describe(Decision(lesion_id="a", visit_id="b", management=Management.EXCISION))
    (Fact(label='Management', text='excision'), Fact(label='AI reading known', text='no'))
    """
    facts = ((name, _say_field(value, name)) for name in _list_fields(type(value)))
    return tuple(Fact(label_field(name), text) for name, text in facts if text)


def find_differences(before: Any, after: Any) -> tuple[Difference, ...]:
    """Return the fields in which two versions of an entry differ; an empty one is "–"."""
    return tuple(
        Difference(label_field(name), texts[0] or "–", texts[1] or "–")
        for name in _list_fields(type(after))
        if getattr(before, name) != getattr(after, name)
        and (texts := (_say_field(before, name), _say_field(after, name)))
    )


def label_field(name: str) -> str:
    """Return the label of a field.

    >>> label_field("breslow_mm"), label_field("margins")
    ('Breslow thickness', 'Margins')
    """
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def say(content: Any) -> str:
    """Return a content in words; "" for nothing.

    >>> say(None), say(True), say(0.25), say(date(2026, 5, 8))
    ('', 'yes', '0.25', '8 May 2026')
    """
    return "" if content is None else _say_some(content)


@singledispatch
def _say_some(content: Any) -> str:
    return str(content)


@_say_some.register
def _(content: bool) -> str:
    return "yes" if content else "no"


@_say_some.register
def _(content: date) -> str:
    return write_day(content)


@_say_some.register
def _(content: float) -> str:
    return f"{content:g}"


@_say_some.register
def _(content: tuple) -> str:  # type: ignore[type-arg]  # by class alone
    return ", ".join(map(say, content))


def _list_fields(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of the fields that say something to a person."""
    names = (field.name for field in dataclasses.fields(kind))
    return tuple(
        name
        for name in names
        if name not in _UNSAID
        and (name == "ai_reading_id" or not name.endswith("_id") or name == "model_id")
    )


def _say_field(value: Any, name: str) -> str:
    content = getattr(value, name)
    if content is None and name != "ai_reading_id":
        return ""
    text = _FORMATS.get(name, say)(content)
    return f"{text}{_UNITS[name]}" if text and name in _UNITS else text


def say_seconds(seconds: float) -> str:
    """Return a time as minutes and seconds.

    >>> say_seconds(7.4), say_seconds(95)
    ('7 s', '1 min 35 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@_say_some.register
def _(content: SevenPointChecklist) -> str:
    score = score_seven_points(content)
    present = [title for name, title in SEVEN_POINTS.items() if getattr(content, name)]
    named = f": {', '.join(present)}" if present else ""
    return f"{score.points} of 10 points{', suspicious' if score.is_suspicious else ''}{named}"


@_say_some.register
def _(content: AbcdRule) -> str:
    score = score_abcd(content)
    return (
        f"TDS {score.total:.1f}, {score.band} (A {content.asymmetry}, B {content.border}, "
        f"C {content.colours}, D {content.structures})"
    )


@_say_some.register
def _(content: MapPoint) -> str:
    return f"{content.view}, {content.x:.0%} from the left, {content.y:.0%} from the top"


def _say_prevalence(shares: tuple[float, float]) -> str:
    melanoma, skin_cancer = map(format_percent, shares)
    return f"melanoma {melanoma}, skin cancer {skin_cancer}"


def _say_level(name: str) -> str:
    return name.replace(":", " › ")


_FORMATS: dict[str, Callable[[Any], str]] = {
    "ai_reading_id": lambda content: "yes" if content else "no",
    "diagnosis": _say_level,
    "melanoma_probability": format_percent,
    "melanoma_threshold": format_percent,
    "opinion": title_opinion,
    "points": lambda content: f"{len(content):,} corners",
    "prevalence": _say_prevalence,
    "seconds": say_seconds,
    "site": _say_level,
    "skin_cancer_threshold": format_percent,
}


@singledispatch
def summarise(value: Any) -> str:
    """Return an entry in one line."""
    return "; ".join(f"{fact.label} {fact.text}" for fact in describe(value))


@summarise.register
def _(value: FirstRead) -> str:
    probability = value.melanoma_probability
    shown = "" if probability is None else f", melanoma {format_percent(probability)}"
    return (
        f"{title_opinion(value.opinion)}{shown}; {value.management}; {say_seconds(value.seconds)}"
    )


@summarise.register
def _(value: AiReading) -> str:
    return value.statement


@summarise.register
def _(value: Decision) -> str:
    return f"{value.management}{f': {value.reason}' if value.reason else ''}"


@summarise.register
def _(value: Specimen) -> str:
    return f"{value.number}, {value.method}, {say(value.taken_on)}"


@summarise.register
def _(value: Histology) -> str:
    facts = [
        title_diagnosis(value.diagnosis),
        _say_field(value, "breslow_mm") and f"Breslow {_say_field(value, 'breslow_mm')}",
        value.pt,
        value.margins and f"margins {value.margins}",
    ]
    return ", ".join(str(fact) for fact in facts if fact)


@summarise.register
def _(value: Acknowledgement) -> str:  # noqa: ARG001
    return "A reader has seen the report."


@summarise.register
def _(value: Information) -> str:
    return f"{value.channel}, {say(value.on)}"


@summarise.register
def _(value: Recall) -> str:
    return f"{say(value.due_on)}, {value.status}{f': {value.reason}' if value.reason else ''}"


@summarise.register
def _(value: Photograph) -> str:
    what = "site of a specimen" if value.shows_specimen_site else value.kind.value
    details = [what, value.dermoscopic_type, value.device, say(value.taken_on)]
    return ", ".join(str(each) for each in details if each)


@summarise.register
def _(value: Outline) -> str:
    return f"drawn by the {value.source}, {len(value.points)} corners"


@summarise.register
def _(value: Visit) -> str:
    return f"{say(value.on)}{f': {value.reason}' if value.reason else ''}"


@summarise.register
def _(value: Lesion) -> str:
    return ", ".join(each for each in (value.label, say_site(value)) if each)


def say_site(lesion: Lesion) -> str:
    """Return where a lesion is: its side and the last name of its site.

    >>> say_site(Lesion(patient_id="a", label="1", site="Trunk:Posterior trunk:Upper back"))
    'Upper back'
    """
    return " ".join(each for each in (say(lesion.laterality), title_diagnosis(lesion.site)) if each)


def describe_person(patient: Patient, today: date) -> tuple[str, ...]:
    """Return who a patient is, and the risk factors, in a few words each; what is known alone.

    Args:
        patient: The patient.
        today: The day for which the age holds. The day of birth is not kept, so that it is one of
            two.

    >>> describe_person(Patient(pseudonym="7", birth_year=1960), date(2026, 5, 8))
    ('65 or 66 years',)
    """
    risks = {
        "melanoma before": patient.melanoma_before,
        "melanoma in the family": patient.melanoma_in_family,
        "immunosuppressed": patient.immunosuppressed,
    }
    facts = (
        _say_age(patient, today),
        say(patient.sex),
        f"skin type {patient.skin_type}" if patient.skin_type else "",
        f"{patient.num_nevi} nevi" if patient.num_nevi else "",
        *(name for name, is_so in risks.items() if is_so),
        *(f"no {name}" for name, is_so in risks.items() if is_so is False and "melanoma" in name),
    )
    return tuple(fact for fact in facts if fact)


def _say_age(patient: Patient, today: date) -> str:
    if patient.birth_year is None:
        return ""
    age = today.year - patient.birth_year
    return f"{age - 1} or {age} years" if age > 0 else "under 1 year"


def describe_lesion(lesion: Lesion) -> tuple[str, ...]:
    """Return where a lesion is, since when, and what has changed, in a few words each."""
    changes = ", ".join(lesion.changes)
    facts = (
        say_site(lesion),
        f"noticed {write_partial(lesion.noticed)}" if lesion.noticed else "",
        f"changes: {changes}" if changes else "",
        lesion.note,
    )
    return tuple(fact for fact in facts if fact)
