"""The commands `export …`: readings for other systems."""

import argparse

from melanoma_core.cli.export_dicom import add_dicom_commands
from melanoma_core.cli.export_fhir import add_fhir_command


def add_export_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `export` and its commands to the command line."""
    export = commands.add_parser(
        "export", help="write readings for other systems, or send them there"
    )
    kinds = export.add_subparsers(required=True, metavar="COMMAND")
    add_dicom_commands(kinds)
    add_fhir_command(kinds)
