"""Wait for the background processes that a page starts."""

import psutil

_PATIENCE_SECONDS = 120


def wait_for_children(text: str) -> None:
    """Wait until the child processes of this one with a text in their command line have ended."""
    children = [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and text in " ".join(child.cmdline())
    ]
    _, alive = psutil.wait_procs(children, _PATIENCE_SECONDS)
    assert not alive
