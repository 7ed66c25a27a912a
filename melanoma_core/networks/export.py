"""keras.Model -> model.onnx with three or five outputs, checked against the Keras one."""

import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from scipy.special import softmax

from melanoma_core.errors import ModelError
from melanoma_core.models.classifier import INPUT_NAME, NOVELTY_NAMES, OUTPUT_NAMES
from melanoma_core.settings import make_environment

# Float32 sums in another order: measured 6e-5 on MobileNetV2; a wrong export is off by far more.
TOLERANCE = 1e-3
# Whether a view has its rows and its columns reversed: as it is, half a turn, the two mirrors.
_VIEWS = ((False, False), (True, True), (False, True), (True, False))


def export_onnx(
    network: keras.Model, path: Path, novelty: keras.Model | None = None, num_views: int = 1
) -> None:
    """Write a network as ONNX: photographs in; probabilities, embeddings, activation maps out.

    With `novelty`, the distance from the known photographs and the features that it is measured in
    come from the same pass. With several views the ONNX network looks at each photograph several
    times, turned and mirrored, and answers with the mean of its logits, of its embeddings and of
    its maps turned back (test-time augmentation, Krizhevsky et al. 2012; of lesions, Perez et al.
    2018, arXiv:1809.01442).

    Args:
        network: uint8 [N, size, size, 3] -> probabilities [N, C]; a layer "embedding", which is a
            global average or a dense layer over a flattened activation, and a dense layer
            "logits" over it.
        path: File to write.
        novelty: As `novelty.add_distance` returns it.
        num_views: 1; 2, with the photograph turned by 180 degrees; or 4, with it mirrored each
            way too.
    """
    if keras.backend.backend() != "tensorflow":
        _export_elsewhere(network, path, novelty, num_views)
        return
    served = _serve(network, novelty, num_views)
    served(np.zeros((1, *network.input_shape[1:]), dtype=np.uint8))  # keras exports a called model
    served.export(path, format="onnx", verbose=False)
    _rename(path, _name_outputs(novelty))


def _export_elsewhere(
    network: keras.Model, path: Path, novelty: keras.Model | None, num_views: int
) -> None:
    """Export in a process with TensorFlow, for which keras needs nothing else installed."""
    code = (
        "import os, sys; os.environ['KERAS_BACKEND'] = 'tensorflow'; import keras; "
        "from pathlib import Path; from melanoma_core.networks.export import export_onnx; "
        "network, *novelty = (keras.models.load_model(p, compile=False) for p in sys.argv[3:]); "
        "export_onnx(network, Path(sys.argv[1]), *(novelty or [None]), int(sys.argv[2]))"
    )
    with tempfile.TemporaryDirectory() as folder:
        parts = {Path(folder) / "network.keras": network}
        if novelty is not None:
            parts[Path(folder) / "novelty.keras"] = novelty
        for saved, part in parts.items():
            part.save(saved)
        command = [sys.executable, "-c", code, str(path.absolute()), str(num_views)]
        command += map(str, parts)
        subprocess.run(command, env=make_environment(), stdout=subprocess.DEVNULL, check=True)


def describe_heatmap(network: keras.Model) -> str:
    """Return how the network's maps are made, as `ModelCard.heatmap` says it."""
    if _has_average(network):
        return "activation-maps"
    return f"gradients at {name_last_activation(network)}"


def name_last_activation(network: keras.Model) -> str:
    """Return the name of the layer whose places the maps are of: the last that has places."""
    has_average = _has_average(network)
    behind = network.get_layer("embedding") if has_average else _find_flattening(network)
    (layer,) = (layer for layer in network.layers if layer.output is behind.input)
    return str(layer.name)


def check_agreement(
    network: keras.Model,
    path: Path,
    pixels: NDArray[np.uint8],
    novelty: keras.Model | None = None,
    num_views: int = 1,
) -> float:
    """Compare both forms of a network on real photographs.

    The Keras form is compared with the probabilities that the ONNX form gives and with what its
    activation maps amount to, so that what explains is checked with what answers: where the head
    is an average, with the probabilities that follow from the maps; else with the same maps of
    the Keras form.

    Args:
        network: The Keras form.
        path: The ONNX form.
        pixels: uint8 [N, size, size, 3].
        novelty: As `export_onnx` was given it.
        num_views: Likewise.

    Returns:
        The largest of these differences.

    Raises:
        ModelError: It is larger than `TOLERANCE`, or a map or a distance differs by more than
            that, as a share of the largest value of all.
    """
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = _name_outputs(novelty)
    probabilities, _, maps, *distances = session.run(names, {INPUT_NAME: pixels})
    expected, _, expected_maps, *expected_distances = _serve(network, novelty, num_views).predict(
        pixels, verbose=0
    )
    differences = {"probability": float(np.abs(probabilities - expected).max())}
    if _has_average(network):
        bias = keras.ops.convert_to_numpy(network.get_layer("logits").bias)
        explained = softmax(maps.mean(axis=(2, 3)) + bias, axis=1)
        differences["probability that its maps amount to"] = float(
            np.abs(explained - expected).max()
        )
    else:
        differences["map"] = _compare(maps, expected_maps)
    if novelty is not None:
        differences["distance"] = _compare(distances[0], expected_distances[0])
    for name, difference in differences.items():
        if not difference <= TOLERANCE:
            raise ModelError(
                f"The ONNX form of the network differs from the Keras one by {difference:.2g} in a "
                f"{name}; at most {TOLERANCE:g} is allowed. Do not use it: report this as a bug."
            )
    return max(differences.values())


def _compare(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Return the largest difference, as a share of the largest value."""
    return float(np.abs(found - expected).max()) / max(float(np.abs(expected).max()), 1.0)


def _has_average(network: keras.Model) -> bool:
    return isinstance(network.get_layer("embedding"), keras.layers.GlobalAveragePooling2D)


def _find_flattening(network: keras.Model) -> keras.layers.Layer:
    (layer,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Flatten))
    return layer


def _name_outputs(novelty: keras.Model | None) -> tuple[str, ...]:
    return OUTPUT_NAMES if novelty is None else (*OUTPUT_NAMES, *NOVELTY_NAMES)


def _serve(network: keras.Model, novelty: keras.Model | None, num_views: int) -> keras.Model:
    """Return what is exported: all that `_name_outputs` names, of one look or of several."""
    maps = _map_average(network) if _has_average(network) else _map_gradients(network)
    embedding = network.get_layer("embedding").output
    photograph, outputs = network.input, [network.output, embedding, maps]
    if num_views > 1:
        logits = network.get_layer("logits").output
        looking = keras.Model(photograph, [logits, embedding, maps], name="look")
        photograph = keras.Input(photograph.shape[1:], dtype="uint8", name="photograph")
        outputs = _look_several_times(looking, photograph, num_views)
    if novelty is not None:
        # Nested: its layers have the names of the network's own.
        outputs += novelty(photograph)
    return keras.Model(photograph, outputs)


def _look_several_times(
    looking: keras.Model, photograph: keras.KerasTensor, num_views: int
) -> list[keras.KerasTensor]:
    """Return probabilities, embedding and maps of the mean over the views, as one batch."""
    views = _VIEWS[:num_views]
    shown = keras.ops.concatenate([_flip(photograph, view, first=1) for view in views], axis=0)
    # By view: [num_views, N, …].
    logits, embeddings, maps = (
        keras.ops.reshape(each, (num_views, -1, *each.shape[1:])) for each in looking(shown)
    )
    turned_back = [_flip(maps[number], view, first=2) for number, view in enumerate(views)]
    return [
        keras.ops.softmax(keras.ops.mean(logits, axis=0)),
        keras.ops.mean(embeddings, axis=0),
        keras.ops.mean(keras.ops.stack(turned_back), axis=0),
    ]


def _flip(pictures: keras.KerasTensor, view: tuple[bool, bool], first: int) -> keras.KerasTensor:
    """Reverse the rows or the columns of pictures whose rows are axis `first`."""
    slices = [slice(None)] * first + [slice(None, None, -1 if axis else 1) for axis in view]
    return pictures[tuple(slices)]


def _map_average(network: keras.Model) -> keras.KerasTensor:
    """Return the class activation maps (Zhou et al. 2016, arXiv:1512.04150).

    The map of a class is the last activation weighted with the dense head's row of that class:
    the head's kernel once more, as a 1×1 convolution. Its mean plus the head's bias is the logit.
    """
    kernel = keras.ops.convert_to_numpy(network.get_layer("logits").kernel)
    convolution = keras.layers.Conv2D(kernel.shape[1], 1, use_bias=False, name="maps")
    maps = keras.layers.Permute((3, 1, 2))(convolution(network.get_layer("embedding").input))
    convolution.set_weights([kernel[None, None]])
    return maps


def _map_gradients(network: keras.Model) -> keras.KerasTensor:
    """Return the Grad-CAM maps (Selvaraju et al. 2017, arXiv:1610.02391) of every class's logit.

    Behind the last activation A comes a dense layer W with a ReLU, and one V without: the
    gradient of a logit by A is W, of the units that are on, times V. So the weight of a filter,
    the sum of that gradient over its places, is a product of what is known beforehand with which
    units are on, and no pass backwards is needed. (The sum, where Grad-CAM takes the mean, makes
    the maps logits, as class activation maps are: those are Grad-CAM's times the places too.)
    """
    embedding, flattening = network.get_layer("embedding"), _find_flattening(network)
    height, width, num_filters = flattening.input.shape[1:]
    first = keras.ops.convert_to_numpy(embedding.kernel)
    second = keras.ops.convert_to_numpy(network.get_layer("logits").kernel)
    by_filter = first.reshape(height * width, num_filters, -1).sum(axis=0)
    by_unit = np.einsum("fu,uc->ucf", by_filter, second)

    is_on = keras.ops.cast(keras.ops.greater(embedding.output, 0), "float32")
    product = keras.layers.Dense(by_unit[0].size, use_bias=False, name="filter_weights")
    weights = keras.layers.Reshape(by_unit[0].shape)(product(is_on))
    product.set_weights([by_unit.reshape(len(by_unit), -1)])
    places = keras.layers.Reshape((height * width, num_filters))(flattening.input)
    maps = keras.ops.matmul(weights, keras.layers.Permute((2, 1))(places))
    return keras.layers.Reshape((len(by_unit[0]), height, width))(maps)


def _rename(path: Path, output_names: tuple[str, ...]) -> None:
    """Give input and outputs the names that the classifier asks for."""
    model = onnx.load(path)
    names = dict(zip([i.name for i in model.graph.input], [INPUT_NAME], strict=True))
    names |= dict(zip([o.name for o in model.graph.output], output_names, strict=True))
    for value in (*model.graph.input, *model.graph.output):
        value.name = names[value.name]
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    onnx.checker.check_model(model)
    onnx.save(model, path)
