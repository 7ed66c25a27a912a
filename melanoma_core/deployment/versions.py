"""MLflow's model registry: versions, the aliases "deployed" and "previous", and events.

The registry is in the tracking store of the runs. MLflow keeps no history of an alias, so every
event is a tag of the registered model. Each tag has a unique name, so that concurrent writers do
not overwrite each other.

A change takes several writes. Therefore it is first stored as a whole, in one tag, and then carried
out: whatever kills a process in between, the next one finds the tag and does the rest.
"""

import json
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from melanoma_core.errors import RunError
from melanoma_core.jsonable import dump_json, from_jsonable
from melanoma_core.runs.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

_REGISTERED = "melanoma"
_MODEL_ID, _BUNDLED = "model_id", "bundled"
_EVENT, _PENDING = "event.", "pending"
_MAX_CHARACTERS = 2000  # of each text of an event; MLflow limits the length of a tag
_MAX_REASONS = 8
_Kind = TypeVar("_Kind")


class Alias(StrEnum):
    """An alias of a model version."""

    DEPLOYED = "deployed"
    PREVIOUS = "previous"


class EventKind(StrEnum):
    """The kind of an event. The values are stored in the registry."""

    PROMOTED = "promoted"
    OVERRIDDEN = "promoted against the gate"
    REFUSED = "refused"
    ROLLED_BACK = "brought back by a rollback"
    RECOVERED = "recovered from the file beside the models"


@dataclass(frozen=True)
class Event:
    """A change of the deployed model, or a refusal.

    Attributes:
        kind: What happened.
        model_id: Id of the model that it happened to.
        previous_id: Id of the model that was deployed before; None if unknown.
        by: Name of the person; empty if not given.
        reason: Reason for an override; else empty.
        verdict: Reasons of the gate, one sentence each.
        at: UTC, ISO 8601.
    """

    kind: EventKind
    model_id: str
    previous_id: str | None
    by: str
    reason: str
    verdict: tuple[str, ...]
    at: str


@dataclass(frozen=True)
class Change:
    """An event with what it changes.

    Attributes:
        event: The event.
        number: Number of the version that it concerns.
        aliases: New version numbers by alias; none where nothing is deployed.
        key: Name of the tag of the event, so that it is stored once.
    """

    event: Event
    number: str
    aliases: dict[str, str]
    key: str


@dataclass(frozen=True)
class Version:
    """A model version in the registry.

    Attributes:
        number: MLflow's version number.
        model_id: Id of the model, as in its card.
        is_bundled: Whether it is the bundled model.
    """

    number: str
    model_id: str
    is_bundled: bool


@dataclass(frozen=True)
class RegistryState:
    """The content of the registry.

    Attributes:
        versions: Versions by number.
        aliases: Version numbers by alias.
        events: All events, the newest first.
        pending: The change that was begun and not finished, if there is one.
    """

    versions: "Mapping[str, Version]"
    aliases: "Mapping[str, str]"
    events: tuple[Event, ...]
    pending: Change | None = None

    def find(self, alias: Alias) -> Version | None:
        """Return the version with an alias; None if there is none."""
        return self.versions.get(self.aliases.get(alias, ""))

    def was_overridden(self, model_id: str) -> bool | None:
        """Return whether the last promotion of a model was against the gate; None without one."""
        kinds = [event.kind for event in self.events if event.model_id == model_id]
        promotions = [kind for kind in kinds if kind in {EventKind.PROMOTED, EventKind.OVERRIDDEN}]
        return promotions[0] is EventKind.OVERRIDDEN if promotions else None


def read_versions(record: Record) -> RegistryState:
    """Return the content of the registry; empty if it does not exist yet.

    Raises:
        RunError: The tracking store cannot be used.
    """
    with record.explain_errors():
        # A search returns an empty list where a get would raise.
        found = record.client.search_registered_models(f"name='{_REGISTERED}'")
        if not found:
            return RegistryState({}, {}, ())
        listed = record.client.search_model_versions(f"name='{_REGISTERED}'")
        versions = [
            Version(str(each.version), each.tags.get(_MODEL_ID, ""), _BUNDLED in each.tags)
            for each in listed
        ]
        tags = found[0].tags
        events = [_read(Event, key, text) for key, text in tags.items() if key.startswith(_EVENT)]
        return RegistryState(
            {version.number: version for version in versions},
            {alias: str(number) for alias, number in found[0].aliases.items()},
            tuple(sorted(events, key=lambda event: event.at, reverse=True)),
            _read(Change, _PENDING, tags[_PENDING]) if tags.get(_PENDING) else None,
        )


def register_version(record: Record, model_id: str, is_bundled: bool) -> str:
    """Register a model if it has no version yet, and return its version number.

    Args:
        record: The run history.
        model_id: Id of the model; MLflow also gets it as the source of the version.
        is_bundled: Whether it is the bundled model.

    Raises:
        RunError: The tracking store cannot be used.
    """
    with record.explain_errors():
        if not record.client.search_registered_models(f"name='{_REGISTERED}'"):
            record.client.create_registered_model(
                _REGISTERED, description="Classifiers for dermoscopic photographs of skin lesions."
            )
        for version in read_versions(record).versions.values():
            if version.model_id == model_id:
                return version.number
        tags = {_MODEL_ID: model_id} | ({_BUNDLED: "yes"} if is_bundled else {})
        return str(record.client.create_model_version(_REGISTERED, model_id, tags=tags).version)


def make_change(event: Event, number: str, aliases: "Mapping[Alias, str] | None" = None) -> Change:
    """Return a change for `begin_change`.

    Args:
        event: The event.
        number: Number of the version that it concerns.
        aliases: New version numbers by alias.
    """
    # MLflow allows colons in a name, but not the plus of a time zone.
    key = f"{_EVENT}{event.at.removesuffix('+00:00')}Z.{secrets.token_hex(4)}"
    short = replace(
        event,
        by=event.by[:_MAX_CHARACTERS],
        reason=event.reason[:_MAX_CHARACTERS],
        verdict=tuple(text[:_MAX_CHARACTERS] for text in event.verdict[:_MAX_REASONS]),
    )
    return Change(short, number, {str(alias): of for alias, of in (aliases or {}).items()}, key)


def begin_change(record: Record, change: Change) -> None:
    """Store a change. From now on it will be carried out, by this process or by another.

    Raises:
        RunError: The tracking store cannot be used.
    """
    _set_tag(record, _PENDING, dump_json(change))


def carry_out(record: Record, change: Change) -> None:
    """Set the aliases of a change and store its event. It may have been done in part before.

    The fields of the event also become tags of the version, for other tools.

    Raises:
        RunError: The tracking store cannot be used.
    """
    with record.explain_errors():
        for alias, number in change.aliases.items():
            record.client.set_registered_model_alias(_REGISTERED, alias, number)
    event = change.event
    tags = {"state": event.kind, "by": event.by, "reason": event.reason, "at": event.at}
    with record.explain_errors():
        for name, value in tags.items():
            record.client.set_model_version_tag(_REGISTERED, change.number, name, value)
    _set_tag(record, change.key, dump_json(event))


def end_change(record: Record) -> None:
    """Forget the change that was begun, because all of it is done.

    Raises:
        RunError: The tracking store cannot be used.
    """
    _set_tag(record, _PENDING, "")  # to delete a tag that another process has deleted is an error


def get_exact_time() -> str:
    """Return the current time (UTC, ISO 8601, with microseconds), by which events are sorted."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _set_tag(record: Record, key: str, value: str) -> None:
    with record.explain_errors():
        record.client.set_registered_model_tag(_REGISTERED, key, value)


def _read(kind: type[_Kind], key: str, text: str) -> _Kind:
    try:
        return from_jsonable(kind, json.loads(text))
    except (ValueError, TypeError) as error:
        raise RunError(
            f'Cannot read the tag "{key}" of the registered model "{_REGISTERED}" ({error}). '
            "Another program changed it. Restore it or delete it there."
        ) from error
