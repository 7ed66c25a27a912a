"""The real images, merged and split once for all tests of a run."""

from pathlib import Path

import pytest

from melanoma_core.data.dataset import Dataset, load_dataset
from melanoma_core.data.splitting import Split, split_dataset


@pytest.fixture(scope="session")
def real_dataset(shared_data: Path) -> Dataset:
    return load_dataset(shared_data)


@pytest.fixture(scope="session")
def real_split(real_dataset: Dataset) -> Split:
    return split_dataset(real_dataset.table, seed=1)
