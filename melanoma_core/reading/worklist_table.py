"""A worklist as a table for a spreadsheet."""

from typing import TYPE_CHECKING

from melanoma_core.reading.worklist import Worklist
from melanoma_core.spreadsheets import format_rows

if TYPE_CHECKING:
    from melanoma_core.data.crop import Crop
    from melanoma_core.evaluation.prevalence import Prevalence


def export_csv(worklist: Worklist, prevalence: "Prevalence | None" = None) -> bytes:
    """Return a worklist as CSV with one row per file, also of files refused together.

    The columns have the names of `predict --json`, for the diagnoses of all models that read. The
    photographs of a lesion follow each other, with the reading of all of them in columns that
    begin with `lesion_`. The column `crop` says which part was read, if it was not the whole.

    Args:
        worklist: The worklist.
        prevalence: Of the clinic; None for no adapted probabilities.
    """
    # Imported here, so that a page appears before NumPy is imported.
    from melanoma_core.reading.rows import describe_lesion_columns, describe_photograph, flatten_row

    rows = [
        describe_photograph(entry.name, entry.reading, entry.card, prevalence)
        | _describe_crop(entry.reading.crop)
        | (describe_lesion_columns(lesion.name, lesion.reading) if len(lesion.entries) > 1 else {})
        for lesion in worklist.lesions
        for entry in lesion.entries
    ]
    rows += [
        describe_photograph(name, file.refusal, None) | _describe_crop(file.crop)
        for file in worklist.refused
        for name in file.names or (file.name,)
    ]
    return format_rows([flatten_row(row) for row in rows])


def _describe_crop(crop: "Crop | None") -> dict[str, str]:
    """Return from where to where, in percent of width and of height; nothing without a crop."""
    if crop is None:
        return {}
    return {"crop": f"{crop.left:.1%}-{crop.right:.1%} × {crop.top:.1%}-{crop.bottom:.1%}"}
