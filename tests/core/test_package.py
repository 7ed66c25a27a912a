"""The package as a library: its wheel, its command and its front door."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import melanoma_core
from melanoma_core.errors import ImageError
from melanoma_core.settings import ASSETS, PROJECT_ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as `pip wheel .` builds it, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    options = ["--no-build-isolation", "--wheel-dir", str(folder), str(PROJECT_ROOT)]
    subprocess.run([*command, *options], check=True)
    (path,) = folder.iterdir()
    return path


def test_the_wheel_holds_both_packages_and_all_that_they_read(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())

    assert wheel.name == f"melanoma_dashboard-{melanoma_core.__version__}-py3-none-any.whl"
    assert {
        "melanoma_core/py.typed",
        "melanoma_core/assets/model/card.json",
        "melanoma_core/assets/model/model.onnx",
        "melanoma_core/assets/demonstration/drawn-nevus.jpg",
        "melanoma_core/assets/fonts/DejaVuSans.ttf",
        "melanoma_core/assets/logo.svg",
        "dashboard/py.typed",
        "dashboard/app.py",
        "dashboard/navigation.py",
        "dashboard/style.css",
        "melanoma_core/records/migrations/versions/v0001_first.py",
        "dashboard/lesion/frontend/built/compare.js",
        "dashboard/shared/frontend/image/built/viewer.js",
        "dashboard/patients/body_map.js",
        "dashboard/.streamlit/config.toml",
    } <= names
    # Of every kind that no import would miss: versions of a record's tables, what a browser runs.
    for pattern in ("*/migrations/versions/v*.py", "*/frontend/built/*", "*.css", "*.js"):
        for package in ("melanoma_core", "dashboard"):
            found = (PROJECT_ROOT / package).rglob(pattern)
            paths = {path.relative_to(PROJECT_ROOT).as_posix() for path in found}
            assert {path for path in paths if "/node_modules/" not in path} <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]


def test_an_installed_package_reads_without_its_checkout(wheel: Path, tmp_path: Path):
    place = tmp_path / "environment"
    # Of the packages that the tests have; of this project nothing but the wheel.
    venv.create(place, with_pip=False)
    (site,) = (place / "lib").glob("python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    outside = [path for path in sys.path if "site-packages" in path]
    (site / "outside.pth").write_text("\n".join(outside))
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    script = (
        "import melanoma_core, sys\n"
        "from melanoma_core.settings import ASSETS, load_settings\n"
        "reading = melanoma_core.read(ASSETS / 'demonstration' / 'drawn-melanoma-1.jpg')\n"
        "settings = load_settings()\n"
        "print(ASSETS, reading.alert, settings.models_dir, settings.runs_dir)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )

    done = subprocess.run(
        [place / "bin" / "python", "-c", script],
        cwd=tmp_path,
        env=environment | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "share")},
        capture_output=True,
        text=True,
        check=False,
    )

    share = tmp_path / "share" / "melanoma-dashboard"
    assert done.stderr == ""
    assert done.stdout.split() == [
        str(site / "melanoma_core" / "assets"),
        "True",
        str(share / "models"),
        str(share / "runs"),
    ]


def test_a_reading_through_the_front_door_imports_no_generator_and_no_tensorflow():
    script = (
        "import sys, melanoma_core\n"
        f"melanoma_core.read({str(ASSETS / 'demonstration' / 'drawn-nevus.jpg')!r})\n"
        "print(*sorted(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )

    modules = set(done.stdout.split())
    assert "melanoma_core.data.drawn.shipped" in modules
    for generator in ("lesions", "strokes", "non_lesions", "dataset"):
        assert f"melanoma_core.data.drawn.{generator}" not in modules
    assert not {"tensorflow", "keras", "pandas", "streamlit", "scipy"} & modules


def test_what_is_refused_is_an_error_of_the_front_door(tmp_path: Path):
    path = tmp_path / "text.jpg"
    path.write_text("no photograph")

    with pytest.raises(ImageError, match="text file"):
        melanoma_core.read(path)


def test_a_lesion_without_a_photograph_or_with_a_bad_one_is_an_error(tmp_path: Path):
    path = tmp_path / "text.jpg"
    path.write_text("no photograph")

    with pytest.raises(ImageError, match="Found no photograph of the lesion"):
        melanoma_core.read_lesion([])
    with pytest.raises(ImageError, match=r"text\.jpg: The file is a text file"):
        melanoma_core.read_lesion([ASSETS / "demonstration" / "drawn-nevus.jpg", path])


def test_what_is_out_of_distribution_is_read_on_request_with_a_warning(tmp_path: Path, draw):
    path = draw(tmp_path / "noise.jpg", 1)

    with pytest.raises(ImageError, match="does not look like the dermoscopic photographs"):
        melanoma_core.read(path)
    with pytest.warns(UserWarning, match="Out of distribution, read anyway"):
        reading = melanoma_core.read(path, read_anyway=True)
    assert reading.read_anyway
