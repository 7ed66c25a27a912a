"""HTML of what is kept in the record of a lesion that was read. Text is escaped."""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the page is painted before NumPy is imported
    from pathlib import Path

    from melanoma_core.evaluation.prevalence import Prevalence
    from melanoma_core.reading.entry import Entry
    from melanoma_core.reading.grouping import Lesion


def render_record(folder: "Path", *, is_drawn: bool) -> str:
    """Render in which record a lesion is kept."""
    name = "Demonstration record" if is_drawn else "Record"
    return f'<p class="fact">{name} in <code>{escape(str(folder))}</code></p>'


def render_kept(lesion: "Lesion", prevalence: "Prevalence | None") -> str:
    """Render what is kept of a lesion, and what is not.

    Args:
        lesion: Of the list.
        prevalence: Prevalence in force; None if none is set.
    """
    photographs = "".join(f"<li>{_describe(entry)}</li>" for entry in lesion.entries)
    model = escape(lesion.entries[0].card.model_id)
    in_force = "the prevalence in force" if prevalence else "no prevalence, since none is set"
    return (
        f'<section class="kept"><p><strong>What is kept</strong></p><ul>{photographs}'
        f"<li>The AI reading as it was read: model {model}, version of the software, thresholds, "
        f"{in_force}, probabilities, alerts, findings, and a heatmap of each photograph. It is "
        "not computed again.</li>"
        "<li>The outline that the network has drawn, where it is plausible.</li>"
        "<li>Your name and the time, as the writer.</li></ul>"
        "<p>Not kept: names of files, EXIF, and notes of a report.</p></section>"
    )


def _describe(entry: "Entry") -> str:
    """Return what is kept of a photograph."""
    width, height = entry.kept_size
    crop = ", the part that was read" if entry.reading.crop else ""
    reduction = f" {entry.reduction}" if entry.reduction else ""
    return (
        f"The photograph {escape(entry.name)}{crop}, as a JPEG of {width:,} × {height:,} pixels."
        f"{escape(reduction)}"
    )
