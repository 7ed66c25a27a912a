"""What the README of a dataset that was made from a record says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from melanoma_core.data.findings import count_of


@dataclass(frozen=True)
class DatasetResult:
    """What a dataset holds, and what was left out.

    Attributes:
        folder: The dataset's folder.
        source: Name of its source.
        is_drawn: Whether a program has drawn its photographs.
        key_name: Name of the key that has hashed the ids.
        left_out: Number of photographs by why they were left out.
        num_photographs: Number of photographs.
        num_lesions: Number of lesions.
        num_patients: Number of patients.
        by_label: Number of lesions by diagnosis or risk tier.
        by_confirmation: Number of lesions by how the diagnosis was confirmed.
    """

    folder: Path
    source: str
    is_drawn: bool
    key_name: str
    left_out: dict[str, int]
    num_photographs: int = 0
    num_lesions: int = 0
    num_patients: int = 0
    by_label: dict[str, int] = field(default_factory=dict)
    by_confirmation: dict[str, int] = field(default_factory=dict)


def count_dataset(result: DatasetResult) -> str:
    """Return how much is in a dataset, in words.

    >>> count_dataset(DatasetResult(Path("d"), "s", False, "k", {}, 3, 2, 1))
    '3 photographs of 2 lesions of 1 patient'
    """
    counts = (
        count_of(result.num_photographs, "photograph"),
        count_of(result.num_lesions, "lesion"),
        count_of(result.num_patients, "patient"),
    )
    return " of ".join(counts)


def describe_dataset(result: DatasetResult) -> str:
    """Return the README of a dataset, as Markdown.

    Args:
        result: What the dataset holds.
    """
    drawn = (
        "**A program has drawn these photographs, and every person and report is invented. A model "
        "that is trained on them knows drawings, not skin.**\n\n"
        if result.is_drawn
        else ""
    )
    return _README.format(
        drawn=drawn,
        source=result.source,
        key_name=result.key_name,
        counts=count_dataset(result),
        labels=_tabulate(("diagnosis", "lesions"), result.by_label),
        confirmations=_tabulate(("confirmed by", "lesions"), result.by_confirmation),
        left_out=_tabulate(("left out because", "photographs"), result.left_out),
    )


def _tabulate(head: tuple[str, str], counts: Mapping[str, int]) -> str:
    rows = [f"| {name} | {count:,} |" for name, count in sorted(counts.items())]
    return "\n".join((f"| {head[0]} | {head[1]} |", "| --- | ---: |", *rows))


_README = """# Confirmed lesions of a clinic's record

{drawn}{counts}. Source: `{source}`.

{labels}

{confirmations}

{left_out}

A diagnosis counts if histology gave it, of a specimen that was taken on the day of the photograph
or up to 12 months later. Where follow-up is listed above, a lesion also counts as benign that was
decided on again at least 18 months later, and on which no one has acted since. A diagnosis that is
none of the eight of the network is given as its risk tier.

## What is not in it

Pseudonyms, dates, years of birth, devices and free texts are left out. Ages are rounded to 5 years,
at most 85. Ids of lesions and patients are hashes under the key `{key_name}` of this installation
(HMAC-SHA-256). The photographs hold no EXIF. What their pixels show stays, such as a name that was
burnt into them or a tattoo: look at them before the folder goes to others.

## Audit it, train on it

```bash
melanoma dataset audit FOLDER
melanoma train FOLDER
```

Lay the inner folder beside other collections to train on all of them. Keep its name: ids mean the
same only under it. A split divides no patient.

## What training on it means for the Audit

A model that was trained on these lesions knows their answers. Its figures on them, and on other
lesions of the same patients, are then too good.

- `melanoma evaluate` leaves them out by itself. It finds them by the SHA-256 of the file, which is
  that of the photograph in the record, and by the hashed ids of lesion and patient.
- The Audit of the record leaves them out by itself, as long as the model's folder is kept. It says
  how many there are. Readings of earlier models stay valid.
- Confirmed lesions are no sample of the clinic. Most were removed because they looked suspicious.
  Harmless ones, which stay on the skin, are rare here (verification bias).
"""
