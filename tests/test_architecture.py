"""Who may import whom; the contract is in pyproject.toml."""

import ast
from pathlib import Path

from importlinter.cli import lint_imports

from melanoma_core.settings import PROJECT_ROOT

TRAINING_LIBRARIES = {"tensorflow", "keras", "torch", "jax", "tf_keras_vis", "tf2onnx", "onnx"}


def find_importers(package: str, libraries: set[str]) -> set[str]:
    """Modules of a package that import any of the libraries, inside functions included."""
    importers = set()
    for path in (PROJECT_ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            if libraries & {name.partition(".")[0] for name in names}:
                importers.add(path.relative_to(PROJECT_ROOT).as_posix())
    return importers


def test_the_import_contract_holds():
    assert lint_imports(config_filename=str(PROJECT_ROOT / "pyproject.toml"), no_cache=True) == 0


def test_only_training_export_and_the_process_of_heatmaps_import_what_trains():
    assert find_importers("melanoma_core", TRAINING_LIBRARIES) == {
        "melanoma_core/models/export.py",
        "melanoma_core/models/novelty.py",
        "melanoma_core/reading/explainer_process.py",
        "melanoma_core/reading/gradients.py",
        "melanoma_core/reading/randomisation.py",
        "melanoma_core/training/efficientnet_lite.py",
        "melanoma_core/training/estimate.py",
        "melanoma_core/training/hardware.py",
        "melanoma_core/training/inference.py",
        "melanoma_core/training/learning.py",
        "melanoma_core/training/network.py",
        "melanoma_core/training/novelty.py",
        "melanoma_core/training/release.py",
        "melanoma_core/training/stage.py",
        "melanoma_core/training/trainer.py",
        "melanoma_core/runs/worker.py",
    }


def test_only_the_record_imports_mlflow():
    assert find_importers("melanoma_core", {"mlflow"}) == {"melanoma_core/runs/record.py"}
    assert find_importers("dashboard", {"mlflow"}) == set()


def test_no_page_imports_what_trains():
    assert find_importers("dashboard", TRAINING_LIBRARIES) == set()


def test_the_core_knows_no_page():
    assert find_importers("melanoma_core", {"streamlit", "dashboard"}) == set()


def test_no_module_is_a_drawer_for_everything():
    paths = [p for package in ("melanoma_core", "dashboard") for p in walk(package)]

    assert not {"utils", "helpers", "manager", "common", "misc"} & {path.stem for path in paths}
    long = {p.name for p in paths if len(p.read_text("utf-8").splitlines()) > 420}
    assert long == set()


def walk(package: str) -> list[Path]:
    return sorted((PROJECT_ROOT / package).rglob("*.py"))
