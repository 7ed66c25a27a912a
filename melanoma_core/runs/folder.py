"""The files in the folder of a run.

The process of a queued run imports this module, so it imports neither pandas nor NumPy.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.errors import RunError, hide_passwords
from melanoma_core.files import write_file
from melanoma_core.jsonable import dump_json, from_jsonable, to_jsonable
from melanoma_core.runs.run import RunSpec
from melanoma_core.settings import Settings
from melanoma_core.spreadsheets import format_table, restore_table
from melanoma_core.training.observer import Estimate
from melanoma_core.training.recipe import Recipe

if TYPE_CHECKING:
    from melanoma_core.data.splitting import Split

_LINE_BYTES = 400  # longest line of a log that is worth reading


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run on the machine that trains it.

    Attributes:
        path: The folder; its name is the run's id.
    """

    path: Path

    @property
    def log(self) -> Path:
        """Output of the worker process."""
        return self.path / "worker.log"

    @property
    def stop(self) -> Path:
        """A file that exists while the run is asked to stop."""
        return self.path / "stop"

    @property
    def predictions(self) -> Path:
        """Predictions of the trained network for the held-out images."""
        return self.path / "predictions.csv"

    @property
    def estimate(self) -> Path:
        """Estimated cost of the run."""
        return self.path / "estimate.json"

    @property
    def spec(self) -> Path:
        """The task of the run."""
        return self.path / "spec.json"

    def write(self, spec: RunSpec, split: "Split") -> None:
        """Create the folder with the task of the run.

        Raises:
            RunError: The folder cannot be written.
        """
        table = split.table
        kinds = {name: str(kind) for name, kind in table.dtypes.items() if kind.kind in "iufb"}
        numbers = {"seed": split.seed, "sha256": split.sha256, "kinds": kinds}
        try:
            self.path.mkdir(parents=True)
            self.spec.write_text(dump_json(spec, indent=2, ensure_ascii=True), "utf-8")
            self._split.with_suffix(".json").write_text(dump_json(numbers, indent=2), "utf-8")
            self._split.write_bytes(format_table(table))
        except OSError as error:
            raise RunError(
                f"Cannot write the run's folder {self.path} ({error.strerror}). Free some space, "
                "or set MELANOMA_RUNS_DIR to a writable folder."
            ) from error

    def read_spec(self) -> RunSpec:
        """Return the task of the run.

        Raises:
            RunError: The file is missing or damaged.
            RecipeError: The recipe was written by another version of the program.
        """
        try:
            raw = json.loads(self.spec.read_text("utf-8"))
            recipe = Recipe.from_json(json.dumps(raw.pop("recipe")))  # checks its values
            known = {name: raw[name] for name in ("class_names", "data_name", "data", "study")}
            known |= {name: raw[name] for name in ("series", "skips_tests") if name in raw}
            return RunSpec(recipe, **known | {"class_names": tuple(known["class_names"])})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(self.spec, error) from error

    def read_split(self) -> "Split":
        """Return the split of the run, as it was written.

        Raises:
            RunError: The file is missing or damaged.
        """
        import pandas as pd

        from melanoma_core.data.dataset import hash_table
        from melanoma_core.data.splitting import Split

        try:
            numbers = json.loads(self._split.with_suffix(".json").read_text("utf-8"))
            columns = pd.read_csv(self._split, nrows=0, encoding_errors="surrogateescape").columns
            table = pd.read_csv(
                self._split,
                dtype={name: numbers["kinds"].get(name, object) for name in columns},
                keep_default_na=False,  # a folder may be called "NA"
                na_values=[""],
                encoding_errors="surrogateescape",
                lineterminator="\n",
            )
            table = restore_table(table)
            texts = [name for name in columns if name not in numbers["kinds"]]
            table[texts] = table[texts].where(table[texts].notna(), None)
            if hash_table(table) != numbers["sha256"]:
                raise ValueError("its hash differs")
            return Split(table, numbers["seed"], numbers["sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(self._split, error) from error

    def write_estimate(self, estimate: Estimate | str) -> None:
        """Write the estimated cost, or why there is none, and remove the split."""
        known = to_jsonable(estimate) if isinstance(estimate, Estimate) else {"reason": estimate}
        write_file(self.estimate, dump_json(known).encode(), "then estimate again")
        self._split.unlink(missing_ok=True)

    def read_estimate(self) -> Estimate | None:
        """Return the estimated cost, or None if there is none yet.

        Raises:
            RunError: The cost cannot be estimated; the message says why.
        """
        try:
            known = json.loads(self.estimate.read_text("utf-8"))
            if not isinstance(known, dict) or "reason" not in known:
                return from_jsonable(Estimate, known)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"Cannot read the estimate {self.estimate} ({error}). Estimate again."
            ) from error
        raise RunError(str(known["reason"]))

    def tail_log(self, num_lines: int) -> list[str]:
        """Return the last lines of the log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _LINE_BYTES * num_lines))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        # Libraries write here too, in their own words.
        return hide_passwords(text).splitlines()[-num_lines:]

    @property
    def _split(self) -> Path:
        return self.path / "split.csv"


def find_folder(settings: Settings, run_id: str) -> RunFolder:
    """Return the folder of a run, which need not exist."""
    return RunFolder(settings.runs_dir / run_id)


def hash_test(split: "Split") -> str:
    """Return the SHA-256 hash (hexadecimal) of a split's test images and their labels."""
    from melanoma_core.data.dataset import hash_table

    return hash_table(split.subset("test"))


def _damaged(path: Path, error: Exception) -> RunError:
    return RunError(f"Cannot read {path} ({error}). Launch the run again.")
