"""The flow of participants: from the files found to the results of both alerts by ground truth.

STARD asks for it as a diagram. Every count comes from the card and its evidence. What they lack is
"not provided". Where the metrics are withheld because of leakage, the flow ends at the test subset.
"""

from collections.abc import Mapping
from typing import Any

from melanoma_core.evaluation.flow import (
    MELANOMA,
    SKIN_CANCER,
    Outcomes,
    OutcomeTable,
    ReadingFlow,
)
from melanoma_core.evaluation.subsets import TEST
from melanoma_core.models.card import ModelCard
from melanoma_core.models.card_text.diagram import Box, Branch, FlowDiagram, Stage
from melanoma_core.models.card_text.formats import NOT_PROVIDED, format_figure, format_percent
from melanoma_core.models.card_text.section import Section, Table, Title
from melanoma_core.models.card_text.wording import describe_model, is_withheld, name_class
from melanoma_core.models.evidence import Evidence
from melanoma_core.taxonomy import SKIN_CANCERS

# By reason of `ReadingFlow.refused`, which are the values of `reading.RefusalKind`.
_REASONS = {"unfamiliar": "out of distribution", "quality": "no lesion visible"}
_PREFIXES = {MELANOMA: "", SKIN_CANCER: "skin_cancer_"}  # of the names of metrics
_OTHERS = "other lesions"


def build_flow(card: ModelCard, evidence: Evidence | None) -> Section:
    """Return the section with the diagram and the cross-tabulations."""
    diagram = build_diagram(card, evidence)
    if is_withheld(card) or not card.metrics:
        return Section(Title.FLOW, (describe_model(card),), (), diagram)
    flow = evidence.flow if evidence else None
    crossed = (_tabulate_outcomes(each, flow is not None) for each in _find_outcomes(card, flow))
    treated = (_tabulate_treatments(card, flow),) if flow else ()
    paragraphs = (*_explain_start(card), describe_indeterminate(flow))
    return Section(Title.FLOW, paragraphs, (*crossed, *treated), diagram)


def _explain_start(card: ModelCard) -> tuple[str, ...]:
    if "files" in card.data or not card.data.get("images"):
        return ()
    start = (
        f"The number of image files found is {NOT_PROVIDED}, so the flow starts at the photographs "
        "with a diagnosis."
    )
    changed = sum(card.data.get("file_decisions", {}).values())
    before = f" Before that, {changed:,} files were left out or relabelled." if changed else ""
    return (f"{start}{before}",)


def describe_indeterminate(flow: ReadingFlow | None) -> str:
    """Return how the metrics treat photographs that a reading refuses."""
    treated = (
        "The unit is the photograph, since not every patient is known. A photograph that a reading "
        "refuses is an indeterminate result. The metrics of this card count it as if it had been "
        "read, with an output of the network that a reading does not show."
    )
    if flow is None:
        return f"{treated} The ground truth of the refused photographs is {NOT_PROVIDED}."
    return (
        f"{treated} The last table also gives the metrics without the refused photographs, and "
        "with each of them counted against the model: as a miss, or as a false alert."
    )


def _find_outcomes(card: ModelCard, flow: ReadingFlow | None) -> tuple[OutcomeTable, ...]:
    """Return the results of each alert by ground truth; nothing if the metrics are withheld.

    Without a flow, the counts are those of the card's metrics, in which no photograph is refused.
    """
    if is_withheld(card):
        return ()
    if flow is not None:
        return flow.tables
    thresholds = {MELANOMA: card.rules.threshold, SKIN_CANCER: card.rules.skin_cancer_threshold}
    figures, tables = card.metrics.get(TEST, {}), []
    for condition, prefix in _PREFIXES.items():
        found = figures.get(f"{prefix}sensitivity")
        cleared = figures.get(f"{prefix}specificity")
        if found is None or cleared is None or found.count is None or cleared.count is None:
            continue
        present = Outcomes(found.count, found.total - found.count, 0)
        absent = Outcomes(cleared.total - cleared.count, cleared.count, 0)
        tables.append(OutcomeTable(condition, thresholds[condition], present, absent, {}))
    return tuple(tables)


def build_diagram(card: ModelCard, evidence: Evidence | None) -> FlowDiagram:
    """Return the flow from the files found to the results of both alerts.

    It starts at the first step whose count is known.
    """
    title = "Flow of the photographs to the results of the test"
    before = [_count_files(card.data), _count_others(card.data)]
    known = [place for place, stage in enumerate(before) if stage.box.count is not None]
    stages = before[known[0] :] if known else before
    test = Box("Test subset", card.data.get("images", {}).get(TEST), _name_parts(card))
    if is_withheld(card) or not card.metrics:
        return FlowDiagram(title, (*stages, Stage(test)))
    flow = evidence.flow if evidence else None
    num_read = flow.num_images - sum(flow.refused.values()) if flow else None
    stages += [Stage(test, _count_refused(card, flow)), Stage(Box("Read", num_read))]
    branches = (_draw_outcomes(each, flow is not None) for each in _find_outcomes(card, flow))
    return FlowDiagram(title, tuple(stages), tuple(branches))


def _count_files(data: Mapping[str, Any]) -> Stage:
    files = data.get("files")
    if files is None:
        return Stage(Box("Image files found", None), Box("Left out", None))
    found = Box("Image files found", files["found"], (f"relabelled: {files['relabelled']:,}",))
    return Stage(found, Box("Left out", sum(files["left_out"].values()), _list(files["left_out"])))


def _count_others(data: Mapping[str, Any]) -> Stage:
    """Return the images with a diagnosis, and those of them that are not in the test subset."""
    images, lesions = data.get("images", {}), data.get("lesions", {})
    if not images:
        return Stage(Box("With a diagnosis", None), Box("Train and validation", None))
    files, num_images = data.get("files"), sum(images.values())
    num_known = num_images if files is None else files["kept"] + files["relabelled"]
    notes = [
        f"{subset}: {count:,}" + (f" of {lesions[subset]:,} lesions" if subset in lesions else "")
        for subset, count in images.items()
        if subset != TEST
    ]
    if num_known > num_images:
        notes.append(f"in no subset: {num_known - num_images:,}")
    num_others = num_known - images.get(TEST, 0)
    leaving = Box("Train and validation", num_others, tuple(notes))
    return Stage(Box("With a diagnosis", num_known), leaving)


def _count_refused(card: ModelCard, flow: ReadingFlow | None) -> Box:
    title = "Refused: indeterminate results"
    if flow is not None:
        named = {_REASONS.get(reason, reason): count for reason, count in flow.refused.items()}
        by_condition = {f"of {each.condition}": each.present.refused for each in flow.tables}
        return Box(title, sum(named.values()), _list(named | (by_condition if named else {})))
    figure = card.novelty.refused.get(TEST) if card.novelty else None
    if figure is None or figure.count is None:
        return Box(title, None)
    unknown = f"{_REASONS['quality']}: {NOT_PROVIDED}"
    return Box(title, None, (*_list({_REASONS["unfamiliar"]: figure.count}), unknown))


def _name_parts(card: ModelCard) -> tuple[str, ...]:
    labels = card.data.get("images_by_label", {}).get(TEST, {})
    cancers = {name_class(name): labels[name] for name in SKIN_CANCERS if labels.get(name)}
    num_lesions = card.data.get("lesions", {}).get(TEST)
    return _list(({"lesions": num_lesions} if num_lesions else {}) | cancers)


def _draw_outcomes(table: OutcomeTable, with_refused: bool) -> Branch:
    parts = {
        "Alert": (table.present.alert, table.absent.alert),
        "No alert": (table.present.no_alert, table.absent.no_alert),
    }
    boxes = tuple(
        Box(name, sum(counts), _list(dict(zip((table.condition, _OTHERS), counts, strict=True))))
        for name, counts in parts.items()
    )
    counted = "" if with_refused else ", every photograph counted as read"
    return Branch(f"{_name_alert(table)}{counted}", boxes)


def _tabulate_outcomes(table: OutcomeTable, with_refused: bool) -> Table:
    rows = {
        "Alert": (table.present.alert, table.absent.alert),
        "No alert": (table.present.no_alert, table.absent.no_alert),
        "Refused (indeterminate)": (table.present.refused, table.absent.refused),
        "All": (table.present.total, table.absent.total),
    }
    return Table(
        f"{_name_alert(table)} by ground truth",
        ("Result", table.condition.capitalize(), _OTHERS.capitalize(), "All"),
        tuple(
            (name, *(f"{count:,}" for count in (*counts, sum(counts))))
            if with_refused or not name.startswith("Refused")
            else (name, *(NOT_PROVIDED,) * 3)
            for name, counts in rows.items()
        ),
    )


def _tabulate_treatments(card: ModelCard, flow: ReadingFlow) -> Table:
    """Return the metrics of the alerts under the three ways to treat a refused photograph."""
    metrics = card.metrics.get(TEST, {})
    rows = tuple(
        (
            f"{_name_alert(table)}: {name}",
            format_figure(name, metrics.get(f"{_PREFIXES[table.condition]}{name}")),
            format_figure(name, table.figures.get(f"{name}_read")),
            format_figure(name, table.figures.get(f"{name}_intended")),
        )
        for table in flow.tables
        if table.condition in _PREFIXES  # or a person changed the evidence
        for name in ("sensitivity", "specificity")
    )
    head = ("Metric", "All counted as read", "Read only", "Refused counted against the model")
    return Table("How refused photographs change the metrics", head, rows)


def _name_alert(table: OutcomeTable) -> str:
    if table.threshold is None:
        return f"{table.condition} alert".capitalize()
    return f"{table.condition.capitalize()} alert from {format_percent(table.threshold)}"


def _list(counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(f"{name}: {count:,}" for name, count in counts.items())
