#!/usr/bin/env bash
# Guess: a shallow copy of a pydicom Dataset behaves like one of a dict: an element that is set in or
# deleted from the copy is set in or deleted from the copy alone.
#
# What happens: Dataset(other), other.copy() and copy.copy(other) share one table of elements with
# the original. What is deleted from the copy is gone from the original, and what is set in one is set
# in both. Only copy.deepcopy() gives a dataset of its own. There is no warning.
#
# Versions: pydicom 3.0.2.
# Why it matters here: a file was hashed, and written a second time in part, from a copy without its
# own UID. The original lost a required value (Recognizable Visual Features), and was still written.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pydicom==3.0.2
venv/bin/python - <<'PYTHON'
import copy

from pydicom.dataset import Dataset

ways = {
    "Dataset(original)": Dataset,
    "original.copy()": Dataset.copy,
    "copy.copy(original)": copy.copy,
    "copy.deepcopy(original)": copy.deepcopy,
}
shared = {}
for name, make in ways.items():
    original = Dataset()
    original.PatientID, original.PatientSex = "1", "F"
    other = make(original)
    del other.PatientSex
    other.PatientID = "2"
    shared[name] = (original.PatientID, "PatientSex" in original)
    print(f"{name}: the original has PatientID {original.PatientID}, sex: {shared[name][1]}")
plain = {"PatientID": "1"}
plain.copy()["PatientID"] = "2"
print("a dict:", plain)
same = [each == ("2", False) for each in shared.values()] == [True, True, True, False]
raise SystemExit(0 if same else "The behaviour has changed.")
PYTHON
