"""What the ground truth of a clinic hides, in words, with the counts of this one."""

from collections.abc import Iterator

from melanoma_core.records.audit_flow import AuditFlow
from melanoma_core.records.audit_table import Scope


def explain_bias(flow: AuditFlow, scope: Scope) -> tuple[str, ...]:
    """Return what to keep in mind when reading the figures of an audit, one sentence each.

    Lesions that looked suspicious are confirmed more often than others. Sensitivity is then too
    high and specificity too low: Begg and Greenes, "Assessment of diagnostic tests when disease
    verification is subject to selection bias" (1983, doi:10.2307/2530820).

    Args:
        flow: Of the record.
        scope: Of the analysis.
    """
    return tuple(_explain(flow, scope))


def _explain(flow: AuditFlow, scope: Scope) -> Iterator[str]:
    known = flow.by_histology
    if scope is Scope.WITH_FOLLOW_UP:
        known += flow.by_follow_up
    yield f"Ground truth is known of {known:,} of {flow.lesions:,} lesions."
    yield (
        "A melanoma that was never excised is counted nowhere. So every sensitivity here is an "
        "upper estimate."
    )
    if scope is Scope.HISTOLOGY:
        yield (
            "Benign lesions that were not excised are not confirmed. So each specificity holds for "
            "excised lesions alone, which looked more suspicious than others."
        )
    else:
        yield (
            f"{flow.by_follow_up:,} lesions are called benign because they were watched and not "
            "acted on. They looked harmless from the start, so that specificity is higher than on "
            "excised lesions. A slow carcinoma can be among them."
        )
    yield (
        "Whether a lesion was excised depended on the doctor and on the network. A lesion that "
        "only one of them suspected is confirmed more often if the decision followed that one."
    )
    if unseen := flow.first_reads - flow.blind_reads:
        yield (
            f"{unseen:,} first reads do not count: the reader had seen the AI reading, or wrote "
            "after the result was known."
        )
    if flow.refused:
        yield f"Lesions that the network refused: {flow.refused:,}. Its own rates are without them."
