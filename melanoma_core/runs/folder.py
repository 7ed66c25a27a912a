"""What lies in the folder of a run, and how it is written and read.

A process that waits for its turn knows these names and imports no library of tables.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.errors import RunError
from melanoma_core.files import write_file
from melanoma_core.jsonable import dump_json, from_jsonable, to_jsonable
from melanoma_core.runs.run import RunSpec
from melanoma_core.settings import Settings
from melanoma_core.training.observer import Estimate
from melanoma_core.training.recipe import Recipe

if TYPE_CHECKING:
    from melanoma_core.data.splitting import Split


@dataclass(frozen=True)
class RunFolder:
    """The files of a run on the machine that it trains on.

    Attributes:
        path: The folder; its name is the run's id.
    """

    path: Path

    @property
    def log(self) -> Path:
        """What the run's process says."""
        return self.path / "worker.log"

    @property
    def stop(self) -> Path:
        """Is there while the run is asked to stop."""
        return self.path / "stop"

    @property
    def predictions(self) -> Path:
        """What the trained network said of the images held out."""
        return self.path / "predictions.csv"

    @property
    def estimate(self) -> Path:
        """What the run will take."""
        return self.path / "estimate.json"

    @property
    def spec(self) -> Path:
        """What the run is asked to do."""
        return self.path / "spec.json"

    def write(self, spec: RunSpec, split: "Split") -> None:
        """Make the folder, with what the run is asked to do.

        Raises:
            RunError: It cannot be written, or the table would be read otherwise than it is.
        """
        table = split.table
        kinds = {name: str(kind) for name, kind in table.dtypes.items() if kind.kind in "iufb"}
        numbers = {"seed": split.seed, "sha256": split.sha256, "kinds": kinds}
        try:
            self.path.mkdir(parents=True)
            self.spec.write_text(dump_json(spec, indent=2, ensure_ascii=True), "utf-8")
            self._split.with_suffix(".json").write_text(json.dumps(numbers, indent=2), "utf-8")
            # File names need not be text; those that are not come back as they were.
            table.to_csv(self._split, index=False, errors="surrogateescape", lineterminator="\n")
        except OSError as error:
            raise RunError(
                f"Cannot write the run's folder {self.path} ({error.strerror}). Free some space, "
                "or set MELANOMA_RUNS_DIR to a folder that can be written to."
            ) from error

    def read_spec(self) -> RunSpec:
        """Return what the run is asked to do.

        Raises:
            RunError: The file is gone or damaged.
            RecipeError: The recipe is one of another version of the program.
        """
        try:
            raw = json.loads(self.spec.read_text("utf-8"))
            return RunSpec(
                recipe=Recipe.from_json(json.dumps(raw["recipe"])),
                class_names=tuple(raw["class_names"]),
                data_name=raw["data_name"],
                data=raw["data"],
                study=raw["study"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(self.spec, error) from error

    def read_split(self) -> "Split":
        """Return the run's subsets, as they were written.

        Raises:
            RunError: The file is gone or damaged.
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
            texts = [name for name in columns if name not in numbers["kinds"]]
            table[texts] = table[texts].where(table[texts].notna(), None)
            if hash_table(table) != numbers["sha256"]:
                raise ValueError("its hash differs")
            return Split(table, numbers["seed"], numbers["sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(self._split, error) from error

    def write_estimate(self, estimate: Estimate | str) -> None:
        """Keep what the run will take, or why that cannot be said; the subsets are done with."""
        known = to_jsonable(estimate) if isinstance(estimate, Estimate) else {"reason": estimate}
        write_file(self.estimate, dump_json(known).encode(), "then estimate again")
        self._split.unlink(missing_ok=True)

    def read_estimate(self) -> Estimate | None:
        """Return what the run will take, or None where that was not measured yet.

        Raises:
            RunError: It could not be measured; the message says why.
        """
        try:
            known = json.loads(self.estimate.read_text("utf-8"))
        except FileNotFoundError:
            return None
        if "reason" in known:
            raise RunError(known["reason"])
        return from_jsonable(Estimate, known)

    def tail_log(self, num_lines: int) -> list[str]:
        """Return the last lines of the log."""
        try:
            with self.log.open("rb") as file:
                # No line that a person wants to read is longer than 400 bytes.
                file.seek(max(0, self.log.stat().st_size - 400 * num_lines))
                return file.read().decode("utf-8", "replace").splitlines()[-num_lines:]
        except OSError:
            return []

    @property
    def _split(self) -> Path:
        return self.path / "split.csv"


def find_folder(settings: Settings, run_id: str) -> RunFolder:
    """Return the folder of a run, whether it is there or not."""
    return RunFolder(settings.runs_dir / run_id)


def hash_test(split: "Split") -> str:
    """Return the SHA-256 (hex) of a split's test images and their labels."""
    from melanoma_core.data.dataset import hash_table

    return hash_table(split.subset("test"))


def _damaged(path: Path, error: Exception) -> RunError:
    return RunError(f"Cannot read {path} ({error}). Launch the run anew.")
