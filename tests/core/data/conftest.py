"""The real images, merged and split once for all tests of a run."""

import os
import pickle
from pathlib import Path

import pytest
from filelock import FileLock

from melanoma_core.data.dataset import Dataset, load_dataset
from melanoma_core.data.splitting import Split, split_dataset


@pytest.fixture(scope="session")
def real_dataset(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Read by one of the processes that the tests run in; the others take it from there."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    kept = folder / "real-dataset.pickle"
    with FileLock(folder / "real-dataset.lock"):
        if not kept.exists():
            kept.write_bytes(pickle.dumps(load_dataset(shared_data)))
        dataset: Dataset = pickle.loads(kept.read_bytes())
    return dataset


@pytest.fixture(scope="session")
def real_split(real_dataset: Dataset) -> Split:
    return split_dataset(real_dataset.table, seed=1)
