"""The image viewers are shipped as built from their sources, with the licence of their library."""

import hashlib
import json
from pathlib import Path

import pytest

from melanoma_core.settings import PROJECT_ROOT

DASHBOARD = PROJECT_ROOT / "dashboard"
SHARED = DASHBOARD / "shared" / "frontend"
VIEWERS = {"viewer": SHARED / "image", "compare": DASHBOARD / "lesion" / "frontend"}


def list_sources(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.ts"), key=lambda path: path.name)


@pytest.mark.parametrize("name", VIEWERS)
def test_a_shipped_viewer_is_built_from_its_sources(name: str):
    folder = VIEWERS[name]
    sources = [SHARED / "package-lock.json", *list_sources(SHARED), *list_sources(folder)]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources))
    built = (folder / "built" / f"{name}.js").read_text("utf-8")
    first_line = built.splitlines()[0]
    assert first_line.endswith(digest.hexdigest()), "build it again: see CONTRIBUTING.md"


@pytest.mark.parametrize("name", VIEWERS)
def test_a_shipped_viewer_comes_with_the_licence_of_its_library(name: str):
    packages = json.loads((SHARED / "package-lock.json").read_text("utf-8"))["packages"]
    package = packages["node_modules/openseadragon"]
    assert package["license"] == "BSD-3-Clause"
    built = VIEWERS[name] / "built"
    script = (built / f"{name}.js").read_text("utf-8")
    assert f"openseadragon {package['version']}" in script
    licence = (built / "OPENSEADRAGON-LICENSE.txt").read_text("utf-8")
    assert "Redistribution and use in source and binary forms" in licence


def test_the_versions_of_the_build_are_exact_and_name_no_index():
    wanted = json.loads((SHARED / "package.json").read_text("utf-8"))["devDependencies"].values()
    assert all(version[0].isdigit() for version in wanted)
    packages = json.loads((SHARED / "package-lock.json").read_text("utf-8"))["packages"]
    assert all("resolved" not in package for package in packages.values())
    assert all("integrity" in package for name, package in packages.items() if name)
