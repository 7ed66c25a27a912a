"""Fixtures of the training tests."""

import resource
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

import pytest


@pytest.fixture(scope="session")
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """Let each write beyond a file size in bytes fail, as on a full disk."""

    @contextmanager
    def limit(num_bytes: int) -> Generator[None, None, None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit
