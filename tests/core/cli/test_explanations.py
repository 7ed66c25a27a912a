import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melanoma_core.cli.main import main
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS


@pytest.fixture
def moles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six drawn lesions, four of them with an outline of their middle."""
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    folder = tmp_path / "moles"
    for kind in ("nevus", "melanoma"):
        (folder / kind / "masks").mkdir(parents=True)
    for number, lesion in enumerate(DEMONSTRATION_LESIONS):
        shutil.copy(lesion.path, folder / ("melanoma" if number % 2 else "nevus") / f"{number}.jpg")
    with Image.open(DEMONSTRATION_LESIONS[0].path) as photograph:
        width, height = photograph.size
    inside = np.zeros((height, width), dtype=np.uint8)
    inside[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = 255
    for number, kind in enumerate(["nevus", "melanoma"] * 2):
        outline = folder / kind / "masks" / f"{number}_segmentation.png"
        Image.fromarray(inside).save(outline)
    return folder


@pytest.mark.tensorflow
def test_heatmaps_are_tested_on_images_with_an_outline(moles: Path, capsys):
    assert main(["explanations", str(moles), "--json", "--limit", "3"]) == 0
    answer = capsys.readouterr()
    document = json.loads(answer.out)
    assert document["method"] == "grad-cam"
    figures = document["figures"]["all"]
    assert figures["flat_maps"]["total"] == 3
    share = figures["lesion_share"]["value"]
    assert math.isclose(share, 1 / 9, abs_tol=0.01)
    assert figures["similarity_network"]["total"] == 3
    assert document["verdict"].startswith("Tested on ")


def test_without_an_outline_the_error_says_what_is_needed(
    tmp_path: Path, draw, capsys, monkeypatch
):
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    for number in range(2):
        draw(tmp_path / "data" / "nevus" / f"{number}.png", number)
    assert main(["explanations", str(tmp_path / "data")]) == 2
    assert "Found no lesion outline" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--limit", "0"], ["--limit", "x"], ["--method", "guess"]])
def test_invalid_options_are_refused(options: list[str], tmp_path: Path):
    with pytest.raises(SystemExit) as ended:
        main(["explanations", str(tmp_path), *options])
    assert ended.value.code == 2
