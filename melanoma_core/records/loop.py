"""The closed loop of a lesion: first read, AI reading, decision, specimen, histology, recall."""

from dataclasses import dataclass
from datetime import date

from melanoma_core.records.vocabulary import (
    Channel,
    Management,
    Margins,
    Opinion,
    ReadOrder,
    RecallStatus,
)


@dataclass(frozen=True, kw_only=True)
class SevenPointChecklist:
    """The seven-point checklist of dermoscopy (Argenziano et al. 1998).

    Each attribute is whether the criterion is present: three major ones, then four minor ones.
    `checklists.score_seven_points` computes the score.
    """

    atypical_network: bool
    blue_white_veil: bool
    atypical_vessels: bool
    irregular_streaks: bool
    irregular_dots: bool
    irregular_blotches: bool
    regression: bool


@dataclass(frozen=True, kw_only=True)
class AbcdRule:
    """The ABCD rule of dermoscopy (Stolz et al. 1994); `checklists.score_abcd` computes the score.

    Attributes:
        asymmetry: Axes without symmetry, 0 to 2.
        border: Eighths of the border that end abruptly, 0 to 8.
        colours: Colours present, 1 to 6.
        structures: Dermoscopic structures present, 1 to 5.
    """

    asymmetry: int
    border: int
    colours: int
    structures: int


@dataclass(frozen=True, kw_only=True)
class FirstRead:
    """What a reader says of a lesion, before or beside the AI reading.

    Attributes:
        lesion_id: Id of the lesion.
        visit_id: Id of the visit.
        opinion: The leading diagnosis.
        melanoma_probability: The reader's probability of melanoma, in [0, 1]; None if not given.
        management: What the reader would do.
        order: Whether the AI reading was shown before.
        seconds: Time from the first sight of the photographs to the answer, in seconds, ≥ 0.
        seven_points: The seven-point checklist; None if not filled in.
        abcd: The ABCD rule; None if not filled in.
    """

    lesion_id: str
    visit_id: str
    opinion: Opinion
    melanoma_probability: float | None
    management: Management
    order: ReadOrder
    seconds: float
    seven_points: SevenPointChecklist | None = None
    abcd: AbcdRule | None = None


@dataclass(frozen=True, kw_only=True)
class PhotographReading:
    """What the network said of one photograph.

    Attributes:
        photograph_id: Id of the photograph.
        probabilities: One per class of the AI reading, calibrated; empty if it was refused.
        uncalibrated: The same before temperature scaling.
        refusal: Why it was not read; "" if it was.
        findings: Quality problems and artefacts, as texts.
        novelty: Distance to the training photographs; None if there is no such check.
        read_anyway: Whether a person had it read although it is out of distribution.
        heatmap_sha256: SHA-256 (hex) of the kept heatmap of the alert, a PNG; "" if there is none.
        sharpness: As in `data.quality.Quality`; None if it was not measured.
        brightness: The same.
        contrast: The same.
        outline: Corners of the outline that the network has drawn, as `entities.Outline.points`;
            empty if it drew none.
    """

    photograph_id: str
    probabilities: tuple[float, ...] = ()
    uncalibrated: tuple[float, ...] = ()
    refusal: str = ""
    findings: tuple[str, ...] = ()
    novelty: float | None = None
    read_anyway: bool = False
    heatmap_sha256: str = ""
    sharpness: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    outline: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class AiReading:
    """What the network said of a lesion, kept as it was read and never recomputed.

    Attributes:
        lesion_id: Id of the lesion.
        visit_id: Id of the visit.
        model_id: Id of the model.
        app_version: Version of this software.
        class_names: Diagnosis codes, in the order of the probabilities.
        probabilities: Over all photographs that were read, calibrated; empty if none was read.
        melanoma_threshold: Operating point of the melanoma alert.
        skin_cancer_threshold: Operating point of the skin cancer alert; None if there is none.
        prevalence: Shares of melanoma and of skin cancer in force; None if none was set.
        adapted: Probabilities at that prevalence; empty if none was set.
        melanoma_alert: Whether the melanoma alert was raised.
        skin_cancer_alert: Whether the skin cancer alert was raised; None if there is none.
        statement: The sentence that was shown.
        photographs: The reading of each photograph.
    """

    lesion_id: str
    visit_id: str
    model_id: str
    app_version: str
    class_names: tuple[str, ...]
    probabilities: tuple[float, ...]
    melanoma_threshold: float
    skin_cancer_threshold: float | None
    prevalence: tuple[float, float] | None = None
    adapted: tuple[float, ...] = ()
    melanoma_alert: bool = False
    skin_cancer_alert: bool | None = None
    statement: str = ""
    photographs: tuple[PhotographReading, ...] = ()

    @property
    def was_read(self) -> bool:
        """Whether at least one photograph was read."""
        return bool(self.probabilities)

    def find_probability(self, class_name: str) -> float | None:
        """Return the probability of a diagnosis, in [0, 1]; None if nothing was read."""
        if not self.was_read or class_name not in self.class_names:
            return None
        return self.probabilities[self.class_names.index(class_name)]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What is done with a lesion; its writer signs it.

    Attributes:
        lesion_id: Id of the lesion.
        visit_id: Id of the visit.
        management: What is done.
        reason: Why; required where it differs from the alert (`decisions.needs_reason`).
        ai_reading_id: Id of the AI reading that was known; None if there was none.
    """

    lesion_id: str
    visit_id: str
    management: Management
    reason: str = ""
    ai_reading_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """Tissue that was taken from a lesion.

    Attributes:
        lesion_id: Id of the lesion.
        number: The clinic's or the laboratory's id of the specimen.
        taken_on: Day on which it was taken.
        method: How: one of the managements that remove tissue.
        decision_id: Id of the decision; None if it was taken elsewhere.
        photograph_id: Id of the photograph of the site; None if there is none.
    """

    lesion_id: str
    number: str
    taken_on: date
    method: Management
    decision_id: str | None = None
    photograph_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Histology:
    """What the laboratory found in a specimen.

    Attributes:
        lesion_id: Id of the lesion.
        specimen_id: Id of the specimen.
        reported_on: Day of the report.
        diagnosis: A value of isic-metadata's `DiagnosisEnum`, such as "Malignant:Malignant
            melanocytic proliferations (Melanoma):Melanoma Invasive".
        text: The words of the report; "" if not copied.
        breslow_mm: Breslow thickness in millimetres, ≥ 0; None if not given.
        ulcerated: Whether it is ulcerated.
        mitoses_per_mm2: Mitoses per square millimetre, ≥ 0.
        in_situ: Whether it is in situ.
        margins: What it says of the margins.
        pt: Primary tumour category of AJCC 8, such as "pT1a"; "" if not given.
    """

    lesion_id: str
    specimen_id: str
    reported_on: date
    diagnosis: str
    text: str = ""
    breslow_mm: float | None = None
    ulcerated: bool | None = None
    mitoses_per_mm2: float | None = None
    in_situ: bool | None = None
    margins: Margins | None = None
    pt: str = ""


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """That a reader has seen a histology report; the reader is its writer."""

    lesion_id: str
    histology_id: str


@dataclass(frozen=True, kw_only=True)
class Information:
    """That the patient was informed of a result.

    Attributes:
        lesion_id: Id of the lesion.
        histology_id: Id of the histology.
        on: Day on which the patient was informed.
        channel: How.
    """

    lesion_id: str
    histology_id: str
    on: date
    channel: Channel


@dataclass(frozen=True, kw_only=True)
class Recall:
    """A date on which the patient is to be seen again.

    Attributes:
        patient_id: Id of the patient.
        lesion_id: Id of the lesion; None for the whole skin.
        due_on: Day from which it is due.
        reason: Why.
        status: What has become of it.
    """

    patient_id: str
    lesion_id: str | None
    due_on: date
    reason: str = ""
    status: RecallStatus = RecallStatus.OPEN
