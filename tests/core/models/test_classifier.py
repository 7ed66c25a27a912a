import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from melanoma_core.errors import ModelError
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card import load_card
from melanoma_core.models.classifier import Classifier, load_classifier


@pytest.fixture(scope="module")
def classifier(bundled: Path) -> Classifier:
    return load_classifier(bundled, num_threads=1)


def make_model(folder: Path, bundled: Path, content: bytes, **fields: object) -> Path:
    """Write a model whose card tells the truth about the bytes of its network."""
    raw = to_jsonable(load_card(bundled)) | fields
    raw["files"] = {"model.onnx": hashlib.sha256(content).hexdigest()}
    folder.mkdir(exist_ok=True)
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")
    (folder / "model.onnx").write_bytes(content)
    return folder


def make_network(input_type: int, outputs: dict[str, list[object]], size: int = 8) -> bytes:
    """A valid ONNX network with the wished signature, whatever it computes."""
    helper = onnx.helper
    photograph = helper.make_tensor_value_info("photograph", input_type, ["N", size, size, 3])
    nodes, values = [], []
    for name, shape in outputs.items():
        nodes.append(helper.make_node("Constant", [], [name], value_float=1.0))
        values.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    graph = helper.make_graph(nodes, "foreign", [photograph], values)
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def test_no_photograph_gives_no_answer_but_of_the_right_shape(classifier: Classifier):
    size = classifier.card.image_size

    outputs = classifier.classify(np.empty((0, size, size, 3), dtype=np.uint8))

    assert outputs.probabilities.shape == (0, 8)


def test_one_pass_gives_probabilities_embeddings_and_maps(classifier: Classifier):
    size = classifier.card.image_size
    pixels = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)

    outputs = classifier.classify(pixels)

    assert outputs.probabilities.dtype == np.float64
    np.testing.assert_allclose(outputs.probabilities.sum(axis=1), 1)
    assert outputs.embeddings.shape == (3, 1280)
    assert outputs.activation_maps.shape == (3, 8, size // 32, size // 32)
    alone = classifier.classify(pixels[1:2])
    np.testing.assert_allclose(alone.probabilities[0], outputs.probabilities[1], atol=1e-5)


def test_a_model_without_its_network_is_told_how_to_get_it_back(bundled: Path, tmp_path: Path):
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

    with pytest.raises(ModelError, match=rf"model\.onnx is not the file .*\({kept} bytes"):
        load_classifier(tmp_path)


def test_one_flipped_byte_is_found(bundled: Path, tmp_path: Path):
    content = bytearray((bundled / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "card.json").write_bytes((bundled / "card.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(content)

    with pytest.raises(ModelError, match="their SHA-256 differs"):
        load_classifier(tmp_path)


def test_a_card_that_names_no_network_is_refused(bundled: Path, tmp_path: Path):
    folder = make_model(tmp_path, bundled, b"anything")
    raw = json.loads((folder / "card.json").read_text("utf-8")) | {"files": {}}
    (folder / "card.json").write_text(json.dumps(raw), "utf-8")

    with pytest.raises(ModelError, match="is not the file that its card describes"):
        load_classifier(folder)


@pytest.mark.parametrize("content", [b"", b"a text, not a network", b"\x08\x07" * 50])
def test_a_file_that_is_no_network_is_refused_even_if_its_card_vouches_for_it(
    bundled: Path, tmp_path: Path, content: bytes
):
    folder = make_model(tmp_path, bundled, content)

    with pytest.raises(ModelError, match=r"model\.onnx is no ONNX network .* name another model"):
        load_classifier(folder)


GOOD_OUTPUTS: dict[str, list[object]] = {
    "probabilities": ["N", 8],
    "embedding": ["N", 1280],
    "activation_maps": ["N", 8, 1, 1],
}


@pytest.mark.parametrize(
    ("input_type", "outputs"),
    [
        (onnx.TensorProto.FLOAT, GOOD_OUTPUTS),
        (onnx.TensorProto.UINT8, {"probabilities": ["N", 8]}),
        (onnx.TensorProto.UINT8, GOOD_OUTPUTS | {"probabilities": ["N", 9]}),
        (onnx.TensorProto.UINT8, GOOD_OUTPUTS | {"probabilities": [8]}),
        (onnx.TensorProto.UINT8, GOOD_OUTPUTS | {"activation_maps": ["N", 3, 1, 1]}),
    ],
)
def test_a_network_of_another_kind_is_refused(
    bundled: Path, tmp_path: Path, input_type: int, outputs: dict[str, list[object]]
):
    content = make_network(input_type, outputs)
    folder = make_model(tmp_path, bundled, content, image_size=8)

    with pytest.raises(ModelError, match=r"its card needs uint8 \[N, 8, 8, 3\] and 8 classes"):
        load_classifier(folder)


def test_a_card_with_another_image_size_is_refused(bundled: Path, tmp_path: Path):
    folder = make_model(tmp_path, bundled, (bundled / "model.onnx").read_bytes(), image_size=64)

    with pytest.raises(ModelError, match=r"its card needs uint8 \[N, 64, 64, 3\]"):
        load_classifier(folder)
