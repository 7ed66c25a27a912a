"""What happens to the drawn lesions of the demonstration record.

Twelve invented patients with thirty lesions, so that each page has something to show: every stage
of the loop, melanomas that were found, and one that was missed at first. Days are counted back from
the day on which the record is made. They are in `assets/demonstration/record.json`.
"""

from dataclasses import dataclass

from melanoma_core.jsonable import from_jsonable, load_json
from melanoma_core.records.loop import AbcdRule, SevenPointChecklist
from melanoma_core.records.vocabulary import (
    Change,
    Laterality,
    Management,
    MapPoint,
    Margins,
    NevusCount,
    Opinion,
    Sex,
    SkinType,
)
from melanoma_core.settings import ASSETS
from melanoma_core.taxonomy import Diagnosis


@dataclass(frozen=True, kw_only=True)
class Pathology:
    """A specimen and what became of it.

    Attributes:
        taken: Days before today.
        reported: Days before today; None while the report is awaited.
        diagnosis: A value of `DiagnosisEnum`.
        breslow_mm: Breslow thickness in millimetres.
        ulcerated: Whether it is ulcerated.
        mitoses: Mitoses per square millimetre.
        in_situ: Whether it is in situ.
        margins: What the report says of them.
        is_acknowledged: Whether a reader has seen the report.
        is_informed: Whether the patient was informed.
    """

    taken: int
    reported: int | None = None
    diagnosis: str = ""
    breslow_mm: float | None = None
    ulcerated: bool | None = None
    mitoses: float | None = None
    in_situ: bool | None = None
    margins: Margins | None = None
    is_acknowledged: bool = True
    is_informed: bool = True


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A visit at which a lesion was photographed.

    Attributes:
        ago: Days before today.
        opinion: Leading diagnosis of the first read; None while the lesion waits to be read.
        probability: The reader's probability of melanoma, in [0, 1].
        management: The decision; None while the lesion waits for it.
        growth: How far the lesion has grown since it was first drawn; see `draw_dermoscopic`.
        num_photographs: Number of photographs.
        seven_points: The seven-point checklist.
        abcd: The ABCD rule.
    """

    ago: int
    opinion: Opinion | None = Opinion.NV
    probability: float = 0.02
    management: Management | None = Management.REASSURE
    growth: float = 1.0
    num_photographs: int = 1
    seven_points: SevenPointChecklist | None = None
    abcd: AbcdRule | None = None


@dataclass(frozen=True, kw_only=True)
class DrawnLesion:
    """A drawn lesion.

    Attributes:
        drawing: The diagnosis whose dermoscopic signs are drawn.
        seed: Which drawing of them.
        site: Anatomic site.
        laterality: Side of the body.
        point: Place on the body map.
        seen: The visits, the earliest first.
        pathology: What histology said; None if no tissue was taken.
        noticed: Years before today; None if not stated.
        changes: Changes that were noticed.
    """

    drawing: Diagnosis
    seed: int
    site: str
    laterality: Laterality
    point: MapPoint
    seen: tuple[Seen, ...]
    pathology: Pathology | None = None
    noticed: int | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DrawnPatient:
    """An invented patient with drawn lesions."""

    age: int
    sex: Sex
    skin_type: SkinType
    lesions: tuple[DrawnLesion, ...]
    melanoma_before: bool = False
    melanoma_in_family: bool = False
    immunosuppressed: bool = False
    num_nevi: NevusCount = NevusCount.UP_TO_15


def load_patients() -> tuple[DrawnPatient, ...]:
    """Return the invented patients, in the order of their pseudonyms."""
    content = (ASSETS / "demonstration" / "record.json").read_bytes()
    return from_jsonable(tuple[DrawnPatient, ...], load_json(content))
