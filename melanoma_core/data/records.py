"""Read a collection into one table: a row per image file, with its label and facts.

Labels come from the tables of the collection and from the names of its folders. Tables are joined.
Two tables that contradict each other are refused. Where a folder contradicts a table, the file has
no label, unless a ground truth settles it.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from melanoma_core.data.folders import list_images, list_tables, parse_subset, walk_folders
from melanoma_core.data.layouts import (
    Collection,
    LabelTable,
    find_label_tables,
    name_class,
)
from melanoma_core.data.matching import Match, match_files
from melanoma_core.data.table_files import TableFile, open_table
from melanoma_core.data.tables import (
    FACT_COLUMNS,
    JOINED_FACTS,
    extract_isic_id,
    has_facts,
    make_image_key,
    read_rows,
)
from melanoma_core.errors import DatasetError
from melanoma_core.taxonomy import parse_diagnosis

_RECORD_COLUMNS = (
    "image_id",
    "path",
    "name",
    "label",
    "contradiction",
    "subset",
    "lesion_id",
    "patient_id",
    "source",
    "age",
    "sex",
    "site",
    "confirmation",
    "fitzpatrick",
    "not_understood",
    "licence",
    "attribution",
    "image_type",
)


@dataclass(frozen=True, eq=False)
class Content:
    """What a collection contains.

    Attributes:
        records: `_RECORD_COLUMNS`, one row per image file. `name` is the label as the collection
            writes it, missing for a file that has none. `label` is its diagnosis, missing if it is
            not one of the eight. `contradiction` says which labels contradict each other.
            `image_type` says how the image was taken ("dermoscopic", "clinical: close-up").
            `confirmation` says how the diagnosis is known, `fitzpatrick` the skin type of the
            person, and `not_understood` which of their values in a table mean neither.
        tables: The tables that were read.
        missing: For each table with labels, the images that have no file.
    """

    records: pd.DataFrame
    tables: tuple[Path, ...]
    missing: dict[Path, tuple[str, ...]]


def read_records(collection: Collection) -> pd.DataFrame:
    """Read the images of a collection: the records of `read_collection`."""
    return read_collection(collection).records


def read_collection(collection: Collection) -> Content:
    """Read the images of a collection with their labels and facts.

    Args:
        collection: A collection with images.

    Raises:
        DatasetError: A table cannot be read, contradicts itself or another one, or names none of
            the images; or a folder cannot be listed.
    """
    folder = collection.folder
    files = _list_files(folder)
    paths = [path for inner in walk_folders(folder) for path in list_tables(inner)]
    labels = find_label_tables(paths)
    label_paths = {each.file.path for each in labels}
    facts = [
        table
        for path in paths
        if path not in label_paths and (table := open_table(path)) and has_facts(table)
    ]
    found = [_match_labels(each, files) for each in labels if not each.format.by_lesion]
    records = _join_facts(files, [*found, *(_match_facts(table, files) for table in facts)])
    found += [_match_lesions(each, records) for each in labels if each.format.by_lesion]
    records = _join_labels(records, found)
    if found and records["name"].isna().all():
        _refuse_foreign_tables(found, files)
    records = _choose_ids(records, found)
    records["source"] = folder.name
    return Content(
        records.reindex(columns=list(_RECORD_COLUMNS)),
        (*label_paths, *(table.path for table in facts)),
        {each.table.path: each.missing for each in found},
    )


def read_ground_truth(collection: Collection) -> pd.DataFrame:
    """Read an ISIC 2019 ground truth, with the metadata table in the same folder if there is one.

    Args:
        collection: A collection of the layout `GROUND_TRUTH`.

    Returns:
        Index `image_id`, unique, without the suffix "_downsampled" that ISIC 2019 appends to some
        ids. Columns `label` (Diagnosis, missing for UNK), `table` (the path of the table that has
        the label), `lesion_id` and `tables.JOINED_FACTS`.

    Raises:
        DatasetError: A row does not mark exactly one class, or two rows of an image contradict
            each other.
    """
    if not collection.tables:
        raise ValueError("A ground truth needs a table.")
    parts = []
    for each in collection.tables:
        rows = read_rows(each.file, each.format)
        rows.index = pd.Index(rows["image"].map(make_image_key), name="image_id")
        parts.append(rows.assign(table=str(each.file.path)))
    truth = pd.concat(parts)
    contradicting = truth.groupby(level=0)["name"].nunique() > 1
    if contradicting.any():
        names = " and ".join(each.file.path.name for each in collection.tables)
        raise DatasetError(
            f"Found {contradicting.sum()} images with contradicting labels in {names} in "
            f"{collection.folder} (the first is {contradicting.idxmax()}). Keep the correct table."
        )
    truth = truth[~truth.index.duplicated()]
    own = {each.file.path for each in collection.tables}
    for path in list_tables(collection.folder):
        table = open_table(path) if path not in own else None
        if table and has_facts(table):
            rows = read_rows(table)
            facts = rows.set_index(rows["image"].map(make_image_key))
            facts = facts[~facts.index.duplicated()]
            for column in ("lesion_id", *JOINED_FACTS):
                truth[column] = truth[column].fillna(truth.index.to_series().map(facts[column]))
    label = truth["name"].map(parse_diagnosis).astype(object)
    return truth.assign(label=label)[["label", "table", "lesion_id", *JOINED_FACTS]]


@dataclass(frozen=True, eq=False)
class _Found:
    """What a table says about the files of a collection.

    Attributes:
        table: The table.
        rows: Its row for each file, with missing values for a file that it does not name.
        missing: Images that it names and that have no file.
        has_unique_ids: Whether its ids are unique among all collections.
    """

    table: TableFile
    rows: pd.DataFrame
    missing: tuple[str, ...]
    has_unique_ids: bool = False


def _list_files(folder: Path) -> pd.DataFrame:
    rows = [
        (path, name_class(inner, folder), _read_subset(inner, folder))
        for inner in walk_folders(folder)
        for path in list_images(inner)
    ]
    files = pd.DataFrame(rows, columns=["path", "folder_name", "subset"], dtype=object)
    files["image_id"] = [
        # Else a path that is unique among the collections of a folder.
        extract_isic_id(path.name) or path.relative_to(folder.parent).as_posix()
        for path in files["path"]
    ]
    return files.astype(object)


def _read_subset(folder: Path, top: Path) -> str | None:
    """Return the subset given by the folder name, or by the closest parent folder below `top`."""
    names = reversed(folder.relative_to(top).parts)
    return next(filter(None, map(parse_subset, names)), None)


def _match_labels(each: LabelTable, files: pd.DataFrame) -> _Found:
    rows = read_rows(each.file, each.format)
    match = match_files(list(rows["image"]), list(files["path"]))
    if match.ambiguous:
        raise DatasetError(
            f"Found {len(match.ambiguous)} files with the same name as another file in "
            f"{each.file.path} (the first is {files['path'][match.ambiguous[0]]}). Names must be "
            "unique, or the table must name the folder. Rename the files, and adapt the table."
        )
    missing = tuple(rows["image"].iloc[list(match.missing)])
    return _Found(each.file, _take(rows, match), missing, each.format.unique_ids)


def _match_facts(table: TableFile, files: pd.DataFrame) -> _Found:
    rows = read_rows(table)
    return _Found(table, _take(rows, match_files(list(rows["image"]), list(files["path"]))), ())


def _match_lesions(each: LabelTable, records: pd.DataFrame) -> _Found:
    """Return the labels of lesions for the images of each."""
    rows = read_rows(each.file, each.format).set_index("image")
    names = records["lesion_id"].map(rows["name"]).astype(object)
    missing = tuple(lesion for lesion in rows.index if lesion not in set(records["lesion_id"]))
    return _Found(each.file, pd.DataFrame({"name": names}), missing, each.format.unique_ids)


def _take(rows: pd.DataFrame, match: Match) -> pd.DataFrame:
    positions = pd.Series(match.rows, dtype="Int64").fillna(-1).astype(int)
    return rows.reindex(positions).reset_index(drop=True)


def _join_facts(files: pd.DataFrame, found: list[_Found]) -> pd.DataFrame:
    """Add what the tables say about each file; the first table that knows a value counts."""
    records = files.assign(**{name: None for name in FACT_COLUMNS if name not in files})
    for each in found:
        for column in FACT_COLUMNS:
            values = each.rows[column].astype(object)
            if column == "subset":  # a table knows better than a folder, except for test
                values = values.mask(records["subset"] == "test", "test")
                records[column] = values.fillna(records[column])
            else:
                records[column] = records[column].fillna(values)
    return records.astype(dict.fromkeys(FACT_COLUMNS, object)).astype({"age": float})


def _join_labels(records: pd.DataFrame, found: list[_Found]) -> pd.DataFrame:
    """Add `name`, `label` and `contradiction`, of the tables and then of the folders."""
    names = pd.Series(None, records.index, dtype=object)
    origins = pd.Series(None, records.index, dtype=object)
    for each in found:
        new = each.rows["name"].astype(object)
        _check_agreement(records["path"], names, new, origins, each.table)
        is_better = new.notna() & (names.isna() | (_parse(names).isna() & _parse(new).notna()))
        names, origins = names.mask(is_better, new), origins.mask(is_better, each.table.path.name)
    folders = records["folder_name"].astype(object)
    of_table, of_folder = _parse(names), _parse(folders)
    contradicts = of_table.notna() & of_folder.notna() & (of_table != of_folder)
    words = [
        f'"{name}" in {origin} / "{folder}" by the folder' if contradicting else None
        for name, origin, folder, contradicting in zip(
            names, origins, folders, contradicts, strict=True
        )
    ]
    use_folder = of_table.isna() & (names.isna() | of_folder.notna())
    names = names.mask(use_folder, folders)
    return records.assign(
        name=names,
        label=_parse(names).mask(contradicts, None),
        contradiction=pd.Series(words, records.index, dtype=object),
    )


def _parse(names: pd.Series) -> pd.Series:
    labels = [parse_diagnosis(name) if isinstance(name, str) else None for name in names]
    return pd.Series(labels, names.index, dtype=object)


def _check_agreement(
    paths: pd.Series, names: pd.Series, new: pd.Series, origins: pd.Series, table: TableFile
) -> None:
    one, other = _parse(names), _parse(new)
    wrong = one.notna() & other.notna() & (one != other)
    if wrong.any():
        first = int(wrong.to_numpy().argmax())
        raise DatasetError(
            f"Found {wrong.sum()} images with another label in {table.path.name} than in "
            f'{origins.iloc[first]} (the first is {paths.iloc[first].name}: "{new.iloc[first]}" '
            f'against "{names.iloc[first]}"). Only one of the tables in {table.path.parent} can be '
            "right. Move the other one elsewhere."
        )


def _refuse_foreign_tables(found: list[_Found], files: pd.DataFrame) -> None:
    missing = [image for each in found for image in each.missing]
    if missing and len(files):
        raise DatasetError(
            f"Found a file for none of the {len(missing)} images in {found[0].table.path} (the "
            f"first is {missing[0]}, and the first file is {files['path'].iloc[0]}). Add the files "
            "to the folder, or the names of the files to the table."
        )


def _choose_ids(records: pd.DataFrame, found: list[_Found]) -> pd.DataFrame:
    """Name images as in official tables: their ids are unique among all collections."""
    ids = records["image_id"]
    for each in found:
        if each.has_unique_ids and "image" in each.rows:
            is_named = each.rows["image"].notna()
            keys = records["path"].map(lambda path: make_image_key(path.name))
            ids = ids.mask(is_named, keys)
    return records.assign(image_id=ids)
