"""Processes that outlive whoever started them."""

import subprocess
import sys

from melanoma_core.errors import RunError
from melanoma_core.runs.folder import RunFolder
from melanoma_core.settings import PROJECT_ROOT, Settings, make_environment

_children: list[subprocess.Popen[bytes]] = []


def start_process(settings: Settings, folder: RunFolder, *options: str) -> None:
    """Start `runs.worker` for a folder; what it says goes to the folder's log.

    Raises:
        RunError: It cannot be started.
    """
    module = "melanoma_core.runs.worker"
    command = [sys.executable, "-u", "-X", "utf8", "-m", module, *options, str(folder.path)]
    try:
        with folder.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=PROJECT_ROOT,
                env=make_environment(settings),
                # So that neither a closed terminal nor the end of the dashboard ends it: the one
                # for Linux and macOS, the others for Windows, where alone they exist.
                start_new_session=True,
                creationflags=getattr(subprocess, "DETACHED_PROCESS", 0)
                | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
    except OSError as error:
        raise RunError(
            f"Cannot start a process for {folder.path} ({error.strerror}). Free memory and space "
            "on its disk, then try again."
        ) from error
    reap()
    _children.append(process)


def reap() -> None:
    """Ask after the processes that were started here, without which dead ones stay as zombies."""
    for process in list(_children):
        if process.poll() is not None and process in _children:
            _children.remove(process)
