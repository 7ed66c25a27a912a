"""`python -m melanoma_core dataset …`: examine, split, balance and download datasets."""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.balance import balance
from melanoma_core.cli.download import download
from melanoma_core.cli.files import draw_split, open_files, print_table, real_path
from melanoma_core.cli.terminal import log, make_folder, print_json
from melanoma_core.errors import FolderError
from melanoma_core.files import explain_write_errors
from melanoma_core.jsonable import to_jsonable
from melanoma_core.spreadsheets import format_table

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.data.census import Census
    from melanoma_core.evaluation.figure import Figure

_MAX_LABELS = 20  # printed


def add_dataset_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add `dataset` with its own commands to the command line."""
    dataset = commands.add_parser("dataset", help="examine and prepare a dataset")
    inner = dataset.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, summary: str, run: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        parser = inner.add_parser(name, help=summary)
        what = "target folder" if name == "download" else "a collection, or a folder of them"
        parser.add_argument("folder", type=Path, metavar="DIR", help=what)
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.set_defaults(run=run)
        return parser

    add("summary", "print counts per class and subset, imbalance, and image sizes", _summarise)

    audit = add("audit", "find unreadable, duplicate, conflicting and leaking images", _audit)
    audit.add_argument("--out", type=Path, metavar="FILE", help="write the cleaned table as CSV")

    split = add("split", "split into subsets that share no lesion, patient or copy", _split)
    split.add_argument("--out", type=Path, metavar="FILE", help="write the split as CSV")

    balancing = add("balance", "balance the classes of the training subset", balance)
    balancing.add_argument("--method", choices=("class-weights", "oversampling"), required=True)
    balancing.add_argument(
        "--target", type=int, metavar="N", help="images per class; default: size of the largest"
    )
    balancing.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="changes"
    )
    balancing.add_argument(
        "--out", type=Path, metavar="DIR", help="write the synthetic images to this folder"
    )
    for parser in (split, balancing):
        parser.add_argument("--seed", type=_parse_seed, default=0, metavar="N")
        parser.add_argument(
            "--table", type=Path, metavar="FILE", help="cleaned table written by `audit --out`"
        )

    archive = add("download", "download images from the ISIC Archive", download)
    archive.add_argument(
        "--query", default="", help="search query of the Archive; default: all images"
    )
    archive.add_argument(
        "--collection", action="append", type=int, default=[], metavar="N", dest="collections"
    )
    archive.add_argument("--limit", type=int, metavar="N", help="maximum number of images")
    archive.add_argument("--yes", action="store_true", help="download without asking")


def _summarise(options: argparse.Namespace) -> int:
    from melanoma_core.data.dataset import merge_records
    from melanoma_core.data.layouts import find_collections
    from melanoma_core.data.overview import count_skin_tones, cross_confirmations
    from melanoma_core.evaluation.skin_tone import measure_agreement

    opened = open_files(options.folder)
    collections = find_collections(opened.folder)
    dataset = merge_records(opened.records)
    agreement = measure_agreement(dataset.table)
    document = {
        "folder": str(options.folder),
        "collections": [{"folder": str(c.folder), "layout": c.layout} for c in collections],
        **_describe_classes(opened.records),
        "num_unreadable": int(opened.records["error"].notna().sum()),
        "files": _describe_census(opened.census),
        "sizes": _describe_sizes(opened.records),
        "labels": _describe_labels(opened.records),
        "confirmations": cross_confirmations(opened.records).to_dict("index"),
        "skin_tones": dict(count_skin_tones(opened.records).to_numpy().tolist()),
        "skin_tone_agreement": agreement and to_jsonable(agreement),
        "cleaned": _describe_classes(dataset.main) | _describe_decisions(dataset.decisions),
    }
    if options.json:
        print_json(document)
        return 0
    layouts = ", ".join(dict.fromkeys(c.layout.title for c in collections))
    print(f"{options.folder} ({layouts}): {document['num_images']:,} files,", end=" ")
    print(f"{document['num_unreadable']:,} of them unreadable.")
    _print_census(opened.census)
    _print_classes(document)
    _print_sizes(document["sizes"])
    _print_labels(document["labels"])
    _print_confirmations(document["confirmations"])
    _print_skin_tones(document["skin_tones"], agreement)
    print(f"\nCleaned: {document['cleaned']['num_images']:,} images.\n")
    _print_classes(document["cleaned"])
    _print_decisions(document["cleaned"])
    return 0


def _describe_classes(table: "pd.DataFrame") -> dict[str, Any]:
    from melanoma_core.data.overview import (
        count_classes,
        count_tiers,
        effective_num_classes,
        imbalance_ratio,
        total_counts,
    )

    counts = count_classes(table)
    totals = total_counts(counts)
    return {
        "num_images": len(table),
        "counts": counts.to_dict("index"),
        "tiers": count_tiers(table).to_dict("index"),
        "imbalance_ratio": imbalance_ratio(totals),
        "effective_num_classes": effective_num_classes(totals),
    }


def _describe_census(census: "Census") -> dict[str, Any]:
    """Return the number of files by role, and the folders with files that are not looked at."""
    from melanoma_core.data.census import Role

    return {
        **{str(role): census.counts.get(role, 0) for role in Role},
        "not_looked_at_in": census.ignored,
        "unread_tables": list(census.unread_tables),
        "missing": {table: len(images) for table, images in census.missing.items()},
    }


def _print_census(census: "Census") -> None:
    from melanoma_core.data.census import Role, list_ignored

    others = {role: census.counts.get(role, 0) for role in Role if role is not Role.IMAGE}
    if not others[Role.BARRED]:  # as on one's own machine
        del others[Role.BARRED]
    print(", ".join(f"{n:,} {role.replace('_', ' ')}" for role, n in others.items()), end="")
    print(f" ({list_ignored(census)}).\n" if others[Role.IGNORED] else ".\n")


def _describe_sizes(records: "pd.DataFrame") -> dict[str, dict[str, float | None]]:
    """Return the minimum, median and maximum width and height in pixels."""
    return {
        side: {name: float(records[side].agg(name)) for name in ("min", "median", "max")}
        for side in ("width", "height")
    }


def _describe_labels(records: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return every label as written, its diagnosis, and its number of files."""
    words = records[["name", "label"]].astype(object)
    words = words.where(words.notna(), None)
    counts = Counter(zip(words["name"], words["label"], strict=True))
    return [
        {"name": name, "diagnosis": label, "num_images": count}
        for (name, label), count in counts.most_common()
    ]


def _describe_decisions(decisions: "pd.DataFrame") -> dict[str, dict[str, int]]:
    """Return the numbers of files left out and relabelled, by reason."""
    from melanoma_core.data.cleaning import Action

    def count(action: Action) -> dict[str, int]:
        reasons = decisions.loc[decisions["action"] == action, "reason"]
        return {str(reason): int(count) for reason, count in reasons.value_counts().items()}

    return {
        "left_out": count(Action.DROP),
        "relabelled": count(Action.RELABEL),
        "training_alone": count(Action.TIER),
    }


def _print_classes(document: Mapping[str, Any]) -> None:
    import pandas as pd

    from melanoma_core.data.overview import describe_imbalance, total_counts

    print_table(document["counts"])
    counts = pd.DataFrame.from_dict(document["counts"], orient="index", columns=None)
    totals = total_counts(counts) if document["counts"] else {}
    print(f"\n{describe_imbalance(totals)}")


def _print_labels(labels: Sequence[Mapping[str, Any]]) -> None:
    for title, known in (("Labels", True), ("None of the eight diagnoses", False)):
        texts = [
            f"{each['name'] or 'no label'} ({each['num_images']:,})"
            for each in labels
            if (each["diagnosis"] is not None) is known
        ]
        if texts:
            more = f" and {len(texts) - _MAX_LABELS:,} more" if len(texts) > _MAX_LABELS else ""
            print(f"{title}, as written: {', '.join(texts[:_MAX_LABELS])}{more}.")


def _print_sizes(sizes: Mapping[str, Mapping[str, float | None]]) -> None:
    if sizes["width"]["min"] is not None:
        texts = (f"{side} {s['min']:.0f} to {s['max']:.0f} px" for side, s in sizes.items())
        print(f"Sizes: {', '.join(texts)}.")


def _print_confirmations(counts: Mapping[str, Any]) -> None:
    if counts:
        print("\nImages by diagnosis and how it is known:")
        print_table(dict(counts))
    else:
        print("No table states how the diagnoses are known.")


def _print_skin_tones(counts: Mapping[str, int], agreement: "Figure | None") -> None:
    print(f"Skin: {', '.join(f'{name} ({count:,})' for name, count in counts.items())}.")
    if agreement:
        print(
            "Spearman correlation of estimated angle and Fitzpatrick type (perfect: -1): "
            f"{agreement.value:.2f} (95% CI {agreement.low:.2f} to {agreement.high:.2f}; "
            f"{agreement.total:,} images of {agreement.num_lesions:,} lesions or patients)."
        )


def _print_decisions(document: Mapping[str, Any]) -> None:
    for what, title in (
        ("left_out", "Left out"),
        ("relabelled", "Relabelled"),
        ("training_alone", "With a risk tier alone"),
    ):
        for reason, count in document[what].items():
            print(f"{title}: {count:,} files: {reason}.")


def _audit(options: argparse.Namespace) -> int:
    from melanoma_core.data.audit import audit_records
    from melanoma_core.data.cleaned_table import write_decisions
    from melanoma_core.data.cleaning import WITH_DIAGNOSIS, decide_files

    _check_out(options.out, options.folder)
    opened = open_files(options.folder)
    known = opened.companions
    audit = audit_records(opened.records, known.known_lesions, known.known_sources, opened.census)
    decisions = decide_files(opened.records)
    if options.out:
        _write(options.out, lambda: write_decisions(decisions, opened.folder, options.out))
    cleaned = {
        "num_images": int(decisions["action"].isin(WITH_DIAGNOSIS).sum()),
        **_describe_decisions(decisions),
        "table": str(options.out) if options.out else None,
    }
    if options.json:
        print_json(to_jsonable(audit) | {"cleaned": cleaned})
        return 0
    print(f"{audit.verdict}\n{audit.describe_people()} {audit.describe_confirmations()}")
    for finding in audit.findings:
        effects = {
            "Changes labels.": finding.changes_labels,
            "Inflates metrics.": finding.inflates_scores,
        }
        text = " ".join(effect for effect, holds in effects.items() if holds)
        print(f"\n[{finding.severity}] {finding.sentence} {text}".rstrip())
    print(f"\nCleaned table: {cleaned['num_images']:,} images.")
    _print_decisions(cleaned)
    return 0


def _check_out(out: Path | None, folder: Path) -> None:
    """Check before the work that an output file can be written outside the dataset."""
    if out is None:
        return
    if real_path(out).is_relative_to(real_path(folder)):
        raise FolderError(
            f"{out} is inside the folder of the dataset, which is never changed. Choose a file "
            "elsewhere."
        )
    if out.is_dir():
        raise FolderError(f"{out} is a folder. Choose a file.")
    make_folder(out.parent)


def _write(out: Path, write: Callable[[], object]) -> None:
    with explain_write_errors(out, "or choose another file"):
        write()
    log(f"Wrote {out}")


def _split(options: argparse.Namespace) -> int:
    from melanoma_core.data.overview import count_groups

    _check_out(options.out, options.folder)
    split = draw_split(options)
    table = split.table
    if options.out:
        out = options.out
        _write(out, lambda: out.write_bytes(format_table(table)))
    groups = count_groups(table)
    classes = _describe_classes(table)
    document = {
        "seed": split.seed,
        "sha256": split.sha256,
        "num_images": len(table),
        "counts": classes["counts"],
        "groups": groups.to_dict("records"),
        "table": str(options.out) if options.out else None,
    }
    if options.json:
        print_json(document)
        return 0
    print_table(classes["counts"])
    print(f"\n{groups.rename(columns={'shared': 'in several subsets'}).to_string(index=False)}")
    print(f"\nSeed {split.seed}, table {split.sha256}")
    return 0


def _parse_seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**32:  # the range that scikit-learn accepts
        raise argparse.ArgumentTypeError(f"found {text}; a seed must lie in [0, 2^32)")
    return seed
