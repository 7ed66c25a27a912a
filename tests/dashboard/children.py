"""Wait for the background processes that a page starts."""

import psutil

_PATIENCE_SECONDS = 120


def wait_for_children(text: str) -> None:
    """Wait until the child processes of this one with a text in their command line have ended."""
    children = [child for child in psutil.Process().children() if _matches(child, text)]
    assert not psutil.wait_procs(children, _PATIENCE_SECONDS)[1]


def _matches(child: psutil.Process, text: str) -> bool:
    try:
        command = child.cmdline()
    except psutil.ZombieProcess:
        return False
    return not command or text in " ".join(command)  # one that is just starting has none yet
