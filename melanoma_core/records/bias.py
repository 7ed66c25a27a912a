"""What the ground truth of a clinic hides, in words, with the counts of this one."""

from collections.abc import Iterator

from melanoma_core.names import neutralise
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
    yield _say_known(flow, scope)
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
    yield from explain_training(flow)


def _say_known(flow: AuditFlow, scope: Scope) -> str:
    """Return of how many lesions the ground truth counts, and how it was confirmed."""
    known = f"Ground truth counts of {flow.count_known(scope):,} of {flow.lesions:,} lesions"
    if scope is Scope.WITH_FOLLOW_UP:
        return f"{known}: {flow.by_histology:,} by histology, {flow.by_follow_up:,} by follow-up."
    if not flow.by_follow_up:
        return f"{known}, all by histology."
    return (
        f"{known}, all by histology. Of {flow.by_follow_up:,} more it is known by follow-up alone, "
        "which does not count here."
    )


def explain_training(flow: AuditFlow) -> Iterator[str]:
    """Yield what to say of models that were trained on patients of the record; nothing if none was.

    Args:
        flow: Of the record.
    """
    if flow.trained_on:
        yield (
            f"AI readings that do not count: {flow.trained_on:,}. Their model was trained on "
            "photographs of the same patient, and so knew the answer. Figures of the network, and "
            "of the doctor with it, are without them."
        )
    if flow.unchecked:
        models = ", ".join(f"{name} ({count:,})" for name, count in flow.unchecked.items())
        yield (
            "It could not be checked whether these models were trained on patients of this record: "
            f"{neutralise(models)}. Their folder is gone or damaged, or does not list the "
            "photographs of the training. Their AI readings count."
        )
