import json
from pathlib import Path

import pytest

from melanoma_core.assessment.assessment import Assessment
from melanoma_core.cli.main import main
from melanoma_core.jsonable import from_jsonable


@pytest.fixture
def moles(tmp_path: Path, draw, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MELANOMA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MELANOMA_MODELS_DIR", str(tmp_path / "models"))
    folder = tmp_path / "moles"
    for number in range(6):
        draw(folder / ("melanoma" if number % 2 else "nevus") / f"{number}.png", number)
    return folder


def test_the_json_document_is_printed_and_written_to_a_file(moles: Path, tmp_path: Path, capsys):
    out = tmp_path / "new" / "out.json"
    assert main(["evaluate", str(moles), "--json", "--out", str(out), "--prevalence", "0.1"]) == 0
    answer = capsys.readouterr()
    document = json.loads(answer.out)
    assert document == json.loads(out.read_text("utf-8"))
    assert [each.name for each in out.parent.iterdir()] == ["out.json"]
    assert "Reading images: 6/6" in answer.err
    assert document["at_prevalence"]["prevalence"] == 0.1
    assert document["at_prevalence"]["images"] == "All images"
    assert document.pop("at_prevalence")["ppv"]["total"] == 6
    assessment = from_jsonable(Assessment, document)
    assert (assessment.subset, assessment.evaluation.num_images) == ("all", 6)


def test_the_predictive_values_are_on_confirmed_images_first_as_the_metrics(moles: Path, capsys):
    rows = [f"{number},{'histopathology' if number < 4 else 'follow-up'}" for number in range(6)]
    (moles / "metadata.csv").write_text("\n".join(["image_id,diagnosis_confirm_type", *rows]))

    assert main(["evaluate", str(moles), "--json", "--prevalence", "0.1"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert main(["evaluate", str(moles), "--prevalence", "0.1"]) == 0
    text = capsys.readouterr().out

    assert document["confirmed"]["num_images"] == document["num_confirmed"] == 4
    values = document["at_prevalence"]
    assert values["images"] == "Confirmed by histopathology"
    assert (values["ppv"]["total"], values["all_images"]["ppv"]["total"]) == (4, 6)
    assert "| Metric | Confirmed by histopathology | All images |" in text
    first, second = "Confirmed by histopathology: At a prevalence", "All images: At a prevalence"
    assert 0 < text.index(first) < text.index(second)


def test_both_alerts_are_evaluated_at_the_prevalence_of_the_setting(
    moles: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setenv("MELANOMA_PREVALENCE", "0.02,0.08")
    assert main(["evaluate", str(moles), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)["at_prevalence"]
    assert values["prevalence"] == 0.02
    assert values["skin_cancer"] is None or values["skin_cancer"]["prevalence"] == 0.08
    assert main(["evaluate", str(moles), "--json", "--prevalence", "0.1,0.2"]) == 0
    assert json.loads(capsys.readouterr().out)["at_prevalence"]["prevalence"] == 0.1


def test_without_json_sentences_and_tables_are_printed(moles: Path, capsys):
    (moles / "nevus" / "broken.png").write_text("no picture")
    assert main(["evaluate", str(moles), "--prevalence", "0.02"]) == 0
    answer = capsys.readouterr()
    assert answer.out.startswith("6 of 7 images of moles (subset all), of 6 lesions")
    assert "| Sensitivity of the melanoma alert |" in answer.out
    assert "At a prevalence of 2.0%, 20 of 1,000 lesions are melanomas." in answer.out
    assert "Unreadable: broken.png." in answer.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--subset", "test"], "Found 0 images"),
        (["--model", "nonsense"], 'Found no model "nonsense"'),
        (["--table", "gone.csv"], "gone.csv"),
    ],
)
def test_an_impossible_evaluation_is_an_error(
    moles: Path, options: list[str], message: str, capsys
):
    assert main(["evaluate", str(moles), *options]) == 2
    assert message in capsys.readouterr().err


def test_more_melanomas_than_skin_cancers_are_refused(moles: Path, capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", str(moles), "--prevalence", "0.2,0.1"])
    said = " ".join(capsys.readouterr().err.split())
    assert 'Found --prevalence="0.2,0.1". It must be the share of melanomas' in said
    assert "Every melanoma is a skin cancer" in said


@pytest.mark.parametrize("share", ["-0.1", "1.5", "2%", "nan", "0.1,0.2,0.3", "0.1,"])
def test_an_impossible_prevalence_is_refused(moles: Path, share: str, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(moles), f"--prevalence={share}"])
    assert ended.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f'Found --prevalence="{share}". It must be the share of melanomas' in said
