"""The commands `backup` and `restore`: a whole server in one file."""

import argparse
import getpass
from pathlib import Path

from melanoma_core.cli.terminal import log, print_json
from melanoma_core.settings import load_settings


def add_backup_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add `backup` and `restore` to the command line."""
    backup = commands.add_parser(
        "backup",
        help="write a backup of the server to one file",
        description="Write the record with its photographs, models, the history of runs, roles "
        "and tokens to one file. The server may go on working.",
    )
    backup.add_argument("file", type=Path, metavar="FILE", help="new file, such as clinic.zip")
    backup.add_argument(
        "--by", default="", metavar="NAME", help="your name, which the audit log keeps"
    )
    backup.set_defaults(run=_backup)
    restore = commands.add_parser(
        "restore",
        help="restore a backup into empty places",
        description="Restore a backup into the folders, and the PostgreSQL database, that the "
        "settings name. They must be empty. Stop the server first.",
    )
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.set_defaults(run=_restore)
    for each in (backup, restore):
        each.add_argument("--json", action="store_true", help="print one JSON document")


def _backup(options: argparse.Namespace) -> int:
    from melanoma_core.backup.writing import write_backup

    manifest = write_backup(load_settings(), options.file, options.by or getpass.getuser())
    faults = manifest.record.faults if manifest.record else ()
    size = options.file.stat().st_size
    if options.json:
        count = len(manifest.files)
        print_json({"file": str(options.file), "files": count, "bytes": size, "faults": faults})
    else:
        print(f"{options.file}: {len(manifest.files):,} files, {size / 2**20:,.1f} MiB")
        for fault in faults:
            print(f"The photograph {fault} is missing or altered in the record itself.")
    for sentence in manifest.left_out:
        log(sentence)
    log("It holds patients' photographs, and secrets: keep it encrypted, and away from this disk.")
    return 2 if faults else 0


def _restore(options: argparse.Namespace) -> int:
    from melanoma_core.backup.restoring import restore_backup

    restored = restore_backup(load_settings(), options.file)
    manifest, checked = restored.manifest, restored.verification
    faults = checked.faults if checked else ()
    if options.json:
        print_json({"made_at": manifest.made_at, "files": len(manifest.files), "record": checked})
    else:
        print(f"{options.file}: {len(manifest.files):,} files of {manifest.made_at} were restored")
        for fault in faults:
            print(f"{fault.kind}: {fault.text}")
    if manifest.record is not None:
        place = restored.places.record
        folder = place.folder if place else ""
        log(
            f"The record is in {folder}. "
            + (
                f"Faults: {len(faults):,}."
                if checked
                else f"Run `melanoma records upgrade {folder}`, then `melanoma records verify "
                f"{folder}`."
            )
        )
        log(
            f"Patients who were erased after {manifest.made_at} are in the record again. Erase "
            "them again before anyone works with it."
        )
    return 2 if faults else 0
