"""The real images, merged and split once for all tests of a run."""

import os
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from melanoma_core.data.copies import find_clusters
from melanoma_core.data.dataset import Dataset, load_records, merge_records
from melanoma_core.data.splitting import Split, split_dataset


@pytest.fixture(scope="session")
def real_records(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Read by one of the processes that the tests run in; the others take it from there."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    kept = folder / "real-records.pickle"
    with FileLock(folder / "real-records.lock"):
        if not kept.exists():
            records = load_records(shared_data)
            records.assign(cluster=find_clusters(records)).to_pickle(kept)
    return pd.read_pickle(kept)


@pytest.fixture(scope="session")
def real_dataset(real_records: pd.DataFrame) -> Dataset:
    return merge_records(real_records)


@pytest.fixture(scope="session")
def real_split(real_dataset: Dataset) -> Split:
    return split_dataset(real_dataset.table, seed=1)
