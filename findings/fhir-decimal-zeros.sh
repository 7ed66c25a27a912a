#!/usr/bin/env bash
# Guess: fhir.resources keeps a decimal as it was written. FHIR asks for that (0.10 is not 0.1: "the
# precision of the decimal value has significance"), and the field holds a decimal.Decimal.
#
# What happens: the object made in Python holds Decimal("0.10"), but model_dump_json() and model_dump()
# go through a float. 0.10 becomes 0.1, and a number of 18 digits is rounded to 17. Reading JSON goes
# through a float too: 0.10 is Decimal("0.1"), and 2.00 is Decimal("2.0").
#
# Versions: fhir.resources 8.3.0, fhir-core 1.1.12, pydantic 2.14.4.
# Why it matters here: a probability of 0.50 (2 decimals known) leaves as 0.5. Precision must be
# stated in another way, and a signature over a Bundle fails when it is read and written again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet fhir.resources==8.3.0 fhir-core==1.1.12 pydantic==2.14.4
venv/bin/python - <<'PYTHON'
from decimal import Decimal

from fhir.resources.quantity import Quantity

found = []
for text in ("0.10", "2.00", "1234567.89123456789"):
    made = Quantity(value=Decimal(text))
    read = Quantity.model_validate_json(f'{{"value":{text}}}')
    found.append((str(made.value), made.model_dump_json(), str(read.value), read.model_dump_json()))
    print(f"{text}: made {made.value!r}, written {found[-1][1]}, read {read.value!r}, "
          f"written again {found[-1][3]}")  # fmt: skip
expected = [("0.10", '{"value":0.1}', "0.1", '{"value":0.1}')]
expected += [("2.00", '{"value":2.0}', "2.0", '{"value":2.0}')]
long = "1234567.8912345679"
expected += [("1234567.89123456789", f'{{"value":{long}}}', long, f'{{"value":{long}}}')]
raise SystemExit(0 if found == expected else "The behaviour has changed.")
PYTHON
