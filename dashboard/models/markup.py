"""Models beside one another as HTML: data in, text out, no st call. Every text is escaped here."""

from html import escape
from typing import TYPE_CHECKING

from melanoma_core.deployment.gate import Verdict, format_difference
from melanoma_core.models.card_text.formats import format_figure, format_percent
from melanoma_core.models.card_text.wording import name_figure

if TYPE_CHECKING:
    from melanoma_core.deployment.comparison import Comparison
    from melanoma_core.deployment.promotion import Deployment
    from melanoma_core.deployment.versions import Event
    from melanoma_core.models.card_text.tables import Row

_SHOWN = ("sensitivity", "specificity", "melanoma_roc_auc", "accuracy")


def render_deployment(deployment: "Deployment") -> str:
    """Render which model is deployed, since when and by whom, and what reads instead."""
    model = f"Deployed: <strong>{escape(deployment.deployed_id)}</strong>"
    if deployment.pinned_id:
        model += (
            f". It does not read: <code>MELANOMA_MODEL</code> names "
            f"<strong>{escape(deployment.pinned_id)}</strong>, which reads until the variable is "
            "unset"
        )
    since = next(
        (
            event
            for event in deployment.events
            if event.model_id == deployment.deployed_id and event.kind != "refused"
        ),
        None,
    )
    when = f", {tell_event(since)}" if since else ", the one that comes with the project"
    return f'<p class="deployment">{model}{when}.</p>'


def tell_event(event: "Event") -> str:
    """Return when something happened and who did it, escaped."""
    by = f" by {escape(event.by)}" if event.by else ""
    return f"{escape(event.kind)} on {escape(event.at[:16].replace('T', ' '))} UTC{by}"


def render_verdict(verdict: Verdict) -> str:
    """Render what the gate says, in shape and word, with every reason."""
    kind, symbol, word = (
        ("lets-pass", "✓", "The gate lets it pass")
        if verdict.is_allowed
        else ("holds-back", "✕", "The gate refuses it")
    )
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.reasons)
    return (
        f'<section class="banner gate {kind}" role="status">'
        f'<span class="shape" aria-hidden="true">{symbol}</span>'
        f'<div><p class="verdict">{word}</p><ul>{reasons}</ul></div></section>'
    )


def render_basis(comparison: "Comparison") -> str:
    """Render on which photographs two models were compared, and which were left out."""
    notes = []
    if comparison.num_learned:
        notes.append(
            f"{comparison.num_learned:,} that the deployed model learned from are left out"
        )
    if not comparison.knows_learned:
        notes.append("which of them the deployed model learned from is not known")
    if comparison.num_unread:
        notes.append(f"of {comparison.num_unread:,} nobody knows what the deployed model says")
    left_out = f" ({'; '.join(notes)})" if notes else ""
    return (
        f"<p>Compared on {comparison.num_images:,} photographs of {comparison.num_lesions:,} "
        f"lesions, {comparison.num_melanomas:,} of them photographs of "
        f"{comparison.num_melanoma_lesions:,} melanomas, each model at its own threshold. The "
        f"candidate's test holds {comparison.num_test:,}{left_out}.</p>"
    )


def tabulate_comparison(comparison: "Comparison") -> "list[Row]":
    """Return the figures of both, their difference, and McNemar's test of it."""
    rows = []
    for name in _SHOWN:
        test = comparison.mcnemar.get(name)
        difference = comparison.differences[name]
        rows.append(
            {
                "Figure": name_figure(name),
                "Candidate": format_figure(name, comparison.candidate[name]),
                "Deployed": format_figure(name, comparison.deployed[name]),
                "Difference": _tell_area(difference.value, difference.low, difference.high)
                if name == "melanoma_roc_auc"
                else format_difference(difference),
                "Right alone": f"{test.only_one:,} against {test.only_other:,}" if test else "",
                "McNemar, exact p": _tell_chance(test.p_value) if test else "",
            }
        )
    return rows


def tabulate_events(events: "tuple[Event, ...]") -> "list[Row]":
    """Return what happened, the newest first."""
    return [
        {
            "When (UTC)": event.at[:19].replace("T", " "),
            "What": str(event.kind),
            "Model": event.model_id,
            "Before": event.previous_id or "",
            "Who": event.by or "not said",
            "Why": event.reason,
            "The gate": " ".join(event.verdict),
        }
        for event in events
    ]


def render_disagreement(row: "dict[str, object]") -> str:
    """Render what both said of a photograph on which they disagree."""
    candidate, deployed = (
        format_percent(float(str(row[key]))) for key in ("candidate", "deployed")
    )
    return (
        f'<p class="file"><strong>{escape(str(row["kind"]).capitalize())}</strong><br>'
        f"{escape(str(row['image_id']))}, {escape(str(row['label']))}<br>"
        f"Probability of melanoma: candidate {candidate}, deployed {deployed}</p>"
    )


def _tell_chance(p_value: float) -> str:
    return f"{p_value:.3f}" if p_value >= 0.001 else "<0.001"


def _tell_area(value: float, low: float, high: float) -> str:
    return f"{value:+.3f} (95% interval {low:+.3f} to {high:+.3f})"
