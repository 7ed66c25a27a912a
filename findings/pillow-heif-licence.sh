#!/usr/bin/env bash
# Guess: what a wheel states as its licence is the licence of what is in it. pillow-heif states
# BSD-3-Clause, so a scanner of licences and a distributor may treat it as such.
#
# What happens: the wheel holds libx265 as a file of its own (23 MB, five times all else together),
# and its second licence file says "License for binary wheels: GPLv2". The metadata states
# BSD-3-Clause alone, with no classifier. pi-heif, by the same author, reads the same photographs
# without x265. Its licence file says LGPLv3, and its classifier says so too.
#
# Versions: pillow-heif 1.8.1 and pi-heif 1.4.0, wheels for Linux on x86-64.
# Why it matters here: reading a photograph needs no encoder. The project takes pi-heif to read, and
# pillow-heif only for its tests.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip download --quiet --no-deps --only-binary :all: --python-version 3.11 \
  --platform manylinux_2_28_x86_64 --dest wheels pillow-heif==1.8.1 pi-heif==1.4.0
venv/bin/python - <<'PYTHON'
import email
import re
from pathlib import Path
from zipfile import ZipFile

found = {}
for wheel in sorted(Path("wheels").glob("*.whl")):
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        about = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(about))
        bundled = next(name for name in names if name.endswith("LICENSES_bundled.txt"))
        text = archive.read(bundled).decode()
    name = metadata["Name"].replace("_", "-")
    classifiers = [each for each in metadata.get_all("Classifier", []) if "License ::" in each]
    licence = re.search(r'License for ".*" binary wheels: (\w+)', text)[1]
    libraries = sorted({re.match(r"[^/]+/(\w+)-", each)[1] for each in names if ".libs/lib" in each})
    found[name] = (metadata["License"], len(classifiers), licence, libraries)
    print(f"{name} {metadata['Version']}: metadata {metadata['License']}, classifiers {classifiers}")
    print(f"  its {Path(bundled).name}: {licence}; libraries in the wheel: {', '.join(libraries)}")
expected = {
    "pillow-heif": ("BSD-3-Clause", 0, "GPLv2", ["libde265", "libheif", "libx265"]),
    "pi-heif": ("BSD-3-Clause", 1, "LGPLv3", ["libde265", "libheif"]),
}
raise SystemExit(0 if found == expected else "The behaviour has changed.")
PYTHON
