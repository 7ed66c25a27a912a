import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image, ImageFilter

from melanoma_core.data import scanning
from melanoma_core.data.cache import FactCache
from melanoma_core.data.facts import FileFacts
from melanoma_core.data.scanning import (
    measure_light,
    measure_sharpness,
    resize_to_standard,
    scan_files,
)
from melanoma_core.errors import DatasetError
from melanoma_core.settings import PROJECT_ROOT


def measure_file(path: Path) -> FileFacts:
    (facts,) = scan_files([path])
    return facts


def hash_image(path: Path, image: Image.Image) -> int:
    image.save(path)
    return int(str(measure_file(path).dhash), 16)


def save_grey(path: Path, values: np.ndarray) -> Path:
    Image.fromarray(values.astype(np.uint8)).convert("RGB").save(path)
    return path


class Cancelled(Exception):  # noqa: N818
    """Raised by a progress callback, as by a page."""


def cancel_at(number: int):
    def show(done: int, _total: int) -> None:
        if done >= number:
            raise Cancelled

    return show


def test_no_files_give_no_facts_and_no_progress(tmp_path: Path):
    assert scan_files([], FactCache(tmp_path), lambda *_: pytest.fail("unexpected progress")) == []


def test_an_unreadable_file_has_an_error_and_the_others_keep_their_order(tmp_path: Path, draw):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    files = [draw(tmp_path / "a.jpg", 1), text, tmp_path / "gone.jpg", draw(tmp_path / "b.png", 2)]

    first, of_text, gone, last = scan_files(files)

    for facts, path in ((first, files[0]), (last, files[3])):
        assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (facts.width, facts.height, facts.error) == (120, 90, None)
    assert of_text.error is not None
    assert of_text.error.startswith("The file is a text file.")
    assert gone == FileFacts(
        error=f"There is no file {tmp_path / 'gone.jpg'}. Check its name and folder."
    )


def test_a_file_without_permission_is_reported_and_measured_again_later(draw):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        path = draw(folder / "a.jpg", 1)
        cache = FactCache(folder / "cache")
        path.chmod(0)
        with without_root():
            (denied,) = scan_files([path], cache)
        path.chmod(0o644)
        with without_root():
            (allowed,) = scan_files([path], cache)

    assert "Permission denied" in str(denied.error)
    assert allowed.error is None


@contextmanager
def without_root() -> Iterator[None]:
    """Drop the rights of root, who can read every file."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_cyclic_link_is_unreadable(tmp_path: Path):
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")

    assert "cannot be read (Too many levels of symbolic links)" in str(
        measure_file(tmp_path / "loop.jpg").error
    )


def test_a_pipe_is_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.jpg")

    assert "is not a file" in str(measure_file(tmp_path / "pipe.jpg").error)


def test_a_repeated_path_has_the_same_facts(tmp_path: Path, draw):
    path = draw(tmp_path / "a.jpg", 1)

    one, other = scan_files([path, path])

    assert one == other == measure_file(path)


def test_the_size_is_that_of_the_upright_original(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    path = tmp_path / "turned.jpg"
    Image.new("RGB", (3000, 600), "brown").save(path, exif=exif)

    facts = measure_file(path)

    assert (facts.width, facts.height) == (600, 3000)


def test_progress_counts_every_file(tmp_path: Path, draw):
    files = [draw(tmp_path / f"{seed}.jpg", seed) for seed in range(3)]
    seen: list[tuple[int, int]] = []

    scan_files(files, progress=lambda done, total: seen.append((done, total)))

    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_lossless_copies_share_only_the_pixel_hash(tmp_path: Path, draw):
    png = draw(tmp_path / "a.png", 1)
    Image.open(png).save(tmp_path / "a.bmp")
    Image.open(png).save(tmp_path / "a.jpg", quality=80)

    one, same, lossy = scan_files([png, tmp_path / "a.bmp", tmp_path / "a.jpg"])

    assert one.pixel_sha256 == same.pixel_sha256 != lossy.pixel_sha256
    assert one.sha256 != same.sha256


def test_one_colour_in_two_shapes_has_two_pixel_hashes(tmp_path: Path):
    Image.new("RGB", (100, 64), "tan").save(tmp_path / "wide.png")
    Image.new("RGB", (64, 100), "tan").save(tmp_path / "tall.png")

    wide, tall = scan_files([tmp_path / "wide.png", tmp_path / "tall.png"])

    assert wide.pixel_sha256 != tall.pixel_sha256


def test_brightness_and_contrast_of_black_white_and_half_images():
    halves = np.zeros((80, 80), np.uint8)
    halves[:, 40:] = 255

    assert measure_light(Image.new("L", (80, 80), 0)) == (0, 0)
    assert measure_sharpness(resize_to_standard(Image.new("L", (80, 80), 0))) == 0
    assert measure_light(Image.new("L", (80, 80), 255)) == pytest.approx((1, 0), abs=1e-6)
    assert measure_light(Image.fromarray(halves)) == pytest.approx((0.5, 0.5))


def test_brightness_and_contrast_agree_with_numpy(tmp_path: Path, draw):
    path = draw(tmp_path / "a.png", 1)
    luma = np.asarray(Image.open(path).convert("L")) / 255

    facts = measure_file(path)

    assert facts.brightness == pytest.approx(luma.mean())
    assert facts.contrast == pytest.approx(luma.std())


def test_a_chessboard_has_the_maximum_sharpness():
    rows, columns = np.indices((128, 128))
    board = Image.fromarray(((rows + columns) % 2 * 255).astype(np.uint8))

    assert measure_sharpness(board) == pytest.approx(16)  # its Laplacian is 4 or -4


@pytest.mark.parametrize(
    ("suffix", "white"),  # JPEG blurs the edge of grey
    [
        (".png", 0),
        (".png", 1),
        (".png", 200),
        (".png", 255),
        (".jpg", 0),
        (".jpg", 1),
        (".jpg", 255),
    ],
)
def test_an_outline_of_a_lesion_is_no_photograph(tmp_path: Path, white: int, suffix: str):
    outline = np.zeros((96, 128), np.uint8)
    outline[20:60, 30:90] = white

    facts = measure_file(save_grey(tmp_path / f"a{suffix}", outline))

    assert facts.sha256 is None
    assert facts.error is not None
    assert facts.error.startswith("The picture is black and white, like the outline of a lesion.")


def test_a_dark_and_a_flat_photograph_are_no_outlines(tmp_path: Path):
    noise = np.random.default_rng(1).integers(0, 12, (96, 128))

    assert measure_file(save_grey(tmp_path / "dark.png", noise)).error is None
    assert measure_file(save_grey(tmp_path / "flat.png", np.full((96, 128), 90))).error is None


def test_a_blurred_image_is_less_sharp(tmp_path: Path):
    noise = np.random.default_rng(1).integers(0, 256, (128, 128))
    sharp = save_grey(tmp_path / "sharp.png", noise)
    Image.open(sharp).filter(ImageFilter.GaussianBlur(2)).save(tmp_path / "blurred.png")

    # The variance of uniform noise is 1/12, and the Laplacian's weights squared sum to 20.
    assert measure_file(sharp).sharpness == pytest.approx(20 / 12, rel=0.05)
    # A Gaussian of deviation s leaves 1 / (2 pi s^6) of it, the integral over all frequencies.
    expected = 1 / 12 / (2 * np.pi * 2**6)
    assert measure_file(tmp_path / "blurred.png").sharpness == pytest.approx(expected, rel=0.15)


def test_a_uniform_image_has_no_difference(tmp_path: Path):
    uniform = Image.new("RGB", (120, 90), (200, 200, 200))
    assert hash_image(tmp_path / "uniform.png", uniform) == 0


def test_an_image_that_brightens_to_the_right_has_every_difference(tmp_path: Path):
    ramp = np.broadcast_to(np.arange(0, 255, dtype=np.uint8), (90, 255))
    assert hash_image(tmp_path / "ramp.png", Image.fromarray(ramp)) == 2**256 - 1


def test_a_squashed_copy_differs_in_few_bits_and_another_image_in_many(tmp_path: Path, draw):
    original = Image.open(draw(tmp_path / "a.png", 1, size=(300, 225)))
    other = Image.open(draw(tmp_path / "b.png", 2, size=(300, 225)))

    expected = hash_image(tmp_path / "original.png", original)
    of_copy = hash_image(tmp_path / "copy.png", original.resize((180, 180)))

    assert (expected ^ of_copy).bit_count() <= 2
    assert (expected ^ hash_image(tmp_path / "other.png", other)).bit_count() > 64


def test_cached_files_are_reported_at_once_and_only_changed_ones_are_measured(tmp_path: Path, draw):
    files = [draw(tmp_path / f"{seed}.png", seed) for seed in range(4)]
    cache = FactCache(tmp_path / "cache")
    before = scan_files(files, cache)
    draw(files[2], 99)
    seen: list[tuple[int, int]] = []

    after = scan_files(files, cache, lambda done, total: seen.append((done, total)))

    assert seen == [(3, 4), (4, 4)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True] * 2 + [
        False,
        True,
    ]
    assert after[2] == measure_file(files[2])


def test_a_cancelled_scan_continues_where_it_stopped(tmp_path: Path, draw):
    files = [draw(tmp_path / f"{seed}.jpg", seed) for seed in range(5)]
    cache = FactCache(tmp_path / "cache")
    with pytest.raises(Cancelled):
        scan_files(files, cache, cancel_at(3))
    seen: list[tuple[int, int]] = []

    scan_files(files, cache, lambda done, total: seen.append((done, total)))

    assert seen == [(3, 5), (4, 5), (5, 5)]


@pytest.fixture
def start_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start worker processes at the first file, as for a large folder after half a second."""
    monkeypatch.setattr(scanning, "_SINGLE_PROCESS_SECONDS", -1.0)


@pytest.fixture
def many_files(tmp_path: Path, draw) -> list[Path]:
    files = [draw(tmp_path / f"{seed:02d}.jpg", seed) for seed in range(40)]
    files[30].write_text("no image")
    return files


def test_processes_return_the_same_as_one_process_in_order(many_files: list[Path], monkeypatch):
    expected = scan_files(many_files)
    monkeypatch.setattr(scanning, "_SINGLE_PROCESS_SECONDS", -1.0)
    seen: list[int] = []

    assert scan_files(many_files, progress=lambda done, _: seen.append(done)) == expected
    assert seen == list(range(1, 41))


def find_workers() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "popen_loky" in " ".join(read_command(child))]


def read_command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # it has ended in the meantime
        return []


@pytest.mark.usefixtures("start_processes")
def test_cancelling_ends_the_processes_and_stores_their_measurements(many_files, tmp_path: Path):
    cache = FactCache(tmp_path / "cache")
    num_workers: list[int] = []

    def show(done: int, _total: int) -> None:
        num_workers.append(len(find_workers()))
        if done == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        scan_files(many_files, cache, show)

    assert max(num_workers) >= 1
    deadline = time.monotonic() + 30
    while find_workers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert find_workers() == []
    assert len(cache.load(many_files)[0]) == 5


@pytest.mark.usefixtures("start_processes")
def test_a_killed_process_is_reported(many_files: list[Path], monkeypatch):
    monkeypatch.setattr(scanning, "_measure_batch", _die)

    with pytest.raises(DatasetError, match="was killed, usually because memory ran out"):
        scan_files(many_files)


def _die(_paths: list[Path]) -> list[FileFacts]:
    os._exit(1)


def test_processes_do_not_run_the_main_module_again(many_files: list[Path], tmp_path: Path):
    page = tmp_path / "page.py"
    page.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from melanoma_core.data import scanning\n"
        "print('the page runs')\n"  # unguarded, like a Streamlit page
        "scanning._SINGLE_PROCESS_SECONDS = -1.0\n"
        "facts = scanning.scan_files([Path(name) for name in sys.argv[1:]])\n"
        "print(sum(fact.error is None for fact in facts))\n"
    )
    project = Path(scanning.__file__).parents[2]

    done = subprocess.run(
        [sys.executable, page, *many_files],
        env=os.environ | {"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split("\n")[:2] == ["the page runs", "39"]


def test_sessions_can_share_a_cache_at_the_same_time(tmp_path: Path, draw):
    files = [draw(tmp_path / f"{seed}.jpg", seed) for seed in range(12)]
    results: list[list[FileFacts]] = []
    sessions = [
        threading.Thread(target=lambda: results.append(scan_files(files, FactCache(tmp_path))))
        for _ in range(4)
    ]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join()

    assert results == [scan_files(files)] * 4
    assert len(FactCache(tmp_path).load(files)[0]) == 12


SCAN = (
    "import sys\n"
    "from pathlib import Path\n"
    "from melanoma_core.data import scanning\n"
    "scanning._SINGLE_PROCESS_SECONDS = 0.0\n"
    "paths = sorted(Path(sys.argv[1]).iterdir())\n"
    "scanning.scan_files(paths, progress=lambda done, _: print(done, flush=True))\n"
)


@pytest.mark.slow
def test_a_killed_scan_leaves_no_worker_process(tmp_path: Path):
    image = Image.effect_noise((900, 900), 60).convert("RGB")
    for number in range(120):
        image.save(tmp_path / f"{number}.png", compress_level=0)
    process = subprocess.Popen(
        [sys.executable, "-c", SCAN, tmp_path],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while int(process.stdout.readline()) < 20:
        pass
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers

    process.kill()
    process.wait()

    _, alive = psutil.wait_procs(workers, timeout=30)
    assert alive == []
