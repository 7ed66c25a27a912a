"""The checks that need no judgement, so that one command holds them all."""

import subprocess
import sys

from melanoma_core.settings import PROJECT_ROOT


def run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing():
    run("ruff", "check", ".")


def test_ruff_would_format_nothing_otherwise():
    run("ruff", "format", "--check", ".")


def test_mypy_finds_nothing():
    run("mypy")
