"""`python -m melanoma_core dataset download`: download images from the ISIC Archive."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.terminal import log, make_counter, print_json
from melanoma_core.errors import DatasetError
from melanoma_core.jsonable import to_jsonable

if TYPE_CHECKING:
    from melanoma_core.data.archive.download import DownloadPlan, DownloadResult


def download(options: argparse.Namespace) -> int:
    """Show the download plan, ask for confirmation, and download."""
    from melanoma_core.data.archive import download as archive
    from melanoma_core.data.archive.search import ArchiveSearch

    search = ArchiveSearch(options.query, tuple(options.collections), options.limit)
    plan = archive.plan_download(search, options.folder, make_counter("Searching the ISIC Archive"))
    _log_plan(plan)
    if not options.yes:
        _confirm()
    result = archive.download(plan, make_counter("Downloading images"))
    if options.json:
        print_json(_describe_download(plan, result))
    else:
        print(
            f"{result.folder}: {result.num_downloaded:,} images downloaded, "
            f"{result.num_present:,} already present, {len(result.failures):,} failed"
        )
        for failure in result.failures:
            log(f"{failure.isic_id}: {failure.reason}")
    return 0 if result.num_downloaded or result.num_present else 2


def _log_plan(plan: "DownloadPlan") -> None:
    """Log the size and the licences of the download."""
    log(
        f"{len(plan.images):,} images, {_format_size(plan.num_bytes)}, of which "
        f"{len(plan.present):,} with {_format_size(plan.num_bytes_present)} are already present; "
        f"{_format_size(plan.free_bytes)} free at {plan.folder}."
    )
    log("Licences: " + ", ".join(f"{name} ({count:,})" for name, count in plan.licences.items()))
    if plan.rejected:
        log(f"{len(plan.rejected):,} more are listed but cannot be downloaded.")


def _confirm() -> None:
    log("Download them? [y/N] ", end="")
    answer = sys.stdin.readline() if sys.stdin else ""
    if answer.strip().lower() not in {"y", "yes"}:
        log("")
        raise DatasetError("The download was not confirmed. Answer y, or use --yes.")


def _format_size(num_bytes: int) -> str:
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
