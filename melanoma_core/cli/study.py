"""`python -m melanoma_core study`: train every recipe on one split, with and without leakage."""

import argparse
from pathlib import Path

from melanoma_core.cli.files import open_files
from melanoma_core.cli.following import follow_runs
from melanoma_core.cli.terminal import log, print_json
from melanoma_core.errors import RunError
from melanoma_core.settings import Settings, load_settings


def add_study_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `study` to the command line."""
    parser = commands.add_parser(
        "study", help="compare all recipes on one split, evaluated with and without leakage"
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", metavar="DIR", help="a folder of class folders"
    )
    parser.add_argument("--recipes", metavar="NAME,NAME", help="default: all except quick")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="changes",
        help="change a field of every recipe",
    )
    parser.add_argument("--show", metavar="ID", help="show a study without launching runs")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="print Markdown tables")
    form.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--detach", action="store_true", help="print the id of the study and return at once"
    )
    parser.set_defaults(run=_study)


def _study(options: argparse.Namespace) -> int:
    if (options.folder is None) == (options.show is None):
        raise RunError(
            "Found both a folder and --show, or neither. Exactly one is needed. Name a folder to "
            "study, or a study to show."
        )
    from melanoma_core.runs.study import list_study_runs, load_study
    from melanoma_core.runs.study_table import describe_study, write_study

    settings = load_settings()
    study_id = options.show or _launch(settings, options)
    if options.folder and not options.detach:
        follow_runs(
            settings,
            lambda: list_study_runs(settings, study_id),
            lambda run: run.spec.recipe.name,
            "study",
        )
    study = load_study(settings, study_id)
    if options.json:
        print_json(describe_study(study))
    elif options.detach:
        print(study_id)
    else:
        print(write_study(study, markdown=options.markdown))
    return 0


def _launch(settings: Settings, options: argparse.Namespace) -> str:
    from melanoma_core.runs.study import STUDY_RECIPES, launch_study

    recipes = options.recipes.split(",") if options.recipes else STUDY_RECIPES
    study_id = launch_study(settings, open_files(options.folder), options.changes, recipes)
    log(f"Study {study_id}")
    return study_id
