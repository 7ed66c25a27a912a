"""Export a Keras network to ONNX with three to six outputs, and compare the two forms."""

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
from melanoma_core.models.classifier import (
    INPUT_NAME,
    NOVELTY_NAMES,
    OUTLINE_NAME,
    OUTPUT_NAMES,
)
from melanoma_core.networks.exportable import make_exportable
from melanoma_core.networks.network import EMBEDDING_LAYER, LOGITS_LAYER
from melanoma_core.networks.outline import (
    add_weights,
    get_unweighted,
    has_gate,
    has_outline,
)
from melanoma_core.settings import make_environment

# The order of float32 sums explains 6e-5 on MobileNetV2; a wrong export differs by far more.
_TOLERANCE = 1e-3
# Whether the rows and columns of a view are reversed: unchanged, rotated by 180°, two mirrored.
_VIEWS = ((False, False), (True, True), (False, True), (True, False))


def export_onnx(
    network: keras.Model, path: Path, novelty: keras.Model | None = None, num_views: int = 1
) -> None:
    """Write a network as ONNX, with probabilities, embeddings and activation maps as outputs.

    A network that draws the outline of the lesion returns it in the same pass. With `novelty`, the
    pass also returns the distance of the out-of-distribution (OOD) check and its features. With
    several views, the ONNX network averages logits, embeddings, maps and outlines over rotated and
    mirrored views of each photograph (test-time augmentation, Krizhevsky et al. 2012; for skin
    lesions, Perez et al. 2018, arXiv:1809.01442). Maps and outlines are rotated back.

    Args:
        network: uint8 [N, size, size, 3] -> probabilities [N, C]. Its layer "embedding" is a global
            average or a dense layer over a flattened activation; its dense layer "logits" follows.
            An outline is its second output.
        path: File to write.
        novelty: Network that `novelty.add_distance` returned.
        num_views: 1; 2, with the photograph rotated by 180°; or 4, with both mirrored views too.

    Raises:
        ModelError: ONNX has no operator for a layer of the network.
    """
    if keras.backend.backend() != "tensorflow":
        _export_in_process(network, path, novelty, num_views)
        return
    served = _build_served_network(make_exportable(network), novelty, num_views)
    # Keras exports only a model that was called.
    served(np.zeros((1, *network.input_shape[1:]), dtype=np.uint8))
    served.export(path, format="onnx", verbose=False)
    _rename(path, _name_outputs(network, novelty), network.name)


def _export_in_process(
    network: keras.Model, path: Path, novelty: keras.Model | None, num_views: int
) -> None:
    """Export in a process with TensorFlow, the only backend that Keras exports without extras."""
    code = (
        "import os, sys; os.environ['KERAS_BACKEND'] = 'tensorflow'; import keras; "
        "from pathlib import Path; from melanoma_core.networks.export import export_onnx; "
        "from melanoma_core.networks.keras_file import load_keras; "
        "network, *novelty = (load_keras(Path(p)) for p in sys.argv[3:]); "
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
    """Return how the heatmaps of a network are computed, for `ModelCard.heatmap`."""
    if _has_average(network):
        return "activation-maps"
    return f"gradients at {find_last_activation(network)}"


def find_last_activation(network: keras.Model) -> str:
    """Return the name of the last layer with spatial output, which the heatmaps refer to."""
    has_average = _has_average(network)
    following = network.get_layer(EMBEDDING_LAYER) if has_average else _find_flattening(network)
    (layer,) = (layer for layer in network.layers if layer.output is following.input)
    return str(layer.name)


def check_agreement(
    network: keras.Model,
    path: Path,
    pixels: NDArray[np.uint8],
    novelty: keras.Model | None = None,
    num_views: int = 1,
) -> float:
    """Compare the ONNX form of a network with its Keras form on real photographs.

    The comparison includes the probabilities and the activation maps. If the head is an average,
    the maps are checked by the probabilities that follow from them; otherwise they are compared
    with the maps of the Keras form. Outlines and distances are compared too.

    Args:
        network: The Keras form.
        path: The ONNX form.
        pixels: uint8 [N, size, size, 3].
        novelty: As passed to `export_onnx`.
        num_views: As passed to `export_onnx`.

    Returns:
        The largest difference: absolute for probabilities and outlines, relative to the largest
        value for maps and distances.

    Raises:
        ModelError: The difference is larger than 0.001.
    """
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = _name_outputs(network, novelty)
    served = _build_served_network(network, novelty, num_views)
    found = dict(zip(names, session.run(names, {INPUT_NAME: pixels}), strict=True))
    known = dict(zip(names, served.predict(pixels, verbose=0), strict=True))
    probabilities, _, maps = OUTPUT_NAMES
    expected = known[probabilities]
    differences = {"probability": float(np.abs(found[probabilities] - expected).max())}
    if _has_average(network):
        bias = keras.ops.convert_to_numpy(network.get_layer(LOGITS_LAYER).bias)
        explained = softmax(found[maps].mean(axis=(2, 3)) + bias, axis=1)
        differences["probability computed from its maps"] = float(
            np.abs(explained - expected).max()
        )
    else:
        differences["map"] = _compare(found[maps], known[maps])
    if has_outline(network):
        outlines = found[OUTLINE_NAME] - known[OUTLINE_NAME]
        differences["probability of an outline"] = float(np.abs(outlines).max())
    if novelty is not None:
        distance = NOVELTY_NAMES[0]
        differences["distance"] = _compare(found[distance], known[distance])
    for name, difference in differences.items():
        if not difference <= _TOLERANCE:
            raise ModelError(
                f"Found a difference of {difference:.2g} in a {name} between the ONNX form of the "
                f"network and its Keras form. At most {_TOLERANCE:g} is allowed. Do not use the "
                "model, and report this as a bug."
            )
    return max(differences.values())


def _compare(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Return the largest difference, relative to the largest value."""
    return float(np.abs(found - expected).max()) / max(float(np.abs(expected).max()), 1.0)


def _has_average(network: keras.Model) -> bool:
    return isinstance(network.get_layer(EMBEDDING_LAYER), keras.layers.GlobalAveragePooling2D)


def _find_flattening(network: keras.Model) -> keras.layers.Layer:
    (layer,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Flatten))
    return layer


def _name_outputs(network: keras.Model, novelty: keras.Model | None) -> tuple[str, ...]:
    outline = (OUTLINE_NAME,) if has_outline(network) else ()
    return (*OUTPUT_NAMES, *outline, *(() if novelty is None else NOVELTY_NAMES))


def _build_served_network(
    network: keras.Model, novelty: keras.Model | None, num_views: int
) -> keras.Model:
    """Return the network that is exported, with the outputs of `_name_outputs`."""
    maps = _map_average(network) if _has_average(network) else _map_gradients(network)
    embedding = network.get_layer(EMBEDDING_LAYER).output
    spatial = [maps, *network.outputs[1:]]  # with the outline, if there is one
    photograph, outputs = network.input, [network.outputs[0], embedding, *spatial]
    if num_views > 1:
        logits = network.get_layer(LOGITS_LAYER).output
        single_view = keras.Model(photograph, [logits, embedding, *spatial], name="single_view")
        photograph = keras.Input(photograph.shape[1:], dtype="uint8", name="photograph")
        outputs = _average_views(single_view, photograph, num_views)
    if novelty is not None:
        # Nested, because the names of its layers collide with those of the network.
        outputs += novelty(photograph)
    return keras.Model(photograph, outputs)


def _average_views(
    single_view: keras.Model, photograph: keras.KerasTensor, num_views: int
) -> list[keras.KerasTensor]:
    """Return the outputs averaged over the views, computed as one batch."""
    views = _VIEWS[:num_views]
    batch = keras.ops.concatenate([_flip(photograph, view, first=1) for view in views], axis=0)
    # Each output is [num_views, N, …].
    logits, embeddings, *spatial = (
        keras.ops.reshape(each, (num_views, -1, *each.shape[1:])) for each in single_view(batch)
    )
    aligned = [
        [_flip(each[number], view, first=len(each.shape) - 3) for number, view in enumerate(views)]
        for each in spatial
    ]
    return [
        keras.ops.softmax(keras.ops.mean(logits, axis=0)),
        keras.ops.mean(embeddings, axis=0),
        *(keras.ops.mean(keras.ops.stack(each), axis=0) for each in aligned),
    ]


def _flip(images: keras.KerasTensor, view: tuple[bool, bool], first: int) -> keras.KerasTensor:
    """Reverse the rows or columns of images; axis `first` holds the rows."""
    slices = [slice(None)] * first + [slice(None, None, -1 if axis else 1) for axis in view]
    return images[tuple(slices)]


def _map_average(network: keras.Model) -> keras.KerasTensor:
    """Return the class activation maps (Zhou et al. 2016, arXiv:1512.04150).

    The map of a class is the last activation weighted by the dense head's kernel for that class,
    here as a 1×1 convolution. Its mean plus the bias of the head is the logit. If the activation is
    weighted by the outline, the map is weighted on the grid of the weights, which is finer.
    """
    kernel = keras.ops.convert_to_numpy(network.get_layer(LOGITS_LAYER).kernel)
    convolution = keras.layers.Conv2D(kernel.shape[1], 1, use_bias=False, name="maps")
    is_weighted = has_gate(network)
    activation = (
        get_unweighted(network) if is_weighted else network.get_layer(EMBEDDING_LAYER).input
    )
    maps = keras.layers.Permute((3, 1, 2))(convolution(activation))
    convolution.set_weights([kernel[None, None]])
    return add_weights(network, maps) if is_weighted else maps


def _map_gradients(network: keras.Model) -> keras.KerasTensor:
    """Return the Grad-CAM maps (Selvaraju et al. 2017, arXiv:1610.02391) of each class's logit.

    The last activation A is followed by a dense layer W with ReLU and a dense layer V. The gradient
    of a logit with respect to A is therefore W, restricted to the active units, times V. The weight
    of a filter is the sum of this gradient over all positions: a constant times the mask of active
    units, which needs no backward pass. Grad-CAM uses the mean instead of the sum; the sum puts the
    maps on the scale of logits, like class activation maps.
    """
    embedding, flattening = network.get_layer(EMBEDDING_LAYER), _find_flattening(network)
    height, width, num_filters = flattening.input.shape[1:]
    first = keras.ops.convert_to_numpy(embedding.kernel)
    second = keras.ops.convert_to_numpy(network.get_layer(LOGITS_LAYER).kernel)
    by_filter = first.reshape(height * width, num_filters, -1).sum(axis=0)
    by_unit = np.einsum("fu,uc->ucf", by_filter, second)

    is_on = keras.ops.cast(keras.ops.greater(embedding.output, 0), "float32")
    product = keras.layers.Dense(by_unit[0].size, use_bias=False, name="filter_weights")
    weights = keras.layers.Reshape(by_unit[0].shape)(product(is_on))
    product.set_weights([by_unit.reshape(len(by_unit), -1)])
    places = keras.layers.Reshape((height * width, num_filters))(flattening.input)
    maps = keras.ops.matmul(weights, keras.layers.Permute((2, 1))(places))
    return keras.layers.Reshape((len(by_unit[0]), height, width))(maps)


def _rename(path: Path, output_names: tuple[str, ...], network_name: str) -> None:
    """Rename the input and the outputs as the classifier expects them."""
    model = onnx.load(path)
    _check_operators(model, network_name)
    names = dict(zip([i.name for i in model.graph.input], [INPUT_NAME], strict=True))
    names |= dict(zip([o.name for o in model.graph.output], output_names, strict=True))
    for value in (*model.graph.input, *model.graph.output):
        value.name = names[value.name]
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _check_operators(model: onnx.ModelProto, network_name: str) -> None:
    """Refuse what tf2onnx exports with no more than a warning: operators that are none of ONNX."""
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    foreign = sorted({n.op_type for n in model.graph.node if n.domain or n.op_type not in known})
    captured = [i.name for i in model.graph.input][1:]
    if foreign or captured:
        found = ", ".join([*(f"the operator {name}" for name in foreign), *captured])
        raise ModelError(
            f"Found {found} in the ONNX form of {network_name}, which can therefore not become a "
            "model. Choose another architecture, or add an equal layer to networks/exportable.py."
        )
