import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.errors import ModelError
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import load_card
from melanoma_core.models.classifier import Classifier, load_classifier
from tests.drawn_models import make_network


def make_model(folder: Path, bundled: Path, content: bytes, **fields: object) -> Path:
    """Write a model whose card has the correct hash of its network."""
    raw = to_jsonable(load_card(bundled)) | fields
    raw["files"] = {"model.onnx": hashlib.sha256(content).hexdigest()}
    folder.mkdir(exist_ok=True)
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    (folder / "model.onnx").write_bytes(content)
    return folder


def test_no_photograph_gives_empty_outputs_of_the_right_shape(bundled_classifier: Classifier):
    size = bundled_classifier.card.image_size

    outputs = bundled_classifier.classify(np.empty((0, size, size, 3), dtype=np.uint8))

    assert outputs.probabilities.shape == (0, 8)


def test_one_pass_gives_probabilities_embeddings_and_maps(bundled_classifier: Classifier):
    size = bundled_classifier.card.image_size
    pixels = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)

    outputs = bundled_classifier.classify(pixels)

    assert outputs.probabilities.dtype == np.float64
    np.testing.assert_allclose(outputs.probabilities.sum(axis=1), 1)
    assert outputs.embeddings.shape == (3, 1280)
    assert outputs.activation_maps.shape == (3, 8, size // 32, size // 32)
    alone = bundled_classifier.classify(pixels[1:2])
    np.testing.assert_allclose(alone.probabilities[0], outputs.probabilities[1], atol=1e-5)


def test_a_model_without_its_network_is_an_error_that_says_how_to_restore_it(
    bundled: Path, tmp_path: Path
):
    folder = make_model(tmp_path / "m", bundled, b"")
    (folder / "model.onnx").unlink()

    with pytest.raises(ModelError, match=r"Cannot read .*m.model\.onnx: .*git checkout -- assets"):
        load_classifier(folder)


def test_a_model_without_its_card_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match=r"Found no card\.json in"):
        load_classifier(tmp_path)


@pytest.mark.parametrize("kept", [0, 1, 100_000])
def test_a_truncated_network_is_named_with_the_bytes_that_were_found(
    bundled: Path, tmp_path: Path, kept: int
):
    (tmp_path / "card.json").write_bytes((bundled / "card.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes((bundled / "model.onnx").read_bytes()[:kept])

    with pytest.raises(ModelError, match=rf"model\.onnx is not the file .*\(found {kept} bytes"):
        load_classifier(tmp_path)


def test_one_flipped_byte_is_found(bundled: Path, tmp_path: Path):
    content = bytearray((bundled / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "card.json").write_bytes((bundled / "card.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(content)

    with pytest.raises(ModelError, match="SHA-256 differs"):
        load_classifier(tmp_path)


def test_a_card_that_names_no_network_is_refused(bundled: Path, tmp_path: Path):
    folder = make_model(tmp_path, bundled, b"anything")
    raw = json.loads((folder / "card.json").read_text("utf-8")) | {"files": {}}
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")

    with pytest.raises(ModelError, match="is not the file that its card describes"):
        load_classifier(folder)


@pytest.mark.parametrize("content", [b"", b"a text, not a network", b"\x08\x07" * 50])
def test_a_file_that_is_not_a_network_is_refused_even_if_its_hash_matches(
    bundled: Path, tmp_path: Path, content: bytes
):
    folder = make_model(tmp_path, bundled, content)

    with pytest.raises(
        ModelError, match=r"model\.onnx is not a valid ONNX network .* name another model"
    ):
        load_classifier(folder)


OUTPUTS = {
    "probabilities": [-1, 8],
    "embedding": [-1, 1280],
    "activation_maps": [-1, 8, 1, 1],
}


def test_a_network_with_the_inputs_and_outputs_of_its_card_is_loaded(bundled: Path, tmp_path: Path):
    folder = make_model(tmp_path, bundled, make_network(OUTPUTS, 8), image_size=8, novelty=None)

    outputs = load_classifier(folder).classify(np.ones((2, 8, 8, 3), np.uint8))

    assert outputs.probabilities.shape == (2, 8)
    assert outputs.novelty is None


@pytest.mark.parametrize(
    "network",
    [
        make_network(OUTPUTS, 8, takes_floats=True),
        make_network({"probabilities": [-1, 8]}, 8),
        make_network(OUTPUTS | {"probabilities": [-1, 9]}, 8),
        make_network(OUTPUTS | {"probabilities": [8]}, 8),
        make_network(OUTPUTS | {"activation_maps": [-1, 3, 1, 1]}, 8),
    ],
    ids=["takes floats", "lacks outputs", "nine classes", "one photograph", "three maps"],
)
def test_a_network_with_other_inputs_or_outputs_is_refused(
    bundled: Path, tmp_path: Path, network: bytes
):
    folder = make_model(tmp_path, bundled, network, image_size=8, novelty=None)

    with pytest.raises(ModelError, match=r"its card needs uint8 \[N, 8, 8, 3\] and 8 classes"):
        load_classifier(folder)


def test_a_card_with_another_image_size_is_refused(bundled: Path, tmp_path: Path):
    folder = make_model(tmp_path, bundled, (bundled / "model.onnx").read_bytes(), image_size=64)

    with pytest.raises(ModelError, match=r"its card needs uint8 \[N, 64, 64, 3\]"):
        load_classifier(folder)
