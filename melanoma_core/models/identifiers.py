"""Keyed hashes of the ids of lesions and patients, which a model must not carry to other people.

A model records what it was trained on, and goes to others. Its ids are therefore replaced by their
HMAC-SHA-256 (RFC 2104) under a key that stays in the folder of the runs. With the key, equal ids
have equal hashes, so that leakage is found as before. Without it, ids cannot be tested by trying
them, as they could with plain hashes, because clinics number their patients in sequence.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from melanoma_core.errors import ModelError
from melanoma_core.files import explain_write_errors, write_file
from melanoma_core.settings import Settings

_KEY_NAME = "identifiers.key"
_KEY_BYTES = 32
_COLUMNS = ("lesion_id", "patient_id")
_MARK = "hmac-sha256"
_DIGITS = 32  # of a hash, in hexadecimal: 128 bits, so that no two ids have the same
_ADVICE = "or set MELANOMA_RUNS_DIR to another folder, which then holds the key of new models"


@dataclass(frozen=True)
class IdKey:
    """The key of this installation.

    Attributes:
        secret: 32 random bytes.
    """

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(_KEY_BYTES), repr=False)

    @property
    def name(self) -> str:
        """What distinguishes this key from others, without revealing the secret."""
        return self._hash("name of the key")[:8]

    def hash_ids(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with the hashes of its ids.

        Args:
            table: May have `lesion_id` and `patient_id`. Hashes, of any key, stay as they are.

        Example:
            >>> key = IdKey(bytes(32))
            >>> key.hash_ids(pd.DataFrame({"lesion_id": ["L1", None]}))["lesion_id"].tolist()
            ['hmac-sha256:97a488b3:9113ce25c7f0c574b703eb56e33c4b7d', None]
        """
        hashed = {name: self._hash_column(table[name]) for name in _COLUMNS if name in table}
        return table.assign(**hashed)

    def _hash_column(self, ids: pd.Series) -> pd.Series:
        known = {each: self._hash_id(ids.name, each) for each in ids.dropna().unique()}
        return pd.Series([known.get(each) for each in ids], ids.index, dtype=object)

    def _hash_id(self, column: Any, value: Any) -> str:
        text = str(value)
        if _find_key_name(text):
            return text
        return f"{_MARK}:{self.name}:{self._hash(f'{column}={text}')[:_DIGITS]}"

    def _hash(self, text: str) -> str:
        return hmac.new(self.secret, text.encode("utf-8", "surrogateescape"), "sha256").hexdigest()


def find_key(settings: Settings) -> IdKey:
    """Return the key of this installation; where there is none yet, one that is not kept.

    Raises:
        ModelError: The file of the key is damaged.
    """
    path = settings.runs_dir / _KEY_NAME
    try:
        secret = bytes.fromhex(path.read_text("ascii"))
    except (FileNotFoundError, NotADirectoryError):
        return IdKey()
    except (OSError, ValueError) as error:
        raise _explain_damage(path, str(error)) from error
    if len(secret) != _KEY_BYTES:
        raise _explain_damage(path, f"it holds {len(secret)} bytes instead of {_KEY_BYTES}")
    return IdKey(secret)


def keep_key(settings: Settings) -> IdKey:
    """Return the key of this installation, which is made and kept where there is none yet.

    Raises:
        ModelError: The file of the key is damaged.
        FolderError: The file of the key cannot be written.
    """
    path = settings.runs_dir / _KEY_NAME
    with explain_write_errors(path, _ADVICE):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):  # or two runs would each make a key
            key = find_key(settings)
            if not path.exists():
                write_file(path, key.secret.hex().encode(), _ADVICE)
                path.chmod(0o600)
    return key


def explain_unchecked(own: pd.DataFrame, others: pd.DataFrame) -> str:
    """Return in a sentence which ids cannot be compared, because they have hashes of other keys.

    Args:
        own: Images with `lesion_id` and `patient_id`, as far as known.
        others: Images, such as those that a model was trained on, to compare with.

    Returns:
        "" where all ids can be compared, or where there are none.
    """
    unchecked = pd.Series(False, others.index)
    for column in _COLUMNS:
        if column in own and column in others and own[column].notna().any():
            keys = set(_name_keys(own[column].dropna()))
            unchecked |= ~_name_keys(others[column]).isin(keys) & others[column].notna()
    if not unchecked.any():
        return ""
    return (
        f"Not compared: the lesions and patients of {int(unchecked.sum()):,} of the "
        f"{len(others):,} images that the model records. Their ids are hashed with the key of "
        "another installation, so that only copies of the files themselves (SHA-256) were found. "
        f"Where that key may be shared, copy its file {_KEY_NAME} into the folder of the runs."
    )


def _name_keys(ids: pd.Series) -> pd.Series:
    """Return the name of the key that each id was hashed with; "" for a plain id."""
    return ids.map(lambda each: _find_key_name(str(each)))


def _find_key_name(text: str) -> str:
    mark, _, rest = text.partition(":")
    return rest.partition(":")[0] if mark == _MARK else ""


def _explain_damage(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"Cannot read the key {path} ({reason}). It hashes the ids of lesions and patients in "
        "models. Restore the file from a copy. If there is none, remove the file: a new key is "
        "made, and older models can then only be compared by their files."
    )
