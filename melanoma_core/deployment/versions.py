"""MLflow's model registry: versions, the aliases "deployed" and "previous", and what happened.

In the store of the runs. MLflow keeps no history of an alias, so that every event is a tag of the
registered model, under a name of its own: two people who write at once both leave theirs.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from melanoma_core.jsonable import dump_json, from_jsonable, to_jsonable
from melanoma_core.runs.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

REGISTERED = "melanoma"
_MODEL_ID, _BUNDLED = "model_id", "bundled"
_EVENT = "event."
_LONGEST = 2000  # characters of a text of an event; MLflow takes some thousands in a tag
_MOST_REASONS = 8


class Alias(StrEnum):
    """What a version may be called."""

    DEPLOYED = "deployed"
    PREVIOUS = "previous"


class EventKind(StrEnum):
    """What happened to a model."""

    PROMOTED = "promoted"
    OVERRIDDEN = "promoted against the gate"
    REFUSED = "refused"
    ROLLED_BACK = "brought back by a rollback"
    RECOVERED = "recovered from the file beside the models"


@dataclass(frozen=True)
class Event:
    """What happened, once.

    Attributes:
        kind: What.
        model_id: To which model.
        previous_id: Of the model that was deployed before, or None.
        by: Who did it; empty where nobody said.
        reason: Of an override, in that person's words; else empty.
        verdict: What the gate said, one sentence each.
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
class Version:
    """A model in the registry.

    Attributes:
        number: MLflow's.
        model_id: The card's.
        is_bundled: Whether it came with the project.
    """

    number: str
    model_id: str
    is_bundled: bool


@dataclass(frozen=True)
class Registered:
    """All that the registry knows.

    Attributes:
        versions: By number.
        aliases: Numbers by alias.
        events: The newest first.
    """

    versions: "Mapping[str, Version]"
    aliases: "Mapping[str, str]"
    events: tuple[Event, ...]

    def find(self, alias: Alias) -> Version | None:
        """Return the version of an alias."""
        return self.versions.get(self.aliases.get(alias, ""))


def read_versions(record: Record) -> Registered:
    """Return all that the registry knows; nothing where there is none yet.

    Raises:
        RunError: The store cannot be used.
    """
    with record.explain():
        # A search, which finds none where a get would raise.
        found = record.client.search_registered_models(f"name='{REGISTERED}'")
        if not found:
            return Registered({}, {}, ())
        listed = record.client.search_model_versions(f"name='{REGISTERED}'")
        versions = [
            Version(str(each.version), each.tags.get(_MODEL_ID, ""), _BUNDLED in each.tags)
            for each in listed
        ]
        events = [_read_event(text) for key, text in found[0].tags.items() if _is_event(key)]
        return Registered(
            {version.number: version for version in versions},
            {alias: str(number) for alias, number in found[0].aliases.items()},
            tuple(sorted(events, key=lambda event: event.at, reverse=True)),
        )


def register_version(record: Record, model_id: str, source: str, is_bundled: bool) -> str:
    """Return the number of a model's version, which is made where there is none.

    Args:
        record: Of the runs.
        model_id: The card's.
        source: The folder's name.
        is_bundled: Whether it comes with the project.

    Raises:
        RunError: The store cannot be used.
    """
    with record.explain():
        if not record.client.search_registered_models(f"name='{REGISTERED}'"):
            record.client.create_registered_model(
                REGISTERED, description="Networks that read photographs of skin lesions."
            )
        for known in read_versions(record).versions.values():
            if known.model_id == model_id:
                return known.number
        tags = {_MODEL_ID: model_id} | ({_BUNDLED: "yes"} if is_bundled else {})
        return str(record.client.create_model_version(REGISTERED, source, tags=tags).version)


def set_alias(record: Record, alias: Alias, number: str | None) -> None:
    """Give an alias to a version, or to none.

    Raises:
        RunError: The store cannot be used.
    """
    with record.explain():
        if number is None:
            record.client.delete_registered_model_alias(REGISTERED, alias)
        else:
            record.client.set_registered_model_alias(REGISTERED, alias, number)


def add_event(record: Record, event: Event, number: str) -> None:
    """Keep an event for ever, and what it tells as tags of the version, for other tools.

    Raises:
        RunError: The store cannot be used.
    """
    short = {
        "by": event.by[:_LONGEST],
        "reason": event.reason[:_LONGEST],
        "verdict": [sentence[:_LONGEST] for sentence in event.verdict[:_MOST_REASONS]],
    }
    # Colons are allowed in a name, the plus of a time zone is not.
    key = f"{_EVENT}{event.at.removesuffix('+00:00')}Z.{secrets.token_hex(4)}"
    tags = {"state": event.kind, "by": short["by"], "reason": short["reason"], "at": event.at}
    with record.explain():
        record.client.set_registered_model_tag(
            REGISTERED, key, dump_json(to_jsonable(event) | short)
        )
        for name, value in tags.items():
            record.client.set_model_version_tag(REGISTERED, number, name, value)


def get_exact_time() -> str:
    """Return the time: UTC, ISO 8601, to the microsecond, by which events are ordered."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _is_event(key: str) -> bool:
    return key.startswith(_EVENT)


def _read_event(text: str) -> Event:
    return from_jsonable(Event, json.loads(text))
