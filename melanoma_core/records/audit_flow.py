"""From the lesions of a record to those that are audited, and why each other one is left out.

After the flow diagram of STARD (Bossuyt et al. 2015, doi:10.1136/bmj.h5527).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from melanoma_core.records.audit_cases import AuditCase


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


def measure_audit_flow(cases: Sequence[AuditCase]) -> AuditFlow:
    """Count the lesions at each step."""
    raise NotImplementedError
