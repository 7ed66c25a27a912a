"""The commands `models`, `promote` and `rollback`, which do the same as the Models page."""

import argparse
import dataclasses
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoma_core.cli.averaging import add_average_command
from melanoma_core.cli.terminal import log, make_counter, print_json, write_output
from melanoma_core.errors import RunError
from melanoma_core.jsonable import to_jsonable
from melanoma_core.settings import Settings, load_settings

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.deployment.comparison import Comparison
    from melanoma_core.deployment.promotion import Deployment, Proposal
    from melanoma_core.deployment.versions import Event


def add_model_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add `models`, `promote` and `rollback` to the command line."""
    models = commands.add_parser("models", help="list the models")
    models.add_argument("--json", action="store_true", help="print the model cards as JSON")
    models.set_defaults(run=_list)
    shown = models.add_subparsers(metavar="COMMAND")
    show = shown.add_parser("show", help="show the model card of one model")
    show.add_argument("model", metavar="ID")
    show.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the model card as Markdown"
    )
    show.add_argument("--pdf", type=Path, metavar="FILE", help="write the card as PDF")
    show.add_argument("--json", action="store_true", help="print the evidence pack as JSON")
    show.set_defaults(run=_show)

    recompute = shown.add_parser(
        "recompute",
        help="write a model as a new one: same weights, calibration and metrics computed again",
    )
    recompute.add_argument("model", metavar="ID")
    recompute.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="folders with all validation and test photographs of the model, which are found by "
        "their content",
    )
    recompute.add_argument("--json", action="store_true", help="print the new model card as JSON")
    recompute.set_defaults(run=_recompute)

    add_average_command(shown)

    promote = commands.add_parser("promote", help="deploy a model, if the gate allows it")
    promote.add_argument("model", metavar="ID")
    promote.add_argument(
        "--override",
        default="",
        metavar="REASON",
        help="promote against the gate, for this reason; needs --by",
    )
    promote.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with the candidate's test photographs, which the deployed model then reads if "
        "it has no predictions for them",
    )
    promote.set_defaults(run=_promote)

    rollback = commands.add_parser("rollback", help="deploy the previous model again")
    rollback.set_defaults(run=_roll_back)
    for parser in (promote, rollback):
        parser.add_argument("--by", default="", metavar="NAME", help="your name, which is recorded")
        parser.add_argument("--json", action="store_true", help="print one JSON document")


def _list(options: argparse.Namespace) -> int:
    from melanoma_core.models.card_text.tables import write_figures
    from melanoma_core.models.registry import list_damaged, list_models

    settings = load_settings()
    cards = [card for _, card in list_models(settings)]
    for reason in list_damaged(settings):
        log(f"Not listed: {reason}")
    deployment = _get_deployment(settings)
    if options.json:
        states = [{"state": _name_state(card.model_id, deployment)} for card in cards]
        print_json([to_jsonable(card) | state for card, state in zip(cards, states, strict=True)])
        return 0
    for card in cards:
        threshold = card.operating_point.threshold
        state = _name_state(card.model_id, deployment)
        print(
            f"{card.model_id}, {state}, made {card.created_at}, alert threshold {threshold:.4f}\n"
        )
        print(f"{write_figures(card)}\n")
    _log_serving(settings)
    return 0


def _get_deployment(settings: Settings) -> "Deployment":
    """Return the deployed model; from deployed.json if the tracking store cannot be used."""
    from melanoma_core.deployment.promotion import Deployment, synchronise_deployment
    from melanoma_core.models.card import load_card
    from melanoma_core.models.registry import find_serving

    try:
        return synchronise_deployment(settings)
    except RunError as error:
        log(str(error))
        serving = load_card(find_serving(settings).folder)
        return Deployment(serving.model_id, None, (), settings.model)


def _show(options: argparse.Namespace) -> int:
    from melanoma_core.models.card import load_card
    from melanoma_core.models.card_text.markdown import write_markdown
    from melanoma_core.models.card_text.sections import build_sections
    from melanoma_core.models.evidence import describe_evidence, read_evidence
    from melanoma_core.models.registry import find_model

    folder = find_model(load_settings(), options.model)
    card, evidence = load_card(folder), read_evidence(folder)
    sections = build_sections(card, evidence)
    if options.markdown:
        write_output(options.markdown, write_markdown(card.model_id, sections).encode("utf-8"))
    if options.pdf:
        from melanoma_core.models.card_text.pdf import write_pdf

        write_output(options.pdf, write_pdf(card.model_id, sections, card.created_at))
    if options.json:
        print_json(describe_evidence(card, evidence))
    elif not (options.markdown or options.pdf):
        print(write_markdown(card.model_id, sections), end="")
    return 0


def _recompute(options: argparse.Namespace) -> int:
    from melanoma_core.cli.files import open_files
    from melanoma_core.models.card import load_card
    from melanoma_core.models.card_text.tables import write_figures
    from melanoma_core.models.registry import find_model
    from melanoma_core.networks.found import Photographs
    from melanoma_core.networks.recompute import recompute_model

    settings = load_settings()
    folder = find_model(settings, options.model)
    photographs = Photographs(
        [open_files(each).records for each in options.data],
        options.data,
        make_counter("Classifying photographs"),
    )
    written = recompute_model(folder, photographs, settings.models_dir)
    card = load_card(written)
    log(f"Wrote {written}. `python -m melanoma_core promote {card.model_id}` deploys it.")
    if options.json:
        print_json(to_jsonable(card))
    else:
        print(f"{card.model_id}, recomputed from {options.model}\n\n{write_figures(card)}")
    return 0


def _name_state(model_id: str, deployment: "Deployment") -> str:
    if model_id == deployment.deployed_id:
        return "deployed"
    return "deployed before" if model_id == deployment.previous_id else "candidate"


def _log_serving(settings: Settings) -> None:
    """Log if another model than the deployed one reads."""
    from melanoma_core.models.registry import Ground, find_serving

    serving = find_serving(settings)
    if serving.notice:
        log(serving.notice)
    if serving.ground is Ground.PINNED:
        log(
            f"MELANOMA_MODEL names {settings.model}, which is used instead of the deployed model. "
            "Unset it to use the deployed model."
        )


def _promote(options: argparse.Namespace) -> int:
    from melanoma_core.deployment.promotion import promote, propose, synchronise_deployment
    from melanoma_core.deployment.versions import EventKind

    settings = load_settings()
    deployed_id = synchronise_deployment(settings).deployed_id
    proposal = propose(settings, options.model, deployed_id)
    if options.data and len(proposal.unread):
        again = _read_unread(settings, proposal, options.data)
        proposal = propose(settings, options.model, deployed_id, again)
    event = promote(settings, proposal, options.by or _guess_name(options), options.override)
    _print_event(event, options.json, proposal)
    _log_serving(settings)
    return 2 if event.kind is EventKind.REFUSED else 0


def _roll_back(options: argparse.Namespace) -> int:
    from melanoma_core.deployment.promotion import roll_back

    settings = load_settings()
    _print_event(roll_back(settings, options.by or _guess_name(options)), options.json)
    _log_serving(settings)
    return 0


def _guess_name(options: argparse.Namespace) -> str:
    """Return the name of the account; "" for an override, which a person has to sign."""
    if getattr(options, "override", ""):
        return ""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # for example in a container without accounts
        return ""


def _read_unread(settings: Settings, proposal: "Proposal", folder: Path) -> "pd.DataFrame":
    from melanoma_core.assessment.assessment import locate_photographs, read_again
    from melanoma_core.cli.files import open_files
    from melanoma_core.models.classifier import load_classifier
    from melanoma_core.models.registry import find_model

    rows = locate_photographs(proposal.unread, open_files(folder).records)
    log(f"Found {len(rows)} of {len(proposal.unread)} missing test photographs in {folder}.")
    classifier = load_classifier(find_model(settings, proposal.deployed.model_id))
    return read_again(classifier, rows, make_counter("Reading photographs"))


def _print_event(event: "Event", as_json: bool, proposal: "Proposal | None" = None) -> None:
    from melanoma_core.deployment.comparison import Comparison
    from melanoma_core.deployment.versions import EventKind

    comparison = proposal.comparison if proposal else None
    if as_json:
        document = to_jsonable(event) | {"refused": event.kind is EventKind.REFUSED}
        known = comparison if isinstance(comparison, Comparison) else None
        print_json(document | {"comparison": known and _describe(known)})
        return
    if event.kind is EventKind.REFUSED:
        log(f"The gate refuses {event.model_id}:")
        for reason in event.verdict:
            log(f"- {reason}")
        log("To promote it against the gate, add --by NAME --override REASON. Both are recorded.")
        return
    print(f"{event.model_id} {event.kind}" if event.reason else f"{event.model_id} is deployed")
    for reason in event.verdict:
        log(f"- {reason}")
    log(f"Previous model: {event.previous_id}. `python -m melanoma_core rollback` restores it.")


def _describe(comparison: "Comparison") -> dict[str, Any]:
    """Return a comparison as JSON can hold it: what is undefined is null."""
    document = {
        field.name: to_jsonable(getattr(comparison, field.name))
        for field in dataclasses.fields(comparison)
        if field.name != "disagreements"
    }
    document["disagreements"] = comparison.disagreements.to_dict("records")
    return document
