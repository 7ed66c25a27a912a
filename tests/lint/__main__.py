"""Print every problem of the committed files, and exit with 1 where there is one."""

import sys
from collections.abc import Callable, Iterator

from docs.generate import find_outdated
from tests.lint.commands import find_wrong_commands, find_wrong_targets
from tests.lint.files import (
    find_large_files,
    find_long_modules,
    find_machine_paths,
    find_photographs,
)
from tests.lint.language import find_long_sentences, find_unclear_words
from tests.lint.links import find_broken_links
from tests.lint.requirements import find_index_addresses, find_missing_pins, find_unhashed

Check = Callable[[], Iterator[str]]

CHECKS: tuple[Check, ...] = (
    find_wrong_commands,
    find_wrong_targets,
    find_outdated,
    find_broken_links,
    find_unclear_words,
    find_long_sentences,
    find_unhashed,
    find_index_addresses,
    find_missing_pins,
    find_machine_paths,
    find_large_files,
    find_photographs,
    find_long_modules,
)


def main() -> int:
    """Run every check and return the exit status."""
    problems = [problem for check in CHECKS for problem in check()]
    for problem in problems:
        print(problem)
    print(f"{len(CHECKS)} checks, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
