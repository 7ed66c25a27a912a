"""The four roles, and which of them each action needs. A person may have several roles."""

from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is here for."""

    READER = "reader"
    TRAINER = "trainer"
    STEWARD = "steward"
    AUDITOR = "auditor"

    @property
    def description(self) -> str:
        """What the role is for, as a sentence without its subject."""
        return _DESCRIPTIONS[self]


class Right(StrEnum):
    """An action that needs a role, in the words of a sentence: "to … needs the role …"."""

    READ = "read photographs"
    SEE_RECORD = "see the record"
    WRITE_RECORD = "write into the record"
    EXPORT = "take data out of the record"
    ERASE = "erase a patient"
    MANAGE_RECORD = "create, open, close or upgrade a record"
    READ_LOG = "read the audit log"
    CHANGE_DATA = "download or write a dataset"
    TRAIN = "launch, stop, resume or delete a run"
    EVALUATE = "evaluate a model"
    SEE_MODELS = "see the models"
    DEPLOY = "promote a model or roll it back"
    MANAGE_USERS = "give or take roles"
    BACK_UP = "back up or restore the server"


_DESCRIPTIONS = {
    Role.READER: "reads photographs and keeps the record",
    Role.TRAINER: "prepares data, trains and evaluates models",
    Role.STEWARD: "promotes models, gives roles, manages the record and erases patients",
    Role.AUDITOR: "reads the audit log and the record, and changes nothing",
}
NEEDED = MappingProxyType(
    {
        Right.READ: frozenset(Role),
        Right.SEE_RECORD: frozenset({Role.READER, Role.STEWARD, Role.AUDITOR}),
        Right.WRITE_RECORD: frozenset({Role.READER}),
        Right.EXPORT: frozenset({Role.READER, Role.STEWARD, Role.AUDITOR}),
        Right.ERASE: frozenset({Role.STEWARD}),
        Right.MANAGE_RECORD: frozenset({Role.STEWARD}),
        Right.READ_LOG: frozenset({Role.AUDITOR}),
        Right.CHANGE_DATA: frozenset({Role.TRAINER}),
        Right.TRAIN: frozenset({Role.TRAINER}),
        Right.EVALUATE: frozenset({Role.TRAINER}),
        Right.SEE_MODELS: frozenset(Role),
        Right.DEPLOY: frozenset({Role.STEWARD}),
        Right.MANAGE_USERS: frozenset({Role.STEWARD}),
        Right.BACK_UP: frozenset({Role.STEWARD}),
    }
)
"""Which roles may do what; one of them is enough."""
