"""HTML of the Dataset page: data in, text out, no Streamlit call. All outside text is escaped."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.shared.markup import name_diagnosis
from melanoma_core.names import neutralise
from melanoma_core.taxonomy import Diagnosis, read_label

if TYPE_CHECKING:  # the page is painted before pandas is imported
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from melanoma_core.data.archive.search import Failure
    from melanoma_core.data.audit import Audit
    from melanoma_core.data.balancing import OversamplingLeakage
    from melanoma_core.data.findings import Finding

FINDING_TITLES = {
    "unreadable": "Unreadable files",
    "unknown-labels": "Labels outside the eight diagnoses",
    "tier-labels": "Labels of a risk tier alone",
    "not-looked-at": "Files that are not looked at",
    "barred-links": "Links out of the data directory",
    "missing-files": "Images without a file",
    "contradicted-folders": "Tables that contradict folders",
    "relabelled": "Diagnoses from the ground truth",
    "different-pictures": "Different pictures of one image id",
    "mixed-image-types": "Photographs with and without a dermoscope",
    "unknown-facts": "Confirmations and skin types that are not understood",
    "left-out": "Files left out",
    "lost-classes": "Diagnoses or subsets without a file",
    "exact-duplicates": "Exact copies",
    "pixel-duplicates": "Pixel-identical copies",
    "near-duplicates": "Near copies",
    "label-conflicts": "Label conflicts",
    "train-test-duplicates": "Copies in Train and Test",
    "shared-lesions": "Lesions in Train and Test",
    "shared-patients": "Patients in Train and Test",
    "repeated-ids": "Ids in several collections",
    "single-source": "Classes from a single source",
}
_SEVERITY_SYMBOLS = {"high": "■■■", "medium": "■■□", "low": "■□□"}
_UNKNOWN = "unknown"
_FACTS = {
    "image_id": "Image ID",
    "name": "Original label",
    "label": "Diagnosis",
    "truth": "ISIC 2019 ground truth",
    "subset": "Subset",
    "lesion_id": "Lesion ID",
    "patient_id": "Patient ID",
    "source": "Source",
    "age": "Age (years)",
    "sex": "Sex",
    "site": "Anatomical site",
    "confirmation": "Diagnosis confirmed by",
    "fitzpatrick": "Fitzpatrick skin type",
    "ita": "Typology angle of the skin (°, estimated)",
    "licence": "Licence",
    "width": "Width (px)",
    "height": "Height (px)",
    "brightness": "Brightness (0 to 1)",
    "contrast": "Contrast (0 to 0.5)",
    "sharpness": "Sharpness",
    "sha256": "SHA-256",
    "dhash": "Difference hash",
    "error": "Read error",
}
_OPTIONAL_FACTS = {"Read error", "Reason"}  # left out where unknown


def render_verdict(audit: "Audit") -> str:
    """Render the verdict of the audit and the number of its findings."""
    num_findings = len(audit.findings)
    return (
        '<section class="banner verdict-of-audit" role="status">'
        f'<div><p class="verdict">{escape(audit.verdict)}</p>'
        f"<p>{escape(audit.describe_people())} {escape(audit.describe_confirmations())} "
        f"{num_findings} finding{'' if num_findings == 1 else 's'}, most severe first.</p>"
        "</div></section>"
    )


def render_finding(finding: "Finding") -> str:
    """Render one finding with its effect on labels and metrics."""
    effects = {
        "Affects labels": "yes" if finding.changes_labels else "no",
        "Inflates metrics": "yes" if finding.inflates_scores else "no",
        "Images affected": f"{finding.num_images:,}",
    }
    items = "".join(f"<li>{name}: <strong>{value}</strong></li>" for name, value in effects.items())
    return (
        f'<section class="finding {finding.severity}"><h2>'
        f'<span aria-hidden="true">{_SEVERITY_SYMBOLS[finding.severity]}</span> '
        f"{FINDING_TITLES[finding.kind]} <small>({finding.severity} severity)</small></h2>"
        f"<p>{escape(neutralise(finding.sentence))}</p>"
        f'<ul class="verdicts">{items}</ul></section>'
    )


def render_file(row: "Mapping[Any, Any]") -> str:
    """Render the label, subset and name of a file."""
    return (
        f'<p class="name file"><strong>{escape(name_label(row))}</strong>, '
        f"{escape(_format_cell(row['subset']) or 'no subset')}<br>"
        f"{escape(neutralise(Path(row['path']).name))}</p>"
    )


def render_file_facts(row: "Mapping[Any, Any]", findings: "Iterable[str]") -> str:
    """Render all details of a file, missing ones as "unknown".

    Args:
        row: Of the file table, with `action`, `label_used` and `reason` of the cleaned table.
        findings: Titles of the findings that affect the file.
    """
    facts = {"File": row["path"]} | {title: row.get(key) for key, title in _FACTS.items()}
    label = _format_cell(row.get("label_used"))
    action = _format_cell(row["action"])
    facts["In the cleaned table"] = f"{action} as {label}" if label else action
    facts["Reason"] = row.get("reason")
    facts["Findings"] = ", ".join(findings) or "none"
    rows = "".join(
        f"<dt>{name}</dt><dd>{escape(neutralise(_format_cell(value)) or _UNKNOWN)}</dd>"
        for name, value in facts.items()
        if _format_cell(value) or name not in _OPTIONAL_FACTS
    )
    return f'<dl class="facts">{rows}</dl>'


def render_table(counts: "pd.DataFrame", first: str = "Diagnosis") -> str:
    """Render a small table of numbers, which wraps where a page is narrow.

    Args:
        counts: Whole or decimal numbers. Index: `taxonomy.Label`, or names where `first` is
            another heading.
        first: Heading of the index.
    """
    heads = "".join(f'<th scope="col">{escape(str(each))}</th>' for each in counts.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(_name_row(index, first))}</th>'
        f"{''.join(f'<td>{_format_number(value)}</td>' for value in row)}</tr>"
        for index, *row in counts.itertuples(name=None)
    )
    return (
        f'<table class="numbers"><thead><tr><th scope="col">{escape(first)}</th>{heads}</tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def render_constants(charts: "Iterable[tuple[str, pd.DataFrame]]") -> str:
    """Render what is the same in all files, which would be a chart with a single bar.

    Args:
        charts: Title and counts, with the columns `value` and `files`; at most one row each.
    """
    items = "".join(
        f"<li>{escape(title)}: <strong>{escape(neutralise(str(row.value)))}</strong></li>"
        for title, counts in charts
        for row in counts.itertuples()
    )
    return f'<p>The same in all files:</p><ul class="constants">{items}</ul>' if items else ""


def render_leakage(leakage: "OversamplingLeakage") -> str:
    """Render the leakage that oversampling before the split causes, in natural frequencies."""
    return (
        '<section class="banner"><div><p class="verdict">'
        f"{leakage.num_parent_in_train:,} of {leakage.num_validation:,} validation images are "
        "augmented copies of an image in train.</p>"
        f"<p>Drawn after oversampling, the validation subset would hold {leakage.num_synthetic:,} "
        f"synthetic images, and {leakage.num_relative_in_train:,} of its images would have a "
        "parent, child or sibling in train. A metric on them measures memorisation. Here, "
        "synthetic images are made after the split, from the train subset only: 0 such images."
        "</p></div></section>"
    )


def render_failures(failures: "Iterable[Failure]") -> str:
    """Render the images that could not be downloaded, each with the reason."""
    rows = "".join(
        f"<li><strong>{escape(failure.isic_id or 'No ISIC ID')}</strong>: "
        f"{escape(failure.reason)}</li>"
        for failure in failures
    )
    return f'<section class="refused" role="alert"><ul>{rows}</ul></section>'


def name_label(row: "Mapping[Any, Any] | pd.Series[Any]") -> str:
    """Return a file's diagnosis with the shape of its tier, or else its original label."""
    label = _format_cell(row["label"])
    return name_diagnosis(Diagnosis(label)) if label else _format_cell(row["name"]) or "no label"


def _name_row(index: Any, first: str) -> str:
    return name_diagnosis(read_label(index)) if first == "Diagnosis" else str(index)


def _format_number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"


def _format_cell(value: Any) -> str:
    """Return a cell of a table as text, empty if it is missing."""
    # NaN and pandas' NA are not equal to themselves, each in its own way.
    if value is None or value != value or str(value) == "<NA>":  # noqa: PLR0124
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
