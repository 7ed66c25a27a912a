"""Which model reads: proposed, judged, promoted, rolled back; each with who and why.

The alias "deployed" of MLflow's registry is the truth, and the file beside the models
(`models.pointer`) the copy that pages read. Both are changed under one lock, which a process that
dies gives back; whoever looks finds out where they differ, and mends it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from filelock import FileLock

from melanoma_core.deployment.comparison import (
    Comparison,
    ComparedModel,
    compare_models,
    list_unread,
    load_compared_model,
)
from melanoma_core.deployment.gate import Margins, Verdict, judge
from melanoma_core.deployment.versions import (
    Alias,
    Event,
    EventKind,
    Registered,
    Version,
    add_event,
    get_exact_time,
    read_versions,
    register_version,
    set_alias,
)
from melanoma_core.errors import ModelError, RunError
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.registry import BUNDLED, Pointer, find_model, read_pointer, write_pointer
from melanoma_core.runs.record import Record, has_record, open_record
from melanoma_core.settings import Settings

_LOCK_NAME = "registry.lock"
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Deployment:
    """Which model reads, and how that came about.

    Attributes:
        deployed_id: Of the model that is deployed: promoted, or else the bundled one.
        previous_id: Of the model that a rollback brings back, or None.
        events: The newest first.
        pinned_id: Of the model that MELANOMA_MODEL names, which reads instead; or None.
    """

    deployed_id: str
    previous_id: str | None
    events: tuple[Event, ...]
    pinned_id: str | None


@dataclass(frozen=True, eq=False)
class Proposal:
    """A candidate, and all that speaks for and against it.

    Attributes:
        candidate: Its card.
        deployed_id: Of the model that it would replace.
        deployed: The card of that model; where it is gone, of the bundled one, which reads
            in its place.
        comparison: Of the two, or in a sentence why there is none.
        verdict: What the gate says.
        unread: Test photographs that the deployed model would have to read again.
    """

    candidate: ModelCard
    deployed_id: str
    deployed: ModelCard
    comparison: Comparison | str
    verdict: Verdict
    unread: pd.DataFrame


def sync_deployment(settings: Settings) -> Deployment:
    """Return which model is deployed and what happened, and mend the file where it differs.

    Raises:
        RunError: The store cannot be used.
        FolderError: The file had to be mended and cannot be.
    """
    if not has_record(settings) and not _has_pointer(settings):
        return Deployment(_bundled_id(), None, (), settings.model)
    with _hold(settings) as record:
        known = _mend(settings, record)
    previous = known.find(Alias.PREVIOUS)
    return Deployment(
        _name_deployed(known),
        _name(previous) if previous else None,
        known.events,
        settings.model,
    )


def propose(
    settings: Settings,
    model_id: str,
    deployed_id: str,
    read_again: pd.DataFrame | None = None,
) -> Proposal:
    """Compare a candidate with the deployed model and ask the gate; nothing is changed.

    Args:
        settings: Where models are, and the margin of the gate.
        model_id: The candidate's.
        deployed_id: As `sync_deployment` gave it.
        read_again: What the deployed model now says of photographs that it kept no reading of
            (`comparison.compare_models`).

    Raises:
        ModelError: One of the two is missing or damaged.
    """
    candidate = load_compared_model(find_model(settings, model_id))
    deployed = _gather_deployed(settings, deployed_id)
    comparison = compare_models(candidate, deployed, read_again)
    verdict = judge(
        model_id,
        deployed.card.model_id,
        candidate.card.leakage,
        comparison,
        Margins(settings.sensitivity_margin, settings.specificity_margin),
    )
    unread = list_unread(candidate, deployed)
    return Proposal(candidate.card, deployed_id, deployed.card, comparison, verdict, unread)


def promote(settings: Settings, proposal: Proposal, by: str = "", override: str = "") -> Event:
    """Deploy a candidate if the gate allows it, or if a person overrides the gate.

    Args:
        settings: Where everything is.
        proposal: What `propose` said.
        by: Who promotes; an override needs it.
        override: Why the gate is overridden; empty to heed it.

    Returns:
        What was done and recorded. It is a refusal (`EventKind.REFUSED`) where the gate says no
        and nobody overrides it.

    Raises:
        ModelError: An override lacks the name, the network cannot read, or another model was
            deployed meanwhile.
        RunError: The store cannot be used; nothing has changed then.
    """
    by, override = by.strip(), override.strip()
    model_id, before = proposal.candidate.model_id, proposal.deployed_id
    if override and not by:
        raise ModelError(
            "Found a reason to override the gate and no name. Both are recorded: name yourself."
        )
    kind = _choose_kind(proposal.verdict, override)
    if kind is not EventKind.REFUSED:
        _check_readable(settings, model_id)
    with _hold(settings) as record:
        known = _mend(settings, record)
        if (now := _name_deployed(known)) != before:
            raise ModelError(
                f"{model_id} was compared with {before}, but meanwhile {now} was deployed"
                f"{_tell_who(known)}. Compare it with that one."
            )
        event = Event(
            kind,
            model_id,
            before,
            by,
            override if kind is EventKind.OVERRIDDEN else "",
            proposal.verdict.reasons,
            get_exact_time(),
        )
        number = _register(settings, record, model_id)
        if kind is not EventKind.REFUSED:
            # Where the one before is gone, a rollback brings back what read in its place.
            previous = _register(settings, record, proposal.deployed.model_id)
            _deploy(settings, record, number, model_id, previous)
        add_event(record, event, number)
    return event


def roll_back(settings: Settings, by: str = "") -> Event:
    """Deploy the model again that was deployed before; a second rollback undoes the first.

    Raises:
        ModelError: There is none, or it is gone or cannot read.
        RunError: The store cannot be used; nothing has changed then.
    """
    with _hold(settings) as record:
        known = _mend(settings, record)
        previous = known.find(Alias.PREVIOUS)
        if previous is None:
            raise ModelError(
                "Nothing was promoted here yet, so that there is nothing to roll back to. "
                "`python -m melanoma_core promote ID` promotes a model."
            )
        model_id = _name(previous)
        _check_readable(settings, model_id)
        before = _name_deployed(known)
        event = Event(EventKind.ROLLED_BACK, model_id, before, by.strip(), "", (), get_exact_time())
        number = _register(settings, record, model_id)
        deployed = known.find(Alias.DEPLOYED)
        back = deployed.number if deployed else _register(settings, record, before)
        _deploy(settings, record, number, model_id, back)
        add_event(record, event, number)
    return event


def _check_readable(settings: Settings, model_id: str) -> None:
    """Load a model once, so that none is deployed which a page then cannot read with."""
    from melanoma_core.models.classifier import load_classifier

    load_classifier(find_model(settings, model_id), num_threads=1)


def _choose_kind(verdict: Verdict, override: str) -> EventKind:
    if verdict.is_allowed:
        return EventKind.PROMOTED
    return EventKind.OVERRIDDEN if override else EventKind.REFUSED


def _deploy(settings: Settings, record: Record, number: str, model_id: str, previous: str) -> None:
    # In this order, a process that is killed in between leaves an alias that a look mends.
    set_alias(record, Alias.PREVIOUS, previous)
    set_alias(record, Alias.DEPLOYED, number)
    is_bundled = model_id == _bundled_id()
    write_pointer(settings.models_dir, Pointer(model_id, is_bundled, get_exact_time()))


def _mend(settings: Settings, record: Record) -> Registered:
    """Let the file say what the alias does; where a store has no alias, it learns from the file.

    The second happens where the store was lost or another one is used: the model that reads must
    not change by that.
    """
    known = read_versions(record)
    deployed = known.find(Alias.DEPLOYED)
    try:
        pointer = read_pointer(settings.models_dir)
    except ModelError:
        pointer = None
    if deployed is None:
        if pointer is None:
            write_pointer(settings.models_dir, None)  # a damaged one
            return known
        return _recover(settings, record, pointer)
    if pointer is None or (pointer.model_id, pointer.is_bundled) != _place(deployed):
        write_pointer(settings.models_dir, Pointer(*_place(deployed), get_exact_time()))
    return known


def _recover(settings: Settings, record: Record, pointer: Pointer) -> Registered:
    try:
        number = _register(settings, record, pointer.model_id, pointer.is_bundled)
    except ModelError:  # it is gone as well: the bundled model reads, and every page says so
        return read_versions(record)
    set_alias(record, Alias.DEPLOYED, number)
    event = Event(EventKind.RECOVERED, pointer.model_id, None, "", "", (), get_exact_time())
    add_event(record, event, number)
    return read_versions(record)


def _place(version: Version) -> tuple[str, bool]:
    return version.model_id, version.is_bundled


def _register(
    settings: Settings, record: Record, model_id: str, is_bundled: bool | None = None
) -> str:
    if is_bundled is None:
        is_bundled = model_id == _bundled_id()
    if not is_bundled:
        find_model(settings, model_id)
    return register_version(record, model_id, model_id, is_bundled)


def _gather_deployed(settings: Settings, deployed_id: str) -> ComparedModel:
    try:
        return load_compared_model(find_model(settings, deployed_id))
    except ModelError:
        return load_compared_model(BUNDLED)  # gone: this one reads in its place


def _name_deployed(known: Registered) -> str:
    deployed = known.find(Alias.DEPLOYED)
    return _name(deployed) if deployed else _bundled_id()


def _name(version: Version) -> str:
    """Return the id of a version's model: the bundled one is that of today's project."""
    return _bundled_id() if version.is_bundled else version.model_id


def _bundled_id() -> str:
    return load_card(BUNDLED).model_id


def _has_pointer(settings: Settings) -> bool:
    try:
        return read_pointer(settings.models_dir) is not None
    except ModelError:
        return True


def _tell_who(known: Registered) -> str:
    who = known.events[0].by if known.events else ""
    return f" by {who}" if who else ""


@contextmanager
def _hold(settings: Settings) -> Iterator[Record]:
    """Keep others of this machine from promoting meanwhile."""
    record = open_record(settings)
    lock = FileLock(settings.runs_dir / _LOCK_NAME, timeout=_PATIENCE_SECONDS)
    try:
        lock.acquire()
    except (TimeoutError, OSError) as error:  # filelock's Timeout is a TimeoutError
        raise RunError(
            f"Cannot hold {settings.runs_dir / _LOCK_NAME} ({error}). Somebody else promotes a "
            "model, or the folder cannot be written to. Try again."
        ) from error
    try:
        yield record
    finally:
        lock.release()


def find_candidates(
    models: list[tuple[Path, ModelCard]], deployment: Deployment
) -> list[ModelCard]:
    """Return the cards of all models but the deployed one, the newest first."""
    cards = [card for _, card in models if card.model_id != deployment.deployed_id]
    return sorted(cards, key=lambda card: card.created_at, reverse=True)
