import json
import shutil
from functools import partial
from pathlib import Path

import pytest

import melanoma_core
from melanoma_core.cli.main import main
from melanoma_core.data.drawn.dataset import write_demonstration_dataset
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.settings import ASSETS
from tests.drawn_models import write_model

pytestmark = pytest.mark.slow

BUNDLED_ID = load_card(BUNDLED).model_id


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A folder with three models, of which "steady" was promoted against the gate."""
    place = tmp_path_factory.mktemp("promoted")
    (place / "runs").mkdir()
    shutil.copy(empty_store, place / "runs")
    write = partial(write_model, place / "models", can_read=False)
    write("steady", missed=10, false_alerts=120)
    write("better", missed=4, false_alerts=100)
    write("worse", missed=40, false_alerts=60)
    with pytest.MonkeyPatch.context() as patch:
        use(place, patch)
        assert main(["promote", "steady", "--by", "Ada", "--override", "the first"]) == 0
    return place


def use(place: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("MELANOMA_MODELS_DIR", str(place / "models"))
    patch.setenv("MELANOMA_RUNS_DIR", str(place / "runs"))
    patch.delenv("MELANOMA_MODEL", raising=False)


@pytest.fixture(autouse=True)
def models_dir(promoted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models folder of a copy of `promoted`."""
    shutil.copytree(promoted, tmp_path, dirs_exist_ok=True)
    use(tmp_path, monkeypatch)
    return tmp_path / "models"


def read_json(capsys: pytest.CaptureFixture[str]) -> object:
    return json.loads(capsys.readouterr().out)


def test_a_better_model_is_promoted_listed_and_rolled_back(capsys):
    assert main(["promote", "better", "--by", "Ada"]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[-1] == "better is deployed"
    assert "Compared on 600 photographs" in shown.err

    assert main(["models"]) == 0
    listed = capsys.readouterr().out
    assert "better, deployed, made" in listed
    assert "steady, deployed before, made" in listed
    assert "worse, candidate, made" in listed

    assert main(["rollback", "--by", "Ben"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "steady is deployed"


def test_a_half_copied_model_is_named_and_the_others_are_listed(capsys, models_dir: Path):
    (models_dir / "worse" / "card.json").write_text("{", "utf-8")

    assert main(["models"]) == 0
    shown = capsys.readouterr()
    assert f"Not listed: Cannot read {models_dir / 'worse' / 'card.json'}" in shown.err
    assert "better, candidate, made" in shown.out
    assert "worse" not in shown.out

    assert main(["models", "--json"]) == 0
    listed = [card["model_id"] for card in read_json(capsys)]
    assert listed == [BUNDLED_ID, "better", "steady"]
    assert main(["models", "show", BUNDLED_ID]) == 0
    assert main(["models", "show", "worse"]) == 2
    assert "Damaged: Cannot read" in capsys.readouterr().err


def test_every_answer_says_that_the_deployed_model_is_gone_and_the_bundled_one_reads(
    capsys, models_dir: Path, tmp_path: Path
):
    shutil.rmtree(models_dir / "steady")
    notice = "The bundled model is in use, because the deployed model steady is missing from"
    photograph = str(ASSETS / "demonstration" / "drawn-melanoma-1.jpg")
    folder = write_demonstration_dataset(tmp_path / "drawn")

    assert main(["predict", photograph]) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith(notice)
    assert notice not in shown.out
    assert main(["predict", photograph, "--json"]) == 0
    (row,) = read_json(capsys)
    assert (row["model_id"], row["notice"][: len(notice)]) == (BUNDLED_ID, notice)
    assert main(["predict", photograph, "--json", "--model", BUNDLED_ID]) == 0
    assert read_json(capsys)[0]["notice"] == ""

    assert main(["evaluate", str(folder), "--subset", "all", "--json"]) == 0
    assert read_json(capsys)["warnings"][0].startswith(notice)
    assert main(["evaluate", str(folder), "--subset", "all"]) == 0
    assert f"WARNING: {notice}" in capsys.readouterr().out
    assert main(["refusals", str(folder), "--impostors", "0", "--json"]) == 0
    assert read_json(capsys)["notice"].startswith(notice)
    with pytest.warns(UserWarning, match=notice):
        melanoma_core.read(photograph)


def test_no_training_starts_from_a_network_that_is_not_the_one_of_its_card(
    capsys, models_dir: Path
):
    (models_dir / "better" / "model.keras").write_bytes(b"another network")

    assert main(["train", "nowhere", "--from", "better"]) == 2

    assert "model.keras is not the file that its card describes" in capsys.readouterr().err


def test_a_refusal_exits_with_2_and_every_reason(capsys):
    assert main(["promote", "worse"]) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "The gate refuses worse" in shown.err
    assert "may be lower than that of the deployed model by more than the margin" in shown.err


def test_an_override_without_a_name_exits_with_2(capsys):
    assert main(["promote", "worse", "--override", "we want it"]) == 2
    assert "no name" in capsys.readouterr().err

    assert main(["promote", "worse", "--override", "we want it", "--by", "Ada"]) == 0
    assert "worse promoted against the gate" in capsys.readouterr().out


def test_the_promotion_as_json_holds_the_whole_comparison(capsys):
    capsys.readouterr()
    assert main(["promote", "worse", "--json"]) == 2

    document = read_json(capsys)
    assert document["refused"] is True
    assert document["previous_id"] == "steady"
    comparison = document["comparison"]
    assert comparison["num_images"] == 600
    assert comparison["differences"]["sensitivity"]["value"] == pytest.approx(-0.15)
    assert len(comparison["disagreements"]) == 30 + 60


def test_the_models_as_json_say_which_is_deployed(capsys):
    capsys.readouterr()
    assert main(["models", "--json"]) == 0

    states = {card["model_id"]: card["state"] for card in read_json(capsys)}
    assert states == {
        BUNDLED_ID: "deployed before",
        "better": "candidate",
        "steady": "deployed",
        "worse": "candidate",
    }


def test_a_model_named_by_the_environment_is_reported(capsys, monkeypatch):
    monkeypatch.setenv("MELANOMA_MODEL", "worse")
    assert main(["promote", "better", "--by", "Ada"]) == 0

    assert (
        "MELANOMA_MODEL names worse, which is used instead of the deployed model"
        in capsys.readouterr().err
    )


def test_a_deployed_model_without_predictions_reads_the_photographs_again(
    capsys, models_dir: Path, tmp_path: Path
):
    write_model(models_dir, "silent", with_lineage=False, can_read=False)
    main(["promote", "silent", "--by", "Ada", "--override", "to be compared with"])
    data = tmp_path / "data"
    for number, name in enumerate(("melanoma", "nevus")):
        (data / name).mkdir(parents=True)
        drawn = sorted((BUNDLED.parent / "demonstration").glob("*.jpg"))[number]
        shutil.copy(drawn, data / name / "one.jpg")
    capsys.readouterr()

    assert main(["promote", "better", "--data", str(data)]) == 2

    shown = capsys.readouterr().err
    assert f"Found 0 of 600 missing test photographs in {data}" in shown
    assert "Found no prediction of silent for the 600 test photographs of better" in shown


def test_models_are_listed_if_the_tracking_store_is_damaged(capsys, tmp_path: Path, monkeypatch):
    (tmp_path / "spoilt.db").write_text("no database" * 1000)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'spoilt.db'}")

    assert main(["models"]) == 0

    shown = capsys.readouterr()
    assert "steady, deployed, made" in shown.out
    assert "Cannot use the run history" in shown.err


def test_a_model_card_is_shown_and_written(capsys, tmp_path: Path):
    capsys.readouterr()
    assert main(["models", "show", "better"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# Model card: better")

    pdf, text = tmp_path / "card.pdf", tmp_path / "card.md"
    assert main(["models", "show", "better", "--pdf", str(pdf), "--markdown", str(text)]) == 0
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert text.read_text("utf-8") == shown
    capsys.readouterr()

    assert main(["models", "show", "better", "--json"]) == 0
    document = read_json(capsys)
    assert document["card"]["model_id"] == "better"
    assert document["evaluations"] is None
    assert main(["models", "show", "better", "--pdf", str(tmp_path / "no" / "card.pdf")]) == 2
    assert "Cannot write" in capsys.readouterr().err


def test_a_model_is_measured_again_on_its_own_photographs_alone(tmp_path: Path, capsys):
    folder = tmp_path / "drawn"
    write_demonstration_dataset(folder)

    assert main(["models", "recompute", BUNDLED_ID, "--data", str(folder)]) == 2

    message = capsys.readouterr().err
    assert f"Found 0 of the 3,670 validation and test photographs of {BUNDLED_ID}" in message
    assert "Missing: 1,752 of validation and 1,918 of test" in message
    assert "Name every folder that holds them." in message
