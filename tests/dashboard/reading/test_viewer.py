import hashlib
import json

from melanoma_core.settings import PROJECT_ROOT

FRONTEND = PROJECT_ROOT / "dashboard" / "reading" / "frontend"
SOURCES = ("controls.ts", "layers.ts", "package-lock.json", "stage.ts", "viewer.ts")


def read(name: str) -> str:
    return (FRONTEND / name).read_text("utf-8")


def test_the_shipped_viewer_is_built_from_the_sources_beside_it():
    digest = hashlib.sha256(b"".join((FRONTEND / name).read_bytes() for name in SOURCES))
    first_line = read("built/viewer.js").splitlines()[0]
    assert first_line.endswith(digest.hexdigest()), "build it again: see CONTRIBUTING.md"
    assert set(SOURCES) == {"package-lock.json", *(path.name for path in FRONTEND.glob("*.ts"))}


def test_the_shipped_viewer_comes_with_the_licence_of_its_library():
    package = json.loads(read("package-lock.json"))["packages"]["node_modules/openseadragon"]
    assert package["license"] == "BSD-3-Clause"
    assert f"openseadragon {package['version']}" in read("built/viewer.js")
    assert "Redistribution and use in source and binary forms" in read(
        "built/OPENSEADRAGON-LICENSE.txt"
    )


def test_the_versions_of_the_build_are_exact_and_name_no_index():
    wanted = json.loads(read("package.json"))["devDependencies"].values()
    assert all(version[0].isdigit() for version in wanted)
    packages = json.loads(read("package-lock.json"))["packages"]
    assert all("resolved" not in package for package in packages.values())
    assert all("integrity" in package for name, package in packages.items() if name)
