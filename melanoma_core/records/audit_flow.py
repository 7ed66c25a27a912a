"""From the lesions of a record to those that are audited, and why each other one is left out.

After the flow diagram of STARD (Bossuyt et al. 2015, doi:10.1136/bmj.h5527).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from melanoma_core.models.card_text.diagram import Box, FlowDiagram, Stage
from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.audit_table import Scope
from melanoma_core.records.ground_truth import Exclusion
from melanoma_core.taxonomy import Confirmation


@dataclass(frozen=True)
class AuditFlow:
    """How many lesions reached each step.

    Attributes:
        patients: Patients of the record.
        lesions: Lesions of the record.
        first_reads: Lesions with a first read.
        blind_reads: Those of them whose first read counts (`AuditCase.is_blind`).
        ai_readings: Lesions with an AI reading, the refused ones included.
        refused: Those of them that the network refused.
        decided: Lesions with a decision.
        decided_with_ai: Those of them that were decided with an AI reading.
        excised: Lesions with a specimen.
        by_histology: Lesions whose ground truth is known by histology.
        by_follow_up: Lesions whose ground truth is known by follow-up alone.
        left_out: Lesions without ground truth, by `Exclusion`; with the two above they are
            `lesions`.
        trained_on: Lesions whose AI reading does not count, because its model was trained on the
            patient.
        unchecked: Lesions with an AI reading of which that could not be checked, by model id.
    """

    patients: int
    lesions: int
    first_reads: int
    blind_reads: int
    ai_readings: int
    refused: int
    decided: int
    decided_with_ai: int
    excised: int
    by_histology: int
    by_follow_up: int
    left_out: dict[str, int]
    trained_on: int = 0
    unchecked: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the sum.

        Raises:
            ValueError: The counts do not add up.
        """
        if self.by_histology + self.by_follow_up + sum(self.left_out.values()) != self.lesions:
            raise ValueError(f"not {self.lesions} lesions in all")

    def count_known(self, scope: Scope) -> int:
        """Return the number of lesions whose ground truth counts in an analysis."""
        both = scope is Scope.WITH_FOLLOW_UP
        return self.by_histology + (self.by_follow_up if both else 0)


def measure_audit_flow(cases: Sequence[AuditCase]) -> AuditFlow:
    """Count the lesions of a record at each step.

    Args:
        cases: Of `audit_cases.make_audit_cases`.

    Example:
        >>> case = AuditCase(patient_id="p", lesion_id="l", exclusion=Exclusion.NOT_DECIDED)
        >>> measure_audit_flow([case]).left_out
        {'no decision': 1}
    """
    confirmations = Counter(case.confirmation for case in cases)
    exclusions = Counter(case.exclusion for case in cases)
    unchecked = Counter(
        case.model_id for case in cases if case.has_ai and case.was_trained_on is None
    )
    return AuditFlow(
        patients=len({case.patient_id for case in cases}),
        lesions=len(cases),
        first_reads=sum(case.management is not None for case in cases),
        blind_reads=sum(case.is_blind for case in cases),
        ai_readings=sum(case.has_ai for case in cases),
        refused=sum(case.has_ai and case.melanoma_alert is None for case in cases),
        decided=sum(case.decision is not None for case in cases),
        decided_with_ai=sum(case.decision is not None and case.knew_ai for case in cases),
        excised=sum(case.excised_on is not None for case in cases),
        by_histology=confirmations[Confirmation.HISTOPATHOLOGY],
        by_follow_up=confirmations[Confirmation.FOLLOW_UP],
        left_out={str(each): exclusions[each] for each in Exclusion if exclusions[each]},
        trained_on=sum(bool(case.was_trained_on) for case in cases),
        unchecked=dict(sorted(unchecked.items())),
    )


def draw_audit_flow(flow: AuditFlow, scope: Scope) -> FlowDiagram:
    """Return the flow as a diagram: its steps, and what goes no further.

    Args:
        flow: Of the record.
        scope: Which ground truth counts: that of follow-up alone is left out, or is not.
    """
    counts, not_counted = dict(flow.left_out), 0
    if scope is Scope.HISTOLOGY:
        not_counted = flow.by_follow_up
        counts |= {"benign by follow-up alone, without histology": not_counted}
    reasons = tuple(f"{reason}: {count:,}" for reason, count in counts.items() if count)
    left_out = Box(f"Without ground truth {_BY[scope]}", sum(counts.values()), reasons)
    steps = (
        f"of {flow.patients:,} patients",
        f"with a first read: {flow.first_reads:,}, of which {flow.blind_reads:,} count",
        f"with an AI reading: {flow.ai_readings:,}, of which {flow.refused:,} refused",
        *(
            [f"not counted, as the model was trained on the patient: {flow.trained_on:,}"]
            if flow.trained_on
            else []
        ),
        f"decided: {flow.decided:,}, of which {flow.decided_with_ai:,} with an AI reading",
        f"with tissue taken: {flow.excised:,}",
    )
    known: tuple[str, ...] = (f"by histology: {flow.by_histology:,}",)
    if scope is Scope.WITH_FOLLOW_UP:
        known += (f"by follow-up alone: {flow.by_follow_up:,}",)
    stages = (
        Stage(Box("Lesions", flow.lesions, steps), left_out if left_out.count else None),
        Stage(Box(f"With ground truth {_BY[scope]}", flow.count_known(scope), known)),
    )
    return FlowDiagram("Lesions of the record, and those that are audited", stages)


_BY = {Scope.HISTOLOGY: "by histology", Scope.WITH_FOLLOW_UP: "by histology or follow-up"}
