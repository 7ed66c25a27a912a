"""A small dataset of drawn lesions with the defects of real datasets, for demonstration."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from melanoma_core.data.drawn.lesions import JPEG_QUALITY, draw_lesion
from melanoma_core.taxonomy import Diagnosis

_WIDTH, _HEIGHT = 180, 135  # px
_LESION_TABLE = "lesions.csv"
_COMMENT = "Drawn by a program, not a photograph of anyone."

# Number of views of each lesion. The last lesion of each diagnosis is in the test subset.
_VIEWS = {
    Diagnosis.NV: (3, 2, 2, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 2, 2),
    Diagnosis.MEL: (2, 3, 1, 1, 2),
    Diagnosis.BKL: (2, 1, 2, 1, 1),
    Diagnosis.BCC: (2, 1, 1, 1),
    Diagnosis.AK: (1, 2, 1),
    Diagnosis.VASC: (2, 1),
    Diagnosis.SCC: (1, 2, 1),
    Diagnosis.DF: (1, 1, 1),
}
_SITES = ("head/neck", "upper extremity", "lower extremity", "anterior torso", "posterior torso")


@dataclass(frozen=True)
class _Drawing:
    """One image to draw: a view of one lesion."""

    diagnosis: Diagnosis
    seed: int
    view: int
    subset: str

    @property
    def lesion_id(self) -> str:
        return f"DRAWN_{self.diagnosis}_{self.seed:02d}"

    @property
    def folder(self) -> str:
        return f"{self.subset}/{self.diagnosis.title}"


def write_demonstration_dataset(folder: Path) -> Path:
    """Draw the demonstration dataset into `folder`, unless the folder exists.

    It has 60 images of the eight diagnoses, with realistic class imbalance, in class folders below
    Train and Test. A table gives lesions and invented ages, sexes and anatomical sites. Five
    defects are planted for the audit to find: two exact copies with conflicting labels, a near
    copy at a smaller size, a lesion in both Train and Test, and a truncated file.

    Returns:
        `folder`. It appears complete or not at all, even if several processes draw it at once.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".drawing-") as scratch:
        drawn = Path(scratch) / folder.name
        _write_drawings(drawn)
        _plant_defects(drawn)
        try:
            drawn.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process has just written it
                raise
    return folder


def _list_drawings() -> Iterator[_Drawing]:
    for diagnosis, views_of_lesions in _VIEWS.items():
        for seed, num_views in enumerate(views_of_lesions):
            is_last = seed == len(views_of_lesions) - 1
            for view in range(num_views):
                # The planted leakage: one view of the first melanoma is in the test subset.
                leaks = diagnosis is Diagnosis.MEL and seed == 0 and view == 1
                subset = "Test" if is_last or leaks else "Train"
                yield _Drawing(diagnosis, seed, view, subset)


def _write_drawings(folder: Path) -> None:
    rows = []
    for number, drawing in enumerate(_list_drawings(), start=1):
        path = folder / drawing.folder / f"drawn-{number:03d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = draw_lesion(drawing.diagnosis, drawing.seed, _WIDTH, _HEIGHT, drawing.view)
        Image.fromarray(pixels).save(path, quality=JPEG_QUALITY, comment=_COMMENT)
        rows.append({"image": path.stem, "lesion_id": drawing.lesion_id, **_draw_person(drawing)})
    pd.DataFrame(rows).to_csv(folder / _LESION_TABLE, index=False)


def _draw_person(drawing: _Drawing) -> dict[str, object]:
    """Invent the patient of a lesion, equal for all its views; one in eight is unknown."""
    rng = np.random.default_rng([list(Diagnosis).index(drawing.diagnosis), drawing.seed])
    age, sex, site = rng.integers(4, 17) * 5, rng.integers(2), rng.integers(len(_SITES))
    if rng.random() < 1 / 8:
        return {"age_approx": None, "sex": None, "anatom_site_general": None}
    return {
        "age_approx": age,
        "sex": ("female", "male")[sex],
        "anatom_site_general": _SITES[site],
    }


def _plant_defects(folder: Path) -> None:
    def first(diagnosis: Diagnosis) -> Path:
        return min((folder / "Train" / diagnosis.title).iterdir())

    def beside(diagnosis: Diagnosis, number: int) -> Path:
        return folder / "Train" / diagnosis.title / f"drawn-{number:03d}.jpg"

    shutil.copyfile(first(Diagnosis.MEL), beside(Diagnosis.BKL, 901))
    shutil.copyfile(first(Diagnosis.AK), beside(Diagnosis.NV, 902))
    with Image.open(first(Diagnosis.NV)) as image:
        smaller = image.resize((_WIDTH * 8 // 9, _HEIGHT * 8 // 9))
        smaller.save(beside(Diagnosis.NV, 903), quality=85, comment=_COMMENT)
    whole = first(Diagnosis.VASC).read_bytes()
    beside(Diagnosis.VASC, 904).write_bytes(whole[: len(whole) // 2])
