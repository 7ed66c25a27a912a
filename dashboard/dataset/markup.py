"""Files and findings as HTML: data in, text out, no st call. Every text from outside is escaped."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.shared.markup import name_diagnosis
from melanoma_core.taxonomy import Diagnosis

if TYPE_CHECKING:  # for the names alone: a page is painted before pandas is there
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from melanoma_core.data.archive.search import Failure
    from melanoma_core.data.audit import Audit
    from melanoma_core.data.balancing import Leakage
    from melanoma_core.data.findings import Finding

FINDING_TITLES = {
    "unreadable": "Unreadable files",
    "unknown-labels": "Labels that are none of the eight",
    "exact-duplicates": "Byte-identical files",
    "pixel-duplicates": "Pixel-identical files",
    "near-duplicates": "Near copies",
    "label-conflicts": "Contradictory labels",
    "train-test-duplicates": "Copies in Train and Test",
    "shared-lesions": "Lesions in Train and Test",
    "single-source": "Classes told by their source",
}
_SEVERITY_SYMBOLS = {"high": "■■■", "medium": "■■□", "low": "■□□"}
_UNKNOWN = "unknown"
_FACTS = {
    "image_id": "Image",
    "name": "Label as written",
    "label": "Diagnosis",
    "truth": "ISIC 2019 ground truth",
    "subset": "Subset",
    "lesion_id": "Lesion",
    "patient_id": "Patient",
    "source": "Collection",
    "age": "Age, years",
    "sex": "Sex",
    "site": "Site",
    "licence": "Licence",
    "width": "Width, px",
    "height": "Height, px",
    "brightness": "Brightness, 0 to 1",
    "contrast": "Contrast, 0 to 0.5",
    "sharpness": "Sharpness",
    "sha256": "SHA-256 of the bytes",
    "dhash": "Difference hash",
    "error": "Not read, since",
}


def render_verdict(audit: "Audit") -> str:
    """Render the audit's verdict, and how many findings there are."""
    return (
        '<section class="banner verdict-of-audit" role="status">'
        f'<div><p class="verdict">{escape(audit.verdict)}</p>'
        f"<p>Findings: {len(audit.findings)}, the worst first.</p></div></section>"
    )


def render_finding(finding: "Finding") -> str:
    """Render one finding: what it is, and its verdict on labels and scores."""
    verdicts = (
        ("Changes labels", finding.changes_labels),
        ("Inflates a score", finding.inflates_scores),
    )
    told = "".join(
        f"<li>{name}: <strong>{'yes' if holds else 'no'}</strong></li>" for name, holds in verdicts
    )
    return (
        f'<section class="finding {finding.severity}"><h3>'
        f'<span aria-hidden="true">{_SEVERITY_SYMBOLS[finding.severity]}</span> '
        f"{FINDING_TITLES[finding.kind]} <small>({finding.severity})</small></h3>"
        f"<p>{escape(finding.sentence)}</p>"
        f'<ul class="verdicts">{told}<li>Concerns <strong>{finding.num_images:,}</strong> '
        "images</li></ul></section>"
    )


def render_file(row: "Mapping[Any, Any]") -> str:
    """Render a file in short: its label, as a shape and words, its subset and its name."""
    return (
        f'<p class="name file"><strong>{escape(name_label(row))}</strong>, '
        f"{escape(_tell(row['subset']) or 'no subset')}<br>"
        f"{escape(Path(row['path']).name)}</p>"
    )


def render_file_facts(row: "Mapping[Any, Any]", findings: "Iterable[str]") -> str:
    """Render all that is known of a file, unknown as unknown.

    Args:
        row: Of the file table, with what the cleaned table says of it: `action`, `label_used`
            and `reason`.
        findings: Titles of those that concern it.
    """
    facts = {"File": row["path"]} | {title: row.get(key) for key, title in _FACTS.items()}
    used = _tell(row.get("label_used"))
    facts["In the cleaned table"] = " ".join(
        part for part in (_tell(row["action"]), f"as {used}" if used else "") if part
    )
    facts["Why"] = row.get("reason")
    facts["Findings"] = ", ".join(findings) or "none"
    rows = "".join(
        f"<dt>{name}</dt><dd>{escape(_tell(value) or _UNKNOWN)}</dd>"
        for name, value in facts.items()
        if _tell(value) or name not in {"Not read, since", "Why"}
    )
    return f'<dl class="facts">{rows}</dl>'


def render_leakage(leakage: "Leakage") -> str:
    """Render what oversampling before the split does, in natural frequencies."""
    return (
        '<section class="banner"><div><p class="verdict">'
        f"{leakage.num_parent_in_train:,} of {leakage.num_validation:,} validation images are "
        "changed copies of a photograph that the network is trained on.</p>"
        f"<p>Drawn after oversampling, the validation subset would hold {leakage.num_synthetic:,} "
        f"new images, and {leakage.num_relative_in_train:,} of its images would have a parent, a "
        "child or a sibling in train. A score on them measures memory. Here the new images are "
        "made after the split, of the train subset alone: 0.</p></div></section>"
    )


def render_failures(failures: "Iterable[Failure]") -> str:
    """Render the photographs that did not come, each with its reason."""
    rows = "".join(
        f"<li><strong>{escape(failure.isic_id or 'Without an id')}</strong>: "
        f"{escape(failure.reason)}</li>"
        for failure in failures
    )
    return f'<section class="refused" role="alert"><ul>{rows}</ul></section>'


def name_label(row: "Mapping[Any, Any] | pd.Series[Any]") -> str:
    """Return a file's diagnosis with its tier's shape, else its label as written."""
    label = _tell(row["label"])
    return name_diagnosis(Diagnosis(label)) if label else _tell(row["name"]) or "no label"


def _tell(value: Any) -> str:
    """Return a cell of a table as text, empty where it is missing."""
    # NaN and pandas' NA are not equal to themselves, each in its own way.
    if value is None or value != value or str(value) == "<NA>":  # noqa: PLR0124
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
