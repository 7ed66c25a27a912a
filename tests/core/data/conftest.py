"""The real images, merged and split once per test run."""

from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from melanoma_core.data.cache import FactCache
from melanoma_core.data.copies import find_clusters
from melanoma_core.data.dataset import Dataset, load_records, merge_records
from melanoma_core.data.splitting import Split, split_dataset


@pytest.fixture(scope="session")
def real_records(shared_data: Path, real_cache: FactCache) -> pd.DataFrame:
    """The file table of all real images. One process creates it, the others read its copy."""
    folder = real_cache.path.parent
    folder.mkdir(exist_ok=True)
    stored = folder / "records.pickle"
    with FileLock(folder / "records.lock"):
        if not stored.exists():
            records = load_records(shared_data, real_cache)
            records.assign(cluster=find_clusters(records)).to_pickle(stored)
    return pd.read_pickle(stored)


@pytest.fixture(scope="session")
def real_dataset(real_records: pd.DataFrame) -> Dataset:
    return merge_records(real_records)


@pytest.fixture(scope="session")
def real_split(real_dataset: Dataset) -> Split:
    return split_dataset(real_dataset.table, seed=1)
