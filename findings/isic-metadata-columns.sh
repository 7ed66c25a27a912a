#!/usr/bin/env bash
# Guess: isic-metadata accepts a row of the published HAM10000 and ISIC tables, and refuses a column
# that it does not know (its row model is declared with extra="forbid").
#
# What happens: both halves are wrong. A column that it does not know is accepted in silence and put
# aside as "unstructured": so "age_approx", the name in the archive's own tables, leaves the row
# without an age. The published values are refused: sex "unknown", anatom_site_general "torso", and
# every diagnosis in small letters ("melanoma", "nevus"). It wants "Melanoma, NOS" and "Nevus".
# A unit changes a size too: "6.25" stays 6.25 mm, but "6.25 mm" becomes 6.2, and "40um" becomes 0.
#
# Versions: isic-metadata 4.12.0, pydantic 2.14.4.
# Why it matters here: the validator of the archive looks like the natural reader of its tables. It is
# for what contributors send in; used as a reader, it would lose ages and reject most rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet isic-metadata==4.12.0 pydantic==2.14.4
venv/bin/python - <<'PYTHON'
from isic_metadata.metadata import MetadataRow
from pydantic import ValidationError

results = []


def show(**columns):
    """Print what becomes of a row, and keep it."""
    try:
        row = MetadataRow(**columns)
        kept = {name: str(value) for name, value in row.model_dump(exclude_none=True).items()}
        results.append((kept, row.unstructured))
        print(f"{columns}: kept {kept}, put aside {row.unstructured}")
    except ValidationError as error:
        results.append("refused")
        print(f"{columns}: refused, {error.errors()[0]['type']}")


show(age=55)
show(age_approx=55)
show(sex="unknown")
show(anatom_site_general="torso")
show(diagnosis="melanoma")
show(diagnosis="nevus")
for size in ("6.25", "6.25 mm", "40um"):
    show(clin_size_long_diam_mm=size)
sizes = ("6.25", "6.2", "0.0")
expected = [({"age": "55"}, {}), ({}, {"age_approx": 55})] + ["refused"] * 4
expected += [({"clin_size_long_diam_mm": size}, {}) for size in sizes]
raise SystemExit(0 if results == expected else "The behaviour has changed.")
PYTHON
