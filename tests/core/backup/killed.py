"""Back up or restore in processes that are killed at given files, for `test_kills`."""

import os
import signal
import sys
from pathlib import Path

from melanoma_core.backup import restoring, writing
from tests.core.backup.conftest import name_places

WHERE: dict[str, tuple[object, str]] = {
    "backup": (writing._Writer, "_add"),
    "extract": (restoring, "_extract"),
    "move": (Path, "replace"),
}


def kill_at(module: object, name: str, number: int) -> None:
    """Kill this process at the n-th call of a function or method."""
    original = getattr(module, name)
    calls = [0]

    def call(*arguments: object, **named: object) -> object:
        calls[0] += 1
        if calls[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **named)

    setattr(module, name, call)


def main(action: str, folder: Path, *numbers: int) -> None:
    """Do it once in a process of its own for each number, in a folder of that number."""
    for number in numbers:
        child = os.fork()
        if child == 0:
            where, name = WHERE[action]
            kill_at(where, name, number)
            if action == "backup":
                writing.write_backup(
                    name_places(folder / "server"), folder / f"{number}.zip", "root"
                )
            else:
                kill_at(
                    *((restoring, "_extract") if action == "extract" else (Path, "replace")), number
                )
                restoring.restore_backup(name_places(folder / str(number)), folder / "whole.zip")
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
