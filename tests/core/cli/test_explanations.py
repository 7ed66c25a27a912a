import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from melanoma_core.cli.main import main
from tests.core.cli.conftest import WriteOutlined


@pytest.fixture
def moles(write_outlined: WriteOutlined) -> Path:
    """Six drawn lesions, four of them with an outline of their middle."""

    def outline(height: int, width: int) -> NDArray[np.bool_]:
        inside = np.zeros((height, width), dtype=bool)
        inside[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = True
        return inside

    return write_outlined(outline)


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
