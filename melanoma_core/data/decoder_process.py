"""The process that decodes photographs for `decoder_pool`.

It reads requests from standard input and writes answers to standard output, each a line of JSON
and then bytes. It ends itself when a photograph takes longer than its limit, even within code that
cannot be interrupted, and when the process that started it has ended.
"""

import faulthandler
import json
import os
import signal
import sys
from dataclasses import fields
from typing import BinaryIO, TextIO

from melanoma_core.data.images import decode_here
from melanoma_core.errors import ImageError


def _serve(requests: BinaryIO, answers: BinaryIO, discarded: TextIO) -> None:
    while line := requests.readline():
        request = json.loads(line)
        data = requests.read(request["length"])
        faulthandler.dump_traceback_later(request["seconds"], exit=True, file=discarded)
        try:
            photograph = decode_here(data, request["max_side"])
        except ImageError as error:
            _answer(answers, {"refusal": str(error)})
            continue
        finally:
            faulthandler.cancel_dump_traceback_later()
        described = {
            field.name: getattr(photograph, field.name) for field in fields(photograph)
        } | {"shape": photograph.pixels.shape}
        del described["pixels"]
        _answer(answers, described, photograph.pixels.data.cast("B"))


def _answer(
    answers: BinaryIO, header: dict[str, object], content: memoryview | None = None
) -> None:
    answers.write(json.dumps(header).encode() + b"\n")
    if content is not None:
        answers.write(content)
    answers.flush()


def main() -> None:
    """Serve on standard input and output. The output of libraries is discarded."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with open(os.devnull, "w") as discarded:  # noqa: PTH123
        try:
            _serve(sys.stdin.buffer, answers, discarded)
        except BrokenPipeError:  # the process that asked has ended
            return


if __name__ == "__main__":
    main()
