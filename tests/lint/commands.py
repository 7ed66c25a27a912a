"""Every command, option and make target that a document shows must exist."""

import re
import shlex
from collections.abc import Iterator

from tests.lint.repository import ROOT, list_documents

# At the beginning of a line, after variables. Elsewhere, the word names an account or a unit.
_COMMAND = re.compile(r"^(?:\w+=\S* +)*(?:\S*python3? -m melanoma_core|\S*melanoma)(?= |$)(.*)")


def read_commands(text: str) -> list[str]:
    """Return every line of the fenced shell blocks of a document, continued lines joined."""
    blocks = re.findall(r"^ *```(?:bash|sh|console|shell)\n(.*?)^ *```", text, re.M | re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip()]


def find_wrong_commands() -> Iterator[str]:
    """Parse every command line that a document shows with the parser that would read it."""
    from contextlib import redirect_stderr, redirect_stdout
    from io import StringIO

    from melanoma_core.cli.main import build_parser

    for name, text in list_documents().items():
        for line in read_commands(text):
            match = _COMMAND.search(line)
            if match is None:
                continue
            # What a shell would pass: no comment, and nothing behind a pipe or a redirection.
            command = re.split(r"[|>;&]", match.group(1))[0]
            try:
                with redirect_stderr(StringIO()) as said, redirect_stdout(StringIO()):
                    build_parser().parse_args(shlex.split(command, comments=True))
            except SystemExit as end:
                if end.code:  # `--help` ends with 0
                    yield f"{name}: `{line}` is bad usage: {said.getvalue().splitlines()[-1]}"


def find_wrong_targets() -> Iterator[str]:
    """Look every `make TARGET` of a document up in the Makefile."""
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    for name, text in list_documents().items():
        inline = re.findall(r"`(make [\w -]+)`", text)
        for command in [*read_commands(text), *inline]:
            if not command.startswith("make "):
                continue
            words = shlex.split(command, comments=True)[1:]
            for word in words:
                if "=" not in word and not word.startswith("-") and word not in targets:
                    yield f"{name}: `make {word}` is not a target of the Makefile"
