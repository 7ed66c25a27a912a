"""The DICOM standard for dicom-validator, from the tables that highdicom ships.

dicom-validator's wheel holds no tables: it downloads the standard, which no test may. highdicom has
those of PS3.3 (modules of each IOD, attributes of each module with their types) but no conditions
and no enumerated values. So types 1 and 2 are checked, and attributes that no module has; what
depends on a condition is checked by dciodvfy.
"""

import json
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from dicom_validator.validator.dicom_file_validator import DicomFileValidator
from dicom_validator.validator.dicom_info import DicomInfo
from pydicom.datadict import DicomDictionary, tag_for_keyword


def list_faults(path: Path) -> list[str]:
    """Return what dicom-validator finds wrong in a file, a line each."""
    results = DicomFileValidator(_load()).validate(path)
    return [
        f"{module} {tag} {error.code.name if error.code else ''}"
        for result in results.values()
        for module, tags in result.module_errors.items()
        for tag, error in tags.items()
    ] + [f"{r.status.name}" for r in results.values() if r.status.name not in ("Passed", "Failed")]


@lru_cache(maxsize=1)
def _load() -> DicomInfo:
    folder = files("highdicom") / "_standard"
    names = ("iod_module_map", "module_attribute_map", "sop_class_iod_map")
    iods, modules, classes = (
        json.loads((folder / f"{name}.json").read_text("utf-8")) for name in names
    )
    dictionary = {
        _write(tag): {"name": entry[2], "vr": entry[0], "vm": entry[1], "prop": entry[4]}
        for tag, entry in DicomDictionary.items()
    }
    return DicomInfo(
        dictionary=dictionary,
        iods={
            uid: {
                "title": iod,
                "modules": {
                    each["key"]: {"ref": each["key"], "use": each["usage"]} for each in iods[iod]
                },
                "group_macros": {},
            }
            for uid, iod in classes.items()
            if iod in iods
        },
        modules=_Nested(modules),
    )


class _Nested(dict[str, dict[str, Any]]):
    """Attributes of each module as a tree, made when a module is asked for."""

    def __init__(self, flat: dict[str, list[dict[str, Any]]]) -> None:
        super().__init__()
        self._flat = flat

    def __missing__(self, key: str) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for attribute in self._flat[key]:
            place = tree
            for keyword in attribute["path"]:
                owner = place.setdefault(_name(keyword), {"name": keyword, "type": "3"})
                place = owner.setdefault("items", {})
            found = place.setdefault(_name(attribute["keyword"]), {})
            found |= {"name": attribute["keyword"], "type": attribute["type"]}
        self[key] = tree
        return tree


def _name(keyword: str) -> str:
    tag = tag_for_keyword(keyword)
    return _write(tag if tag is not None else 0)


def _write(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
