"""A quiz in words: what it draws from, how a student stands, and the answers as rows.

Every function returns plain text. The caller escapes it.
"""

import math
from collections.abc import Mapping, Sequence

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card_text.formats import (
    UNDEFINED,
    format_interval,
    format_percent,
    format_value,
)
from melanoma_core.models.card_text.tiles import Tile
from melanoma_core.records.quiz import Answer, QuizResult, Standing
from melanoma_core.records.quiz_cases import Mix, QuizCase, QuizPool, count_diagnoses


def describe_pool(pool: QuizPool) -> list[str]:
    """Return what a quiz draws from, one sentence each."""
    if pool.is_drawn:
        first = "A program has drawn these lesions, and each is what it was drawn as."
    else:
        first = "Each diagnosis was confirmed by histopathology."
    number = len(pool.cases)
    share = "" if not number else f" ({format_percent(pool.num_melanomas / number)})"
    sentences = [
        first,
        f"Drawn from {number:,} lesions of {pool.source}; {pool.num_melanomas:,} of them are "
        f"melanomas{share}.",
        *(f"Left out: {count:,} {reason}." for reason, count in pool.left_out.items()),
    ]
    if not pool.is_lineage_known:
        sentences.append(
            "WARNING: the model does not record what it was trained on. It may know these cases, "
            "and then does better than it would on others."
        )
    return sentences


def describe_mix(mix: Mix) -> str:
    """Return what the share of melanomas in a quiz means."""
    if mix is Mix.ENRICHED:
        return (
            "About half of the cases are melanomas. In a clinic they are few: there, the same eyes "
            "raise many more false alarms for each melanoma found."
        )
    return (
        "Cases come as often as among these lesions. Lesions that were excised are melanomas far "
        "more often than those that a clinic sees."
    )


def describe_cases(cases: Sequence[QuizCase]) -> str:
    """Return how many cases have which diagnosis.

    >>> describe_cases([])
    'There was no case.'
    """
    counts = [f"{each.title}: {count}" for each, count in count_diagnoses(cases).items()]
    return f"The cases were: {', '.join(counts)}." if counts else "There was no case."


def list_quiz_tiles(result: QuizResult) -> list[Tile]:
    """Return the figures of student and network as tiles, the student's first."""
    return [
        *_list_tiles("You", "melanoma named", result.student),
        *_list_tiles("Network", "alert", result.network),
    ]


def describe_result(result: QuizResult) -> list[str]:
    """Return what the figures of a quiz say, and what they do not."""
    difference = result.area_difference
    sentences = [result.too_few] if result.too_few else []
    if not math.isnan(difference.value):
        text = format_value(difference.value, difference.low, difference.high)
        sentences.append(f"ROC AUC, yours minus the network's, on the same cases: {text}.")
        if not math.isnan(difference.low) and difference.low <= 0 <= difference.high:
            sentences.append("These cases do not show that one of you is better.")
    if result.num_refused:
        sentences.append(
            f"The network refused {result.num_refused:,} of the cases that you answered. No figure "
            "counts them."
        )
    return sentences


def tabulate_answers(
    cases: Sequence[QuizCase], answers: Mapping[str, Answer], network: Mapping[str, Answer]
) -> list[dict[str, str | float]]:
    """Return the answered cases as rows, without an id of the record.

    Args:
        cases: Of the quiz.
        answers: The student's, by the key of the case.
        network: The network's; cases that it refused are missing.
    """
    return [
        {
            "Case": number,
            "Truth": case.title,
            "Confirmed by": case.confirmation or "drawn",
            "Your diagnosis": answers[case.key].diagnosis.title,
            "Your probability of melanoma": format_percent(answers[case.key].probability),
            "Network's diagnosis": _say(network.get(case.key)),
            "Network's probability of melanoma": _say_probability(network.get(case.key)),
        }
        for number, case in enumerate(cases, start=1)
        if case.key in answers
    ]


def _list_tiles(who: str, means: str, standing: Standing) -> list[Tile]:
    return [
        _make_tile(f"{who}: sensitivity ({means})", standing.sensitivity, "melanomas"),
        _make_tile(f"{who}: specificity", standing.specificity, "other lesions"),
        _make_tile(f"{who}: right diagnosis", standing.right, "cases"),
        _make_area_tile(f"{who}: ROC AUC", standing.roc_auc),
    ]


def _make_tile(label: str, figure: Figure, of: str) -> Tile:
    if math.isnan(figure.value):
        return Tile(label, UNDEFINED.capitalize(), "", f"There were no {of}.")
    return Tile(
        label,
        format_percent(figure.value),
        format_interval(figure),
        f"{figure.count:,} of {figure.total:,} {of}",
    )


def _make_area_tile(label: str, figure: Figure) -> Tile:
    if math.isnan(figure.value):
        return Tile(label, UNDEFINED.capitalize(), "", "It needs melanomas and other lesions.")
    interval = UNDEFINED if math.isnan(figure.low) else f"{figure.low:.3f}–{figure.high:.3f}"
    return Tile(label, f"{figure.value:.3f}", f"95% CI {interval}", f"{figure.total:,} cases")


def _say(answer: Answer | None) -> str:
    return "refused" if answer is None else answer.diagnosis.title


def _say_probability(answer: Answer | None) -> str:
    return "refused" if answer is None else format_percent(answer.probability)
