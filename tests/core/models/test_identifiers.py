import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from melanoma_core.errors import FolderError, ModelError
from melanoma_core.models.identifiers import IdKey, explain_unchecked, find_key, keep_key
from melanoma_core.settings import Settings, load_settings

KEY, OTHER = IdKey(bytes(range(32))), IdKey(bytes(32))
TABLE = pd.DataFrame(
    {
        "image_id": ["a", "b", "c"],
        "lesion_id": ["1", "1", None],
        "patient_id": ["1", None, "Müller"],
        "label": ["MEL", "NV", "NV"],
    }
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings(), runs_dir=tmp_path / "runs")


def test_equal_ids_of_one_kind_have_equal_hashes_and_unknown_ones_stay_unknown():
    hashed = KEY.hash_ids(TABLE)

    lesions, patients = hashed["lesion_id"].tolist(), hashed["patient_id"].tolist()
    assert lesions[0] == lesions[1]
    assert lesions[2] is None
    assert patients[1] is None
    assert lesions[0] != patients[0]  # lesion 1 is not patient 1
    assert hashed[["image_id", "label"]].equals(TABLE[["image_id", "label"]])
    for name in ("lesion_id", "patient_id"):
        assert hashed[name].dropna().str.fullmatch(r"hmac-sha256:[0-9a-f]{8}:[0-9a-f]{32}").all()
        assert not set(hashed[name].dropna()) & set(OTHER.hash_ids(TABLE)[name].dropna())


def test_hashes_of_any_key_stay_as_they_are():
    hashed = OTHER.hash_ids(TABLE)

    assert KEY.hash_ids(hashed).equals(hashed)
    assert OTHER.hash_ids(hashed).equals(hashed)


def test_a_table_without_ids_is_unchanged():
    assert KEY.hash_ids(TABLE[["image_id"]]).equals(TABLE[["image_id"]])


def test_the_secret_is_never_shown():
    assert KEY.secret.hex() not in repr(KEY)
    assert "secret" not in repr(KEY)


def test_a_key_is_kept_in_the_folder_of_the_runs_for_its_owner_alone(settings: Settings):
    kept = keep_key(settings)

    assert keep_key(settings) == find_key(settings) == kept
    path = settings.runs_dir / "identifiers.key"
    assert path.read_text() == kept.secret.hex()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_runs_at_once_keep_one_key(settings: Settings):
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(keep_key, [settings] * 16))

    assert set(kept) == {find_key(settings)}


def test_looking_for_a_key_writes_nothing(settings: Settings):
    assert find_key(settings) != find_key(settings)
    assert not settings.runs_dir.exists()


@pytest.mark.parametrize("content", [b"", b"00", b"no key", b"\xff"])
def test_a_damaged_key_is_named_and_never_replaced(settings: Settings, content: bytes):
    path = settings.runs_dir / "identifiers.key"
    path.parent.mkdir()
    path.write_bytes(content)

    for get in (find_key, keep_key):
        with pytest.raises(ModelError, match=r"Cannot read the key .*identifiers\.key"):
            get(settings)
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_written_is_one_sentence(settings: Settings):
    settings.runs_dir.write_text("a file")

    with pytest.raises(FolderError, match=r"Cannot write .*identifiers\.key"):
        keep_key(settings)


def test_what_cannot_be_compared_is_counted():
    hashed = KEY.hash_ids(TABLE)

    assert explain_unchecked(hashed, KEY.hash_ids(TABLE)) == ""
    assert explain_unchecked(hashed[["image_id"]], OTHER.hash_ids(TABLE)) == ""
    assert explain_unchecked(hashed, TABLE.assign(lesion_id=None, patient_id=None)) == ""
    assert "lesions and patients of 3 of the 3 images" in explain_unchecked(
        hashed, OTHER.hash_ids(TABLE)
    )
    mixed = pd.concat([hashed, OTHER.hash_ids(TABLE.head(1))], ignore_index=True)
    assert "lesions and patients of 1 of the 4 images" in explain_unchecked(hashed, mixed)
