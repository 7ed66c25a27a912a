"""Model cards, comparisons and events as HTML, without Streamlit calls; text is escaped here."""

from html import escape
from typing import TYPE_CHECKING

from melanoma_core.deployment.gate import Verdict, format_difference
from melanoma_core.models.card_text.alerts import describe_alerts
from melanoma_core.models.card_text.formats import format_figure, format_percent
from melanoma_core.models.card_text.wording import name_class, name_figure

if TYPE_CHECKING:
    from pathlib import Path

    from melanoma_core.deployment.comparison import Comparison
    from melanoma_core.deployment.promotion import Deployment, Proposal
    from melanoma_core.deployment.versions import Event
    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.models.card import ModelCard
    from melanoma_core.models.card_text.section import Table
    from melanoma_core.models.card_text.tables import Row

_COMPARED_METRICS = (
    *("sensitivity", "specificity", "skin_cancer_sensitivity", "skin_cancer_specificity"),
    *("melanoma_roc_auc", "accuracy"),
)


def render_deployment(deployment: "Deployment") -> str:
    """Render which model is deployed, since when and by whom, and which one is used instead."""
    model = f"Deployed: <strong>{escape(deployment.deployed_id)}</strong>"
    if deployment.pinned_id:
        model += (
            f". It is not in use: <code>MELANOMA_MODEL</code> is set to "
            f"<strong>{escape(deployment.pinned_id)}</strong>, which is used until the variable is "
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
    when = f", {_describe_event(since)}" if since else ", the bundled model"
    return f'<p class="deployment">{model}{when}.</p>'


def _describe_event(event: "Event") -> str:
    by = f" by {escape(event.by)}" if event.by else ""
    return f"{escape(event.kind)} on {escape(event.at[:16].replace('T', ' '))} UTC{by}"


def render_verdict(verdict: Verdict) -> str:
    """Render the verdict of the gate as a shape and words, with every reason."""
    kind, symbol, word = (
        ("lets-pass", "✓", "The candidate passes the gate")
        if verdict.is_allowed
        else ("holds-back", "✕", "The gate refuses the candidate")
    )
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.reasons)
    return (
        f'<section class="banner gate {kind}" role="status">'
        f'<span class="shape" aria-hidden="true">{symbol}</span>'
        f'<div><p class="verdict">{word}</p><ul>{reasons}</ul></div></section>'
    )


def render_off(verdict: Verdict, *, has_name: bool) -> str:
    """Render why the button to promote a candidate is off; empty if it is on."""
    if not verdict.is_allowed:
        return (
            '<p class="off"><strong>Off: the gate refuses it.</strong> '
            f"{escape(verdict.reasons[0])}</p>"
        )
    return "" if has_name else '<p class="off">Enter your name to promote it.</p>'


def render_search(proposal: "Proposal", folder: "Path | None") -> str:
    """Render in which folder the missing photographs are searched, and what reads them."""
    place = f"<strong>{escape(str(folder))}</strong>" if folder else "the folder"
    return (
        f'<p class="off">Searches {place}, chosen in the sidebar, and reads them with '
        f"{escape(proposal.deployed.model_id)}.</p>"
    )


def render_basis(comparison: "Comparison") -> str:
    """Render which images two models were compared on, and which were excluded."""
    notes = []
    if comparison.num_learned:
        notes.append(
            f"{comparison.num_learned:,} are excluded: the deployed model has seen them in training"
        )
    if not comparison.knows_learned:
        notes.append("it is unknown which of them the deployed model has seen in training")
    if comparison.num_unread:
        notes.append(f"{comparison.num_unread:,} lack a prediction of the deployed model")
    excluded = f" ({'; '.join(notes)})" if notes else ""
    unchecked = f"<p>{escape(comparison.unchecked)}</p>" if comparison.unchecked else ""
    return (
        f"<p>Compared on {comparison.num_images:,} images of {comparison.num_lesions:,} lesions, "
        f"including {comparison.num_melanomas:,} images of {comparison.num_melanoma_lesions:,} "
        f"melanomas, each model at its own alert threshold. The candidate's test subset has "
        f"{comparison.num_test:,} images{excluded}.</p>{unchecked}"
    )


def tabulate_comparison(comparison: "Comparison") -> "list[Row]":
    """Return the metrics of both models, their differences, and McNemar's test."""
    rows = []
    for name in (each for each in _COMPARED_METRICS if each in comparison.differences):
        test = comparison.mcnemar.get(name)
        difference = comparison.differences[name]
        rows.append(
            {
                "Metric": name_figure(name),
                "Candidate": format_figure(name, comparison.candidate[name]),
                "Deployed": format_figure(name, comparison.deployed[name]),
                "Difference": _format_auc_difference(difference)
                if name == "melanoma_roc_auc"
                else format_difference(difference),
                "Correct by one only": f"{test.only_one:,}, {test.only_other:,}" if test else "",
                "McNemar exact p": _format_p_value(test.p_value) if test else "",
            }
        )
    return rows


def tabulate_events(events: "tuple[Event, ...]") -> "list[Row]":
    """Return the events as rows of a table, in their order."""
    return [
        {
            "When (UTC)": event.at[:19].replace("T", " "),
            "Event": str(event.kind),
            "Model": event.model_id,
            "Previous model": event.previous_id or "",
            "By": event.by or "not provided",
            "Reason": event.reason,
            "Gate": " ".join(event.verdict),
        }
        for event in events
    ]


def render_disagreement(row: "dict[str, object]") -> str:
    """Render the predictions of both models for an image on which they disagree."""
    candidate, deployed = (
        format_percent(float(str(row[key]))) for key in ("candidate", "deployed")
    )
    return (
        f'<p class="file"><strong>{escape(str(row["kind"]).capitalize())}</strong><br>'
        f"{escape(str(row['image_id']))}, {escape(name_class(str(row['label'])))}<br>"
        f"Probability of melanoma: candidate {candidate}, deployed {deployed}</p>"
    )


def _format_p_value(p_value: float) -> str:
    return f"{p_value:.3f}" if p_value >= 0.001 else "<0.001"


def _format_auc_difference(difference: "Figure") -> str:
    return f"{difference.value:+.3f} (95% CI {difference.low:+.3f} to {difference.high:+.3f})"


def render_facts(card: "ModelCard") -> str:
    """Render the identity, intended use and licences of a model."""
    facts = {
        "Model": card.model_id,
        "Created": f"{card.created_at[:16].replace('T', ' ')} UTC",
        "Intended use": card.intended_use,
        "Licence": card.data.get("licence_of_the_model"),
        "Data licences": "; ".join(card.data.get("licences", ())),
        "Data SHA-256": card.data.get("sha256"),
    }
    rows = "".join(
        f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items() if value
    )
    return f'<dl class="facts">{rows}</dl>'


def render_operating_point(card: "ModelCard") -> str:
    """Render the thresholds of both alerts, how they were chosen, and their performance."""
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in describe_alerts(card))


def render_answers(table: "Table") -> str:
    """Render the answers to a reporting guide as a table whose cells wrap."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.head)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows
    )
    return f'<table class="answers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
