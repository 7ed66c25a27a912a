"""The audit of a record: everything that the Audit page and `records audit` show."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.prevalence import Prevalence
from melanoma_core.models.card import load_card
from melanoma_core.models.lineage import read_predictions
from melanoma_core.progress import Progress
from melanoma_core.records.audit_cases import AuditCase, make_audit_cases
from melanoma_core.records.audit_flow import AuditFlow, measure_audit_flow
from melanoma_core.records.audit_scores import ScoreQuality, compare_areas, measure_scores
from melanoma_core.records.audit_table import Scope, make_table
from melanoma_core.records.bias import explain_bias
from melanoma_core.records.drift import ShareShift, Shift, measure_drift, measure_share_drift
from melanoma_core.records.drift_reference import make_card_reference, make_own_reference
from melanoma_core.records.entities import Lesion
from melanoma_core.records.ground_truth import AuditRules
from melanoma_core.records.missed import MissedMelanoma, list_missed
from melanoma_core.records.performance import (
    Group,
    Grouping,
    Performance,
    measure_groups,
    measure_performance,
)
from melanoma_core.records.photograph_table import (
    PhotographFacts,
    PhotographTable,
    list_photographs,
    make_photograph_table,
)
from melanoma_core.records.store import Record
from melanoma_core.records.trained_on import find_trained, mark_trained, mark_trained_photographs
from melanoma_core.settings import Settings, load_settings

_BATCH = 1000  # lesions in memory at once
_DEFAULT_RULES = AuditRules()


@dataclass(frozen=True, eq=False)
class AuditData:
    """What an audit reads of a record.

    Attributes:
        cases: One per lesion.
        photographs: Those that a network was given.
    """

    cases: tuple[AuditCase, ...]
    photographs: PhotographTable


@dataclass(frozen=True)
class Drift:
    """How photographs and scores change.

    Attributes:
        against_card: Scores, against the model's test photographs; empty if it has none.
        against_start: Photographs and scores, against the first months; empty if they are too few.
        shares: Photographs out of distribution, and with a quality warning.
        trained_on: Photographs that were left out, since the model was trained on their patients.
        unchecked: Photographs of which this cannot be checked; they are counted.
    """

    against_card: tuple[Shift, ...]
    against_start: tuple[Shift, ...]
    shares: tuple[ShareShift, ...]
    trained_on: int = 0
    unchecked: int = 0


@dataclass(frozen=True)
class Audit:
    """The audit of a record.

    Attributes:
        flow: From the lesions of the record to those that are audited.
        performance: How good doctor, network and both together are.
        area_difference: ROC AUC of the network minus that of the first read.
        scores: How good the probabilities are.
        groups: By grouping.
        missed: Melanomas that anyone missed, confirmed in any way.
        bias: What to keep in mind, one sentence each.
    """

    flow: AuditFlow
    performance: Performance
    area_difference: Figure
    scores: tuple[ScoreQuality, ...]
    groups: dict[Grouping, tuple[Group, ...]]
    missed: tuple[MissedMelanoma, ...]
    bias: tuple[str, ...]


def read_audit_data(
    record: Record,
    rules: AuditRules = _DEFAULT_RULES,
    progress: Progress | None = None,
    settings: Settings | None = None,
) -> AuditData:
    """Read what an audit needs of all lesions of a record.

    Args:
        record: An open record.
        rules: When ground truth counts as known.
        progress: Progress callback, in lesions. An exception that it raises stops the work.
        settings: Where the models are, of which each is asked whom it was trained on; None for
            those of the environment.
    """
    lesion_ids = [entry.id for entry in record.find(Lesion)]
    cases: list[AuditCase] = []
    photographs: list[PhotographFacts] = []
    for first in range(0, len(lesion_ids), _BATCH):
        batch = record.load_cases(lesion_ids[first : first + _BATCH])
        cases += make_audit_cases(batch, rules)
        photographs += list_photographs(batch)
        if progress:
            progress(min(first + _BATCH, len(lesion_ids)), len(lesion_ids))
    models = {case.model_id for case in cases if case.has_ai}
    models |= {photograph.model_id for photograph in photographs}
    trained = find_trained(record, models, settings or load_settings())
    marked = mark_trained_photographs(photographs, trained)
    return AuditData(mark_trained(cases, trained), make_photograph_table(marked))


def make_audit(
    cases: Sequence[AuditCase],
    scope: Scope = Scope.HISTOLOGY,
    groupings: Sequence[Grouping] = tuple(Grouping),
) -> Audit:
    """Compute everything that the cases show.

    Args:
        cases: Of `read_audit_data`.
        scope: Which ground truth counts.
        groupings: What to divide by.
    """
    table, flow = make_table(cases, scope), measure_audit_flow(cases)
    return Audit(
        flow=flow,
        performance=measure_performance(table),
        area_difference=compare_areas(table),
        scores=measure_scores(table),
        groups={grouping: measure_groups(table, grouping) for grouping in groupings},
        missed=list_missed(cases),
        bias=explain_bias(flow, scope),
    )


def make_drift(
    photographs: PhotographTable, folder: Path, prevalence: Prevalence | None = None
) -> Drift:
    """Compare the photographs that a model was given with its card and with the first months.

    Args:
        photographs: Of `read_audit_data`; those of patients that their model was trained on are
            left out.
        folder: Folder of the model.
        prevalence: Of the clinic, for the model's test photographs; see `make_card_reference`.

    Raises:
        ModelError: The model cannot be read.
    """
    card, predictions = load_card(folder), read_predictions(folder)
    given_to_it = photographs.was_trained_on[photographs.model_id == card.model_id]
    photographs = photographs.select(photographs.was_trained_on != 1)
    given = None
    if predictions is not None and len(predictions):
        given = make_card_reference(card.model_id, predictions, prevalence)
    start = make_own_reference(photographs, card.model_id)
    return Drift(
        against_card=() if given is None else measure_drift(photographs, given),
        against_start=() if start is None else measure_drift(photographs, start),
        shares=measure_share_drift(photographs, card),
        trained_on=int((given_to_it == 1).sum()),
        unchecked=int((given_to_it == -1).sum()),
    )
