"""`python -m melanoma_core dataset download`: photographs from the ISIC Archive."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.terminal import log, make_counter, print_json
from melanoma_core.errors import DatasetError
from melanoma_core.jsonable import to_jsonable

if TYPE_CHECKING:
    from melanoma_core.data.archive.download import DownloadPlan, DownloadResult


def download(options: argparse.Namespace) -> int:
    """Show what would come, ask, and bring it."""
    from melanoma_core.data.archive import download as archive
    from melanoma_core.data.archive.search import ArchiveSearch

    search = ArchiveSearch(options.query, tuple(options.collections), options.limit)
    plan = archive.plan_download(search, options.folder, make_counter("Searching the ISIC Archive"))
    _tell_plan(plan)
    if not options.yes:
        _ask()
    result = archive.download(plan, make_counter("Downloading photographs"))
    if options.json:
        print_json(_describe_download(plan, result))
    else:
        print(
            f"{result.folder}: {result.num_downloaded:,} photographs downloaded, "
            f"{result.num_present:,} there before, {len(result.failures):,} failed"
        )
        for failure in result.failures:
            log(f"{failure.isic_id}: {failure.reason}")
    return 0 if result.num_downloaded or result.num_present else 2


def _tell_plan(plan: "DownloadPlan") -> None:
    """Show the size and the licences before anything comes."""
    log(
        f"{len(plan.images):,} photographs, {_megabytes(plan.num_bytes)}, of which "
        f"{len(plan.present):,} with {_megabytes(plan.num_bytes_present)} are there already; "
        f"{_megabytes(plan.free_bytes)} free at {plan.folder}."
    )
    log("Licences: " + ", ".join(f"{name} ({count:,})" for name, count in plan.licences.items()))
    if plan.rejected:
        log(f"{len(plan.rejected):,} more are listed but cannot be downloaded.")


def _ask() -> None:
    log("Download them? [y/N] ", end="")
    answer = sys.stdin.readline() if sys.stdin else ""
    if answer.strip().lower() not in {"y", "yes"}:
        log("")
        raise DatasetError("Nothing was downloaded. Answer y, or give --yes.")


def _megabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.1f} MB"


def _describe_download(plan: "DownloadPlan", result: "DownloadResult") -> dict[str, Any]:
    return {
        "folder": str(result.folder),
        "num_bytes": plan.num_bytes,
        "licences": plan.licences,
        "num_downloaded": result.num_downloaded,
        "num_present": result.num_present,
        "failures": to_jsonable(result.failures),
    }
