import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from melanoma_core.data.cache import FactCache
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import read_image
from melanoma_core.data.opening import OpenedFolder, open_folder
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.lookalikes.building import Selection, build_index, select_folder
from melanoma_core.lookalikes.embedder import Embedder
from melanoma_core.lookalikes.embeddings import Embedded, EmbeddingStore, forget_files
from melanoma_core.lookalikes.index import find_lookalikes, open_index
from melanoma_core.lookalikes.lookalike import Query
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.reading import Reading, read_photograph
from tests.core.conftest import Draw

TABLE = """image,diagnosis,lesion_id,patient_id,confirmation
a.png,melanoma,L1,P1,histopathology
b.png,melanoma,L1,P1,histopathology
c.png,nevus,L2,P1,histopathology
d.png,nevus,,P2,histopathology
e.png,nevus,L4,,single image expert consensus
"""


@pytest.fixture
def folder(tmp_path: Path, draw: Draw) -> Path:
    """Five photographs of four lesions with a table."""
    for seed, name in enumerate("abcde"):
        draw(tmp_path / "clinic" / f"{name}.png", seed)
    (tmp_path / "clinic" / "table.csv").write_text(TABLE)
    return tmp_path / "clinic"


@pytest.fixture
def embedder(unguarded_classifier: Classifier, tmp_path: Path) -> Embedder:
    return Embedder(unguarded_classifier, tmp_path / "cache")


def scan(folder: Path) -> OpenedFolder:
    return open_folder(folder, FactCache(folder.parent / "cache"))


def read(image: str):
    return read_image(Path(image))


def refuse(image: str):
    raise AssertionError(f"{image} was read again")


def read_query(classifier: Classifier, path: Path, **own: frozenset[str]) -> Query:
    reading = read_photograph(classifier, read_image(path), read_anyway=True)
    assert isinstance(reading, Reading)
    assert reading.embedding is not None
    return Query(model_id="unguarded", embeddings=reading.embedding[None], **own)


def test_only_what_histopathology_confirmed_is_indexed_unless_all_is_asked_for(folder: Path):
    selection = select_folder(scan(folder))

    assert (selection.name, selection.num_unconfirmed, selection.num_unreadable) == ("clinic", 1, 0)
    rows = selection.rows.set_index("image").rename(index=lambda path: Path(path).name)
    assert rows["lesion"].to_dict() == {
        "a.png": "clinic/L1",
        "b.png": "clinic/L1",
        "c.png": "clinic/L2",
        "d.png": "clinic/d.png",
    }
    assert rows["patient"].to_dict() == {
        "a.png": "clinic/P1",
        "b.png": "clinic/P1",
        "c.png": "clinic/P1",
        "d.png": "clinic/P2",
    }
    everything = select_folder(scan(folder), with_unconfirmed=True)
    assert (len(everything.rows), everything.num_unconfirmed) == (5, 0)


def test_a_folder_without_histopathology_is_refused_with_what_to_do(tmp_path: Path, draw: Draw):
    draw(tmp_path / "data" / "nevus" / "a.png", 1)

    with pytest.raises(DatasetError, match=r"Found 1 photographs .* 0 of them .*`--all`"):
        select_folder(scan(tmp_path / "data"))


def test_copies_without_a_lesion_id_are_one_lesion(tmp_path: Path, draw: Draw):
    for name in ("a", "b"):
        draw(tmp_path / "data" / "nevus" / f"{name}.png", 1)
    draw(tmp_path / "data" / "nevus" / "c.jpg", 1)
    draw(tmp_path / "data" / "nevus" / "d.png", 2)

    rows = select_folder(scan(tmp_path / "data"), with_unconfirmed=True).rows

    assert rows["lesion"].nunique() == 2


def test_a_folder_is_indexed_and_its_own_photograph_is_found_at_distance_0(
    folder: Path, embedder: Embedder, tmp_path: Path
):
    path = tmp_path / "clinic.lookalikes"
    facts = build_index(select_folder(scan(folder)), embedder, read, path)

    assert (facts.num_lesions, facts.num_photographs) == (3, 4)
    assert facts.by_diagnosis == {"MEL": 1, "NV": 2}
    assert (facts.num_unconfirmed, facts.num_unreadable, facts.num_unfamiliar) == (1, 0, 0)
    index = open_index(path, "unguarded")
    assert index.facts == facts
    query = read_query(embedder.classifier, folder / "b.png")
    nearest = find_lookalikes(query, [index]).nearest
    assert len(nearest) == 3
    assert (nearest[0].lesion, Path(nearest[0].image)) == ("clinic/L1", folder / "b.png")
    assert nearest[0].distance == pytest.approx(0, abs=0.002)  # kept as float16
    assert nearest[1].distance > 0.01


def test_a_query_leaves_out_its_patient_and_its_copy_of_another_name(
    folder: Path, embedder: Embedder, tmp_path: Path
):
    path = tmp_path / "clinic.lookalikes"
    build_index(select_folder(scan(folder)), embedder, read, path)
    index = open_index(path, "unguarded")
    reading = read_photograph(embedder.classifier, read_image(folder / "d.png"))
    assert isinstance(reading, Reading)
    own = frozenset({reading.fingerprint})

    query = read_query(embedder.classifier, folder / "d.png", fingerprints=own)
    found = sorted(each.lesion for each in find_lookalikes(query, [index]).nearest)
    assert found == ["clinic/L1", "clinic/L2"]
    query = read_query(embedder.classifier, folder / "d.png", patients=frozenset({"clinic/P1"}))
    assert [each.lesion for each in find_lookalikes(query, [index]).nearest] == ["clinic/d.png"]


def test_a_copy_that_was_saved_again_in_another_size_is_left_out(
    embedder: Embedder, tmp_path: Path
):
    folder = tmp_path / "data" / "melanoma"
    folder.mkdir(parents=True)
    for lesion in DEMONSTRATION_LESIONS:
        shutil.copy(lesion.path, folder)
    path = tmp_path / "x.lookalikes"
    selection = select_folder(scan(folder.parent), with_unconfirmed=True)
    build_index(selection, embedder, read, path)
    copy = tmp_path / "copy.jpg"
    with Image.open(DEMONSTRATION_LESIONS[0].path) as photograph:
        small = photograph.convert("RGB").resize((photograph.width // 2, photograph.height // 2))
    small.save(copy, quality=60)
    reading = read_photograph(embedder.classifier, read_image(copy))
    assert isinstance(reading, Reading)

    query = read_query(embedder.classifier, copy, looks=frozenset({reading.look}))
    found = find_lookalikes(query, [open_index(path, "unguarded")])

    assert (found.num_lesions, found.num_left_out) == (5, 1)
    name = DEMONSTRATION_LESIONS[0].path.name
    assert name not in {Path(each.image).name for each in found.nearest}


def test_unreadable_files_are_skipped_and_counted(folder: Path, embedder: Embedder, tmp_path: Path):
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:100])
    opened = scan(folder)
    (folder / "c.png").unlink()  # after the scan

    facts = build_index(select_folder(opened), embedder, read, tmp_path / "x.lookalikes")

    assert (facts.num_photographs, facts.num_unreadable) == (2, 2)


def test_what_is_out_of_distribution_is_left_out_and_counted(
    folder: Path, bundled_classifier: Classifier, tmp_path: Path
):
    guarded = Embedder(bundled_classifier, tmp_path / "guarded")
    selection = select_folder(scan(folder))

    facts = build_index(selection, guarded, read, tmp_path / "x.lookalikes")

    assert (facts.num_photographs, facts.num_unfamiliar) == (0, 4)
    index = open_index(tmp_path / "x.lookalikes", bundled_classifier.card.model_id)
    assert index.facts.num_lesions == 0


def test_cancelled_work_writes_no_index_and_continues_where_it_stopped(
    folder: Path, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("melanoma_core.lookalikes.embedder._BATCH_SIZE", 2)
    selection, path = select_folder(scan(folder)), tmp_path / "clinic.lookalikes"

    def cancel(done: int, total: int) -> None:
        assert (done, total) == (2, 4)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(selection, embedder, read, path, cancel)
    assert not path.exists()

    first = set(selection.rows.sort_values(["lesion", "image"])["image"][:2])
    seen: list[tuple[int, int]] = []

    def read_rest(image: str):
        assert image not in first
        return read(image)

    def count(done: int, total: int) -> None:
        seen.append((done, total))

    facts = build_index(selection, embedder, read_rest, path, count)
    assert facts.num_photographs == 4
    assert seen == [(2, 4), (4, 4)]
    again = tmp_path / "again.lookalikes"
    assert build_index(selection, embedder, refuse, again) == facts
    assert again.read_bytes() == path.read_bytes()


def test_a_folder_that_has_grown_reads_only_what_is_new(
    folder: Path, embedder: Embedder, tmp_path: Path, draw: Draw
):
    path = tmp_path / "clinic.lookalikes"
    build_index(select_folder(scan(folder)), embedder, read, path)
    draw(folder / "f.png", 9)
    (folder / "table.csv").write_text(f"{TABLE}f.png,nevus,L6,P6,histopathology\n")
    shutil.copy(folder / "a.png", folder.parent / "moved.png")

    def read_new(image: str):
        assert Path(image).name == "f.png"
        return read(image)

    facts = build_index(select_folder(scan(folder)), embedder, read_new, path)
    assert (facts.num_lesions, facts.num_photographs) == (4, 5)


def test_a_failed_write_leaves_the_old_index(
    folder: Path, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "clinic.lookalikes"
    selection = select_folder(scan(folder))
    build_index(selection, embedder, read, path)
    before = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("melanoma_core.lookalikes.index_file.npy.write_array", fail)
    with pytest.raises(MemoryError):
        build_index(selection, embedder, read, path)
    assert path.read_bytes() == before


def test_no_photograph_makes_an_empty_index(embedder: Embedder, tmp_path: Path):
    rows = pd.DataFrame(columns=["lesion", "image", "file", "diagnosis"], dtype=object)

    facts = build_index(Selection(rows, "record"), embedder, refuse, tmp_path / "x.lookalikes")

    assert (facts.num_lesions, facts.by_diagnosis) == (0, {})
    query = Query(model_id="unguarded", embeddings=np.ones((1, 1280)))
    assert not find_lookalikes(query, [open_index(tmp_path / "x.lookalikes", "unguarded")]).nearest


def make_embedded(value: float) -> Embedded:
    return Embedded(np.array([value, 1], np.float32), "ab" * 32, "ef" * 32, 3.5)


def test_embeddings_are_kept_by_model_and_file(tmp_path: Path):
    store, other = EmbeddingStore(tmp_path, "one"), EmbeddingStore(tmp_path, "other")
    assert (store.find_all(), store.load(["00"])) == (set(), {})
    assert not any(tmp_path.iterdir())  # asking makes no file

    store.add({"00": make_embedded(0.5), "01": make_embedded(2)})

    loaded = EmbeddingStore(tmp_path, "one").load(["01", "02", "01"])
    assert list(loaded) == ["01"]
    assert loaded["01"].embedding.tolist() == [2, 1]
    assert (loaded["01"].fingerprint, loaded["01"].look) == ("ab" * 32, "ef" * 32)
    assert loaded["01"].novelty == 3.5
    assert other.load(["01"]) == {}


def test_more_files_are_loaded_than_one_query_may_name(tmp_path: Path):
    store = EmbeddingStore(tmp_path, "one")
    store.add({f"{number:04x}": make_embedded(number % 7) for number in range(1203)})

    assert len(store.load(f"{number:04x}" for number in range(1300))) == 1203


def test_what_is_forgotten_leaves_nothing_on_the_disk(tmp_path: Path):
    secret = Embedded(np.full(200, 0.123, np.float32), "cd" * 32)
    for model in ("one", "other"):
        EmbeddingStore(tmp_path, model).add({"00": make_embedded(1), "01": secret})
        (tmp_path / f"{model}.lookalikes").write_bytes(b"an index")
    pattern = np.full(8, 0.123, np.float16).tobytes()
    assert pattern in EmbeddingStore(tmp_path, "one").path.read_bytes()

    forget_files(tmp_path, ["01"])

    for model in ("one", "other"):
        store = EmbeddingStore(tmp_path, model)
        assert store.find_all() == {"00"}
        assert pattern not in store.path.read_bytes()
        assert bytes.fromhex("cd" * 32) not in store.path.read_bytes()
        assert not (tmp_path / f"{model}.lookalikes").exists()
    forget_files(tmp_path / "nowhere", ["01"])


def test_without_a_file_to_forget_indexes_stay(tmp_path: Path):
    (tmp_path / "one.lookalikes").write_bytes(b"an index")

    forget_files(tmp_path, [])

    assert (tmp_path / "one.lookalikes").exists()


def test_damaged_embeddings_are_forgotten_whole(tmp_path: Path):
    store = EmbeddingStore(tmp_path, "one")
    store.path.write_bytes(b"rubbish" * 1000)

    forget_files(tmp_path, ["00"])

    assert store.find_all() == set()


def test_damaged_embeddings_are_computed_again(tmp_path: Path):
    store = EmbeddingStore(tmp_path, "one")
    store.path.write_bytes(b"rubbish" * 1000)

    assert store.find_all() == set()
    store.add({"00": make_embedded(1)})
    assert store.find_all() == {"00"}


def test_a_locked_database_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("melanoma_core.lookalikes.embeddings._LOCK_SECONDS", 0.01)
    store = EmbeddingStore(tmp_path, "one")
    store.add({"00": make_embedded(1)})
    with sqlite3.connect(store.path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            store.add({"01": make_embedded(1)})
    assert store.find_all() == {"00"}


def test_a_photograph_that_cannot_be_read_is_tried_again_next_time(
    embedder: Embedder, tmp_path: Path, draw: Draw
):
    path = draw(tmp_path / "a.png", 1)

    def fail(image: str):
        raise ImageError(f"{image} is locked")

    embedder.embed({"00": str(path)}, fail)
    assert embedder.make_vectors(["00"]).num_unreadable == 1
    embedder.embed({"00": str(path)}, read)
    made = embedder.make_vectors(["00"])
    assert (made.num_unreadable, made.vectors.shape) == (0, (1, 128))
