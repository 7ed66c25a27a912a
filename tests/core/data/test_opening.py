from pathlib import Path

from melanoma_core.data.cache import FactCache
from melanoma_core.data.opening import open_folder


def test_the_key_depends_on_the_content(tmp_path: Path, draw):
    folder = tmp_path / "set"
    draw(folder / "melanoma" / "a.jpg", 1)
    draw(folder / "nevus" / "b.jpg", 2)
    cache = FactCache(tmp_path / "cache")

    first = open_folder(folder, cache)
    again = open_folder(folder, cache)
    (folder / "nevus" / "copy.jpg").write_bytes((folder / "melanoma" / "a.jpg").read_bytes())
    changed = open_folder(folder, cache)

    assert first.folder == folder.resolve()
    assert again.key == first.key
    assert changed.key != first.key
    assert len(changed.records) == 3
    # The copy has another label and shares the cluster.
    clusters = changed.records.set_index(changed.records["path"].map(lambda path: path.name))
    assert clusters.loc["copy.jpg", "cluster"] == clusters.loc["a.jpg", "cluster"]
    assert clusters.loc["b.jpg", "cluster"] != clusters.loc["a.jpg", "cluster"]


def test_a_companion_table_adds_the_ground_truth(tmp_path: Path, draw):
    draw(tmp_path / "set" / "melanoma" / "ISIC_0000001.jpg", 1)
    (tmp_path / "companion").mkdir()
    (tmp_path / "companion" / "ISIC_2019_Training_GroundTruth.csv").write_text(
        "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\nISIC_0000001,0,1,0,0,0,0,0,0,0\n"
    )

    opened = open_folder(tmp_path / "set", FactCache(tmp_path / "cache"))

    assert opened.records["truth"].tolist() == ["NV"]
    assert opened.records["label"].tolist() == ["MEL"]
