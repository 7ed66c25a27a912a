"""The formats of tables that give the diagnosis of images, each a small description.

Columns as published: HAM10000 (Tschandl et al. 2018, doi:10.1038/sdata.2018.161); ISIC 2016 to 2020
and 2024 (Codella et al. 2018, arXiv:1710.05006; Codella et al. 2019, arXiv:1902.03368; Rotemberg et
al. 2021, doi:10.1038/s41597-021-00815-z; Kurtansky et al. 2024, doi:10.1038/s41597-024-03743-w);
BCN20000 (Hernández-Pérez et al. 2024, doi:10.1038/s41597-024-03387-w); MILK10k (Tschandl et al.
2025); PAD-UFES-20 (Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221); Derm7pt (Kawahara et al.
2019, doi:10.1109/JBHI.2018.2824327); DDI (Daneshjou et al. 2022, doi:10.1126/sciadv.abq6147);
Fitzpatrick17k (Groh et al. 2021, arXiv:2104.09957); PH2 (Mendonça et al. 2013,
doi:10.1109/EMBC.2013.6610779).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from melanoma_core.data.identities import is_placeholder
from melanoma_core.data.table_files import TableFile
from melanoma_core.taxonomy import Confirmation, Diagnosis, parse_diagnosis

# The names that tables use for the image.
IMAGE_COLUMNS = (
    *("image_id", "image", "image_name", "isic_id", "img_id", "bcn_filename", "ddi_file"),
    *("md5hash", "filename", "file_name", "image_path"),
)
# Columns that only the output of a model has.
_ANSWER_COLUMNS = frozenset(
    {
        *("probability", "prob", "score", "confidence", "logit", "softmax"),
        *("prediction", "predicted", "pred", "predicted_label", "predicted_class", "y_pred"),
    }
)
# Classes of one-hot tables that are none of the eight diagnoses.
_OTHER_CLASSES = frozenset({"akiec", "unk", "ben_oth", "inf", "mal_oth", "sccka"})
_ROWS_TO_LOOK_AT = 200


class Labels(Protocol):
    """How a table writes the diagnosis."""

    def find_columns(self, table: TableFile) -> tuple[str, ...]:
        """Return the columns with the diagnosis, empty if the table writes it in another way."""
        ...

    def read(self, cells: pd.DataFrame, table: TableFile) -> pd.Series:
        """Return the label of each row as the table writes it, missing if there is none."""
        ...

    def describe(self) -> str:
        """Return what a table needs, for messages."""
        ...


@dataclass(frozen=True)
class Words:
    """Columns of words, from the finest level to the coarsest.

    The label is the finest level that names one of the eight diagnoses, else the finest that says
    anything.

    Attributes:
        columns: The columns.
        tier: Column of the risk tier, for rows whose diagnosis is not known.
    """

    columns: tuple[str, ...]
    tier: str = ""

    def find_columns(self, table: TableFile) -> tuple[str, ...]:
        """Return those columns that the table has."""
        return tuple(name for name in (*self.columns, self.tier) if name in table.columns)

    def read(self, cells: pd.DataFrame, table: TableFile) -> pd.Series:
        """Return the finest word that is understood, else the finest that says anything."""
        levels = cells[list(self.find_columns(table))].astype(object)
        is_known = levels.map(lambda name: isinstance(name, str) and bool(parse_diagnosis(name)))
        known, said, written = (
            names.bfill(axis=1).iloc[:, 0]
            for names in (levels.where(is_known), levels.mask(levels.map(is_placeholder)), levels)
        )
        return known.fillna(said).fillna(written)

    def describe(self) -> str:
        """Return the coarsest column."""
        return self.columns[-1]


@dataclass(frozen=True)
class Codes:
    """A column of numbers for diagnoses."""

    column: str
    names: Mapping[str, str]

    def find_columns(self, table: TableFile) -> tuple[str, ...]:
        """Return the column if the table has it."""
        return (self.column,) if self.column in table.columns else ()

    def read(self, cells: pd.DataFrame, table: TableFile) -> pd.Series:
        """Return the diagnosis of each code, or the code if it is not known."""
        codes = cells[self.find_columns(table)[0]]
        return codes.map(self.names).fillna(codes)

    def describe(self) -> str:
        """Return the column."""
        return self.column


@dataclass(frozen=True)
class Marks:
    """A column per class, of which each row must mark exactly one.

    Attributes:
        otherwise: What a row without a mark means, for a table that has the columns `only`.
        only: The classes of a table in which a row without a mark has a meaning.
    """

    otherwise: str | None = None
    only: frozenset[str] = frozenset()

    def find_columns(self, table: TableFile) -> tuple[str, ...]:
        """Return the columns that are named like a class, at least two."""
        found = tuple(name for name in table.header if _is_class(name))
        if len(found) < 2 or (self.only and set(found) != self.only):
            return ()
        return found

    def read(self, cells: pd.DataFrame, table: TableFile) -> pd.Series:
        """Return the marked class, missing if a row does not mark exactly one."""
        columns = list(self.find_columns(table))
        numbers = _read_numbers(cells, columns)
        is_mark = numbers == 1
        is_valid = (is_mark | (numbers == 0)).all(axis=1)
        names = is_mark.idxmax(axis=1).map(table.header).astype(object)
        if self.otherwise:
            names = names.mask(~is_mark.any(axis=1), self.otherwise)
        num_marks = is_mark.sum(axis=1)
        allowed = (num_marks == 1) | ((num_marks == 0) & bool(self.otherwise))
        return names.where(is_valid & allowed, None)

    def describe(self) -> str:
        """Return the classes, if they are always the same."""
        return ", ".join(sorted(self.only)) or "a column of 0 and 1 per class"

    def has_fractions(self, table: TableFile) -> bool:
        """Return whether the first rows hold shares of classes, as the output of a model does."""
        columns = list(self.find_columns(table))
        numbers = _read_numbers(table.read(columns, _ROWS_TO_LOOK_AT), columns)
        return bool((numbers.notna() & ~numbers.isin([0, 1])).any(axis=None))


@dataclass(frozen=True)
class TableFormat:
    """A format of tables that give the diagnosis of images.

    Attributes:
        columns: Columns that identify the format, besides those of the labels.
        labels: How the diagnosis is written.
        images: Columns that name an image, each with the type of these images if it is fixed.
            Empty for the usual names, of which there must be one (`IMAGE_COLUMNS`).
        by_lesion: Whether a row is about a lesion, whose images another table names.
        unique_ids: Whether image ids are unique among all collections.
        licence: Prefix of the lesion ids of published images, and the licence of these. Images
            with other ids have only that which the table names.
        image_type: How all images were taken, if there is only one way.
        confirmation: How all diagnoses are known, if there is only one way.
    """

    columns: frozenset[str]
    labels: Labels
    images: tuple[tuple[str, str | None], ...] = ()
    by_lesion: bool = False
    unique_ids: bool = True
    licence: tuple[str, str] | None = None
    image_type: str | None = None
    confirmation: Confirmation | None = None

    def fits(self, table: TableFile) -> bool:
        """Return whether a table has this format."""
        names_images = self.by_lesion or bool(
            table.columns.intersection([name for name, _ in self.images] or IMAGE_COLUMNS)
        )
        return (
            names_images and self.columns <= table.columns and bool(self.labels.find_columns(table))
        )

    def describe(self) -> str:
        """Return the columns that a table needs, for messages."""
        image = [] if self.columns else ["image_id"]
        return ", ".join(sorted([*self.columns, *image, self.labels.describe()]))


def holds_answers(table: TableFile, table_format: TableFormat) -> bool:
    """Return whether a table holds the answers of a model instead of labels."""
    if table.columns & _ANSWER_COLUMNS:
        return True
    labels = table_format.labels
    return isinstance(labels, Marks) and labels.has_fractions(table)


def _is_class(name: str) -> bool:
    # The ISIC Archive has the columns `mel_type` and `nevus_type`.
    is_named = not name.endswith("type") and parse_diagnosis(name) is not None
    return is_named or name in _OTHER_CLASSES


def _read_numbers(cells: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    texts = cells[columns].astype(object)
    truths = texts.map(lambda text: {"true": "1", "false": "0"}.get(str(text).lower(), text))
    return pd.DataFrame(
        {name: pd.to_numeric(truths[name], errors="coerce") for name in columns}, cells.index
    )


DERMOSCOPIC, CLOSE_UP = "dermoscopic", "clinical: close-up"  # as the ISIC Archive writes them
_ARCHIVE_LEVELS = (
    *(f"diagnosis_{level}" for level in (5, 4, 3, 2, 1)),
    *(f"iddx_{level}" for level in (5, 4, 3, 2, 1)),
    *("diagnosis_full", "iddx_full", "diagnosis"),
)
_ISIC_2018_CLASSES = frozenset({"mel", "nv", "bcc", "akiec", "bkl", "df", "vasc"})
_ISIC_2019_CLASSES = frozenset(diagnosis.value.lower() for diagnosis in Diagnosis)
_ISIC_2017_CLASSES = frozenset({"melanoma", "seborrheic_keratosis"})

HAM10000 = TableFormat(
    frozenset({"lesion_id", "image_id"}),
    Words(("dx",)),
    licence=("HAM_", "CC BY-NC 4.0"),
    image_type=DERMOSCOPIC,
)
ISIC_2019 = TableFormat(frozenset({"image", *_ISIC_2019_CLASSES}), Marks())
MILK10K = TableFormat(
    frozenset({"lesion_id", "akiec", "ben_oth", "mal_oth", "sccka"}), Marks(), by_lesion=True
)
ISIC_2020 = TableFormat(
    frozenset({"image_name", "benign_malignant"}), Words(("diagnosis",), tier="benign_malignant")
)
ISIC_2018 = TableFormat(frozenset({"image", *_ISIC_2018_CLASSES}), Marks())
ISIC_2017 = TableFormat(frozenset({"image_id"}), Marks(otherwise="nevus", only=_ISIC_2017_CLASSES))
BCN20000 = TableFormat(frozenset({"bcn_filename"}), Words(("diagnosis",)), image_type=DERMOSCOPIC)
ISIC_ARCHIVE = TableFormat(frozenset({"isic_id"}), Words(_ARCHIVE_LEVELS, tier="benign_malignant"))
PAD_UFES_20 = TableFormat(frozenset({"img_id"}), Words(("diagnostic",)), image_type=CLOSE_UP)
DERM7PT = TableFormat(
    frozenset({"case_num", "derm", "clinic"}),
    Words(("diagnosis",)),
    images=(("derm", DERMOSCOPIC), ("clinic", CLOSE_UP)),
    unique_ids=False,
)
DDI = TableFormat(
    frozenset({"ddi_file"}),
    Words(("disease",)),
    unique_ids=False,
    image_type=CLOSE_UP,
    confirmation=Confirmation.HISTOPATHOLOGY,
)
FITZPATRICK17K = TableFormat(frozenset({"md5hash"}), Words(("label",)), image_type=CLOSE_UP)
PH2 = TableFormat(
    frozenset({"name", "histological_diagnosis"}),
    Codes("clinical_diagnosis", {"0": "common nevus", "1": "atypical nevus", "2": "melanoma"}),
    images=(("name", DERMOSCOPIC),),
)
PLAIN = TableFormat(frozenset(), Words(("dx", "diagnosis")), unique_ids=False)
ONE_HOT = TableFormat(frozenset(), Marks(), unique_ids=False)
