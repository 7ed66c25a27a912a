"""`python -m tests.soak`: kill work 1,000 times at random moments, and count what is left wrong.

Names after the command run only some of the kinds. The exit status is 1 if anything is wrong.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.killing import Kind, kill_once, measure
from tests.soak.kinds import make_kinds

_TOTAL = 1000


def main() -> int:
    """Run the kinds that are named, or all, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("names", nargs="*", metavar="KIND")
    parser.add_argument("--kills", type=int, default=_TOTAL, help="of all kinds; default: 1000")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"Seed {options.seed}.", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        kinds = [k for k in make_kinds(Path(place)) if k.name in options.names or not options.names]
        total = sum(
            _soak(kind, Path(place), max(1, kind.num_kills * options.kills // _TOTAL), options.seed)
            for kind in kinds
        )
    return 1 if total else 0


def _soak(kind: Kind, place: Path, num_kills: int, seed: int) -> int:
    """Kill one kind of work and return how many kills left something wrong."""
    rng = random.Random(f"{seed} {kind.name}")
    started = time.monotonic()
    folder = place / f"{kind.name.replace(' ', '-')}-whole"
    seconds = measure(kind, folder)
    wrong: list[str] = []
    num_wrong = 0
    for number in range(num_kills):
        shutil.rmtree(folder, ignore_errors=True)
        folder = place / f"{kind.name.replace(' ', '-')}-{number}"
        found = kill_once(kind, folder, seconds, rng)
        num_wrong += bool(found)
        wrong += [f"  kill {number + 1}: {each}" for each in found]
    minutes = (time.monotonic() - started) / 60
    print(
        f"{kind.name}: {num_kills} kills within {seconds:.1f} s of work, {num_wrong} left "
        f"something wrong ({minutes:.1f} minutes)",
        *wrong,
        sep="\n",
        flush=True,
    )
    return num_wrong


if __name__ == "__main__":
    sys.exit(main())
