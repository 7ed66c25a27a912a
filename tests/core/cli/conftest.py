import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.runs import control, worker
from melanoma_core.runs.folder import RunFolder

WriteOutlined = Callable[[Callable[[int, int], NDArray[np.bool_]]], Path]


@pytest.fixture
def workers_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Do the work of each run in this process, when it is launched."""
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(
        control,
        "start_detached",
        lambda settings, module, arguments, log: worker._run(  # noqa: ARG005
            RunFolder(Path(arguments[-1])), settings
        ),
    )
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def write_outlined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteOutlined:
    """Write the six drawn lesions, four of them with an outline of a given height and width."""
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))

    def write(outline: Callable[[int, int], NDArray[np.bool_]]) -> Path:
        folder = tmp_path / "lesions"
        for kind in ("nevus", "melanoma"):
            (folder / kind / "masks").mkdir(parents=True)
        for number, lesion in enumerate(DEMONSTRATION_LESIONS):
            kind = "melanoma" if number % 2 else "nevus"
            shutil.copy(lesion.path, folder / kind / f"{number}.jpg")
        with Image.open(DEMONSTRATION_LESIONS[0].path) as photograph:
            width, height = photograph.size
        mask = Image.fromarray(255 * outline(height, width).astype(np.uint8))
        for number, kind in enumerate(["nevus", "melanoma"] * 2):
            mask.save(folder / kind / "masks" / f"{number}_segmentation.png")
        return folder

    return write
