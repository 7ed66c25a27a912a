"""How a server of the API is started."""

import os
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """How a server is started.

    Attributes:
        host: Address on which it listens.
        port: Port on which it listens.
        names: Further names under which it is reached, such as that of a proxy.
        allow_anonymous: Whether it reads photographs for those without a login or token.
        num_readers: Number of processes that read, one photograph each.
        capacity: Largest number of photographs that arrive, wait or are read at the same time; each
            may take 32 MiB while it waits.
    """

    host: str = "localhost"
    port: int = 8501
    names: tuple[str, ...] = ()
    allow_anonymous: bool = False
    num_readers: int = field(default_factory=lambda: os.cpu_count() or 1)
    capacity: int = 16
