"""The command line: the functions of the dashboard, with one JSON document on request.

Exit status: 0 for success, 2 for wrong usage or input, 1 for a bug. Only the answer goes to
standard output. Each command imports what it needs when it runs, so that a reading does not wait
for the libraries of training.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from melanoma_core.cli.backup import add_backup_commands
from melanoma_core.cli.dataset import add_dataset_commands
from melanoma_core.cli.evaluate import add_evaluate_command
from melanoma_core.cli.explanations import add_explanations_command
from melanoma_core.cli.export import add_export_commands
from melanoma_core.cli.index import add_index_command
from melanoma_core.cli.leave_out import add_leave_out_command
from melanoma_core.cli.models import add_model_commands
from melanoma_core.cli.outlines import add_outlines_command
from melanoma_core.cli.predict import add_predict_command
from melanoma_core.cli.records import add_records_commands
from melanoma_core.cli.refusals import add_refusals_command
from melanoma_core.cli.registration import add_registration_command
from melanoma_core.cli.robustness import add_robustness_command
from melanoma_core.cli.roles import add_role_commands
from melanoma_core.cli.serve import ServePages, add_serve_command
from melanoma_core.cli.study import add_study_command
from melanoma_core.cli.token import add_token_commands
from melanoma_core.cli.training import add_training_commands
from melanoma_core.errors import MelanomaError
from melanoma_core.software import VERSION

_SCRIPT = "melanoma"  # name of the console script


def main(arguments: Sequence[str] | None = None, serve_pages: ServePages | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        arguments: The command and its options; by default those of this process.
        serve_pages: Serves the pages, for `serve`; None where only the core is at hand.
    """
    options = build_parser(serve_pages).parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()  # here, since a closed pipe at the end of the process is an error
    except MelanomaError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def build_parser(serve_pages: ServePages | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands, named as the program was started."""
    is_script = Path(sys.argv[0]).stem == _SCRIPT
    parser = argparse.ArgumentParser(
        prog=_SCRIPT if is_script else "python -m melanoma_core",
        description="Find melanoma in photographs of skin lesions. For research and education. "
        "Not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"melanoma {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_predict_command(commands)
    add_evaluate_command(commands)
    add_explanations_command(commands)
    add_outlines_command(commands)
    add_refusals_command(commands)
    add_robustness_command(commands)
    add_registration_command(commands)
    add_index_command(commands)
    add_training_commands(commands)
    add_leave_out_command(commands)
    add_study_command(commands)
    add_dataset_commands(commands)
    add_model_commands(commands)
    add_records_commands(commands)
    add_export_commands(commands)
    add_serve_command(commands, serve_pages)
    add_token_commands(commands)
    add_role_commands(commands)
    add_backup_commands(commands)
    draw = commands.add_parser("demonstration", help="write the demonstration lesions to a folder")
    draw.add_argument("folder", type=Path, metavar="DIR")
    draw.set_defaults(run=_demonstration)
    return parser


def _demonstration(options: argparse.Namespace) -> int:
    from melanoma_core.data.drawn.lesions import write_demonstration

    for path in write_demonstration(options.folder):
        print(path)
    return 0
