"""Promote models and roll back. Every change is recorded with the person and the reason.

The alias "deployed" in MLflow's model registry is authoritative. deployed.json beside the models
(`models.registry`) is a copy that pages can read without a database. Both are changed under one
lock, which the operating system releases if a process dies. Every access synchronises the two.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from filelock import FileLock

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import check_signature, require
from melanoma_core.deployment.comparison import (
    ComparedModel,
    Comparison,
    compare_models,
    list_unread,
    load_compared_model,
)
from melanoma_core.deployment.gate import Margins, Verdict, judge
from melanoma_core.deployment.versions import (
    Alias,
    Change,
    Event,
    EventKind,
    RegistryState,
    Version,
    begin_change,
    carry_out,
    end_change,
    get_exact_time,
    make_change,
    read_versions,
    register_version,
)
from melanoma_core.errors import ModelError, RunError
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.identifiers import IdKey, find_key
from melanoma_core.models.registry import BUNDLED, Pointer, find_model, read_pointer, write_pointer
from melanoma_core.runs.record import Record, has_record, open_record
from melanoma_core.settings import Settings

_LOCK_NAME = "registry.lock"
_LOCK_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Deployment:
    """The deployed model and its history.

    Attributes:
        deployed_id: Id of the deployed model: the promoted one, or the bundled one.
        previous_id: Id of the model that a rollback restores; None if there is none.
        events: All events, the newest first.
        pinned_id: Id of the model named by MELANOMA_MODEL, which reads instead; None if not set.
    """

    deployed_id: str
    previous_id: str | None
    events: tuple[Event, ...]
    pinned_id: str | None


@dataclass(frozen=True, eq=False)
class Proposal:
    """A candidate with its comparison and the verdict of the gate.

    Attributes:
        candidate: Card of the candidate.
        deployed_id: Id of the model that it would replace.
        deployed: Card of that model. If it is missing, card of the bundled model, which reads
            instead.
        comparison: The comparison of both; or, in a sentence, why there is none.
        verdict: The decision of the gate.
        unread: Test photographs without a prediction of the deployed model.
    """

    candidate: ModelCard
    deployed_id: str
    deployed: ModelCard
    comparison: Comparison | str
    verdict: Verdict
    unread: pd.DataFrame


def synchronise_deployment(settings: Settings) -> Deployment:
    """Bring deployed.json in line with the registry, and return the deployed model.

    Raises:
        RunError: The tracking store cannot be used.
        FolderError: deployed.json has to be written and cannot be.
    """
    if not has_record(settings) and not _has_pointer(settings):
        return Deployment(_bundled_id(), None, (), settings.model)
    with _lock_registry(settings) as record:
        state = _synchronise(settings, record)
    previous = state.find(Alias.PREVIOUS)
    return Deployment(
        _name_deployed(state),
        _name(previous) if previous else None,
        state.events,
        settings.model,
    )


def propose(
    settings: Settings,
    model_id: str,
    deployed_id: str,
    read_again: pd.DataFrame | None = None,
) -> Proposal:
    """Compare a candidate with the deployed model and apply the gate. Changes nothing.

    Args:
        settings: The models folder and the margins of the gate.
        model_id: Id of the candidate.
        deployed_id: As returned by `synchronise_deployment`.
        read_again: Further predictions of the deployed model (`comparison.compare_models`).

    Raises:
        ModelError: One of the models is missing or damaged.
    """
    key = find_key(settings)
    candidate = load_compared_model(find_model(settings, model_id), key)
    deployed = _gather_deployed(settings, deployed_id, key)
    comparison = compare_models(candidate, deployed, read_again)
    verdict = judge(
        model_id,
        deployed.card.model_id,
        candidate.card.leakage,
        comparison,
        Margins(settings.sensitivity_margin, settings.specificity_margin),
    )
    unread = list_unread(candidate, deployed, read_again)
    return Proposal(candidate.card, deployed_id, deployed.card, comparison, verdict, unread)


def promote(settings: Settings, proposal: Proposal, by: str = "", override: str = "") -> Event:
    """Deploy a candidate if the gate allows it or a person overrides the gate.

    Args:
        settings: The models folder and the tracking store.
        proposal: As returned by `propose`.
        by: Name of the person; required for an override.
        override: Reason for overriding the gate; empty for no override.

    Returns:
        The recorded event. Its kind is `EventKind.REFUSED` if the gate refuses the candidate and
        is not overridden.

    Raises:
        ModelError: An override has no name, the network cannot be loaded, or another model was
            deployed in the meantime.
        RunError: The tracking store cannot be used. Nothing has changed.
    """
    require(Right.DEPLOY)
    by, override = by.strip(), override.strip()
    check_signature(by)
    model_id, before = proposal.candidate.model_id, proposal.deployed_id
    if override and not by:
        raise ModelError(
            "Found a reason to override the gate and no name. Both are recorded. Enter your name."
        )
    kind = _choose_kind(proposal.verdict, override)
    if kind is not EventKind.REFUSED:
        _check_readable(settings, model_id)
    with _lock_registry(settings) as record:
        state = _synchronise(settings, record)
        if (now := _name_deployed(state)) != before:
            raise ModelError(
                f"{model_id} was compared with {before}, but {now} has since been deployed"
                f"{_name_promoter(state)}. Compare it with {now}."
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
        aliases = {}
        if kind is not EventKind.REFUSED:
            # If the deployed model was missing, a rollback restores the model that read instead.
            previous = _register(settings, record, proposal.deployed.model_id)
            aliases = {Alias.PREVIOUS: previous, Alias.DEPLOYED: number}
        return _change(settings, record, make_change(event, number, aliases))


def roll_back(settings: Settings, by: str = "") -> Event:
    """Deploy the previous model again. A second rollback undoes the first.

    Raises:
        ModelError: There is no previous model, or it is missing or cannot be loaded.
        RunError: The tracking store cannot be used. Nothing has changed.
    """
    require(Right.DEPLOY)
    check_signature(by)
    with _lock_registry(settings) as record:
        state = _synchronise(settings, record)
        previous = state.find(Alias.PREVIOUS)
        if previous is None:
            raise ModelError(
                "Found no previous model: no model has been promoted yet. Promote one with "
                "`python -m melanoma_core promote ID`."
            )
        model_id = _name(previous)
        _check_readable(settings, model_id)
        before = _name_deployed(state)
        event = Event(EventKind.ROLLED_BACK, model_id, before, by.strip(), "", (), get_exact_time())
        number = _register(settings, record, model_id)
        deployed = state.find(Alias.DEPLOYED)
        back = deployed.number if deployed else _register(settings, record, before)
        aliases = {Alias.PREVIOUS: back, Alias.DEPLOYED: number}
        return _change(settings, record, make_change(event, number, aliases))


def _check_readable(settings: Settings, model_id: str) -> None:
    """Load a model once, so that a damaged one is never deployed."""
    from melanoma_core.models.classifier import load_classifier

    load_classifier(find_model(settings, model_id), num_threads=1)


def _choose_kind(verdict: Verdict, override: str) -> EventKind:
    if verdict.is_allowed:
        return EventKind.PROMOTED
    return EventKind.OVERRIDDEN if override else EventKind.REFUSED


def _change(settings: Settings, record: Record, change: Change) -> Event:
    begin_change(record, change)
    _finish(settings, record, change)
    return change.event


def _finish(settings: Settings, record: Record, change: Change) -> RegistryState:
    """Carry out a change that was begun. If the process is killed, `_synchronise` does the rest.

    deployed.json comes after the event: no model ever reads without one.
    """
    carry_out(record, change)
    state = read_versions(record)
    _follow_alias(settings, state)
    end_change(record)
    return state


def _follow_alias(settings: Settings, state: RegistryState) -> None:
    """Bring deployed.json in line with the alias "deployed", which exists."""
    deployed, written = state.find(Alias.DEPLOYED), _read_pointer(settings)
    if deployed is None:
        return
    against_gate = state.was_overridden(deployed.model_id)
    if against_gate is None:  # the registry was lost, and the file still knows
        against_gate = (
            written is not None and written.model_id == deployed.model_id and written.against_gate
        )
    pointer = Pointer(deployed.model_id, deployed.is_bundled, get_exact_time(), against_gate)
    if written is None or replace(written, at=pointer.at) != pointer:
        write_pointer(settings.models_dir, pointer)


def _synchronise(settings: Settings, record: Record) -> RegistryState:
    """Bring deployed.json and the alias in the registry in line.

    The alias is authoritative. If the registry has none, the alias is restored from the file: the
    deployed model must not change because the store was lost or replaced.
    """
    state = read_versions(record)
    if state.pending:  # its process was killed
        state = _finish(settings, record, state.pending)
    if state.find(Alias.DEPLOYED) is not None:
        _follow_alias(settings, state)
        return state
    pointer = _read_pointer(settings)
    if pointer is None:
        write_pointer(settings.models_dir, None)  # removes a damaged file
        return state
    return _restore_alias(settings, record, pointer.model_id, pointer.is_bundled)


def _restore_alias(
    settings: Settings, record: Record, model_id: str, is_bundled: bool
) -> RegistryState:
    try:
        number = _register(settings, record, model_id, is_bundled)
    except ModelError:  # missing too: the bundled model reads, with a notice on every page
        return read_versions(record)
    event = Event(EventKind.RECOVERED, model_id, None, "", "", (), get_exact_time())
    _change(settings, record, make_change(event, number, {Alias.DEPLOYED: number}))
    return read_versions(record)


def _read_pointer(settings: Settings) -> Pointer | None:
    """Return the content of deployed.json; None if there is none or it is damaged."""
    try:
        return read_pointer(settings.models_dir)
    except ModelError:
        return None


def _register(
    settings: Settings, record: Record, model_id: str, is_bundled: bool | None = None
) -> str:
    if is_bundled is None:
        is_bundled = model_id == _bundled_id()
    if not is_bundled:
        find_model(settings, model_id)
    return register_version(record, model_id, is_bundled)


def _gather_deployed(settings: Settings, deployed_id: str, key: IdKey) -> ComparedModel:
    try:
        return load_compared_model(find_model(settings, deployed_id), key)
    except ModelError:
        return load_compared_model(BUNDLED, key)  # missing: this one reads instead


def _name_deployed(state: RegistryState) -> str:
    deployed = state.find(Alias.DEPLOYED)
    return _name(deployed) if deployed else _bundled_id()


def _name(version: Version) -> str:
    """Return the id of a version's model. For the bundled model, that is the current one."""
    return _bundled_id() if version.is_bundled else version.model_id


def _bundled_id() -> str:
    return load_card(BUNDLED).model_id


def _has_pointer(settings: Settings) -> bool:
    try:
        return read_pointer(settings.models_dir) is not None
    except ModelError:
        return True


def _name_promoter(state: RegistryState) -> str:
    name = state.events[0].by if state.events else ""
    return f" by {name}" if name else ""


@contextmanager
def _lock_registry(settings: Settings) -> Iterator[Record]:
    """Yield the record while no other process on this computer can change the deployment."""
    record = open_record(settings)
    lock = FileLock(settings.runs_dir / _LOCK_NAME, timeout=_LOCK_TIMEOUT_SECONDS)
    try:
        lock.acquire()
    except (TimeoutError, OSError) as error:  # filelock's Timeout is a TimeoutError
        raise RunError(
            f"Cannot lock {settings.runs_dir / _LOCK_NAME} ({error}). Another process is promoting "
            "a model, or the folder is not writable. Try again."
        ) from error
    try:
        yield record
    finally:
        lock.release()


def find_candidates(
    models: list[tuple[Path, ModelCard]], deployment: Deployment
) -> list[ModelCard]:
    """Return the cards of all models except the deployed one, the newest first."""
    cards = [card for _, card in models if card.model_id != deployment.deployed_id]
    return sorted(cards, key=lambda card: card.created_at, reverse=True)
