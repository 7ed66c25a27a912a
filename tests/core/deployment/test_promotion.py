"""Promotion and rollback, with a real MLflow store."""

import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from mlflow import MlflowClient

from melanoma_core.deployment import promotion
from melanoma_core.deployment.promotion import promote, propose, roll_back, synchronise_deployment
from melanoma_core.deployment.versions import Alias, EventKind, read_versions
from melanoma_core.errors import ModelError, RunError
from melanoma_core.models.card import load_card
from melanoma_core.models.caution import list_cautions
from melanoma_core.models.registry import (
    BUNDLED,
    Ground,
    Pointer,
    find_model,
    find_serving,
    read_pointer,
    write_pointer,
)
from melanoma_core.runs.record import open_record
from melanoma_core.settings import Settings, load_settings
from tests.drawn_models import LEAKING, write_model

pytestmark = pytest.mark.slow

BUNDLED_ID = load_card(BUNDLED).model_id


def settle(folder: Path) -> Settings:
    return replace(
        load_settings(),
        runs_dir=folder / "runs",
        models_dir=folder / "models",
        model=None,
        tracking_uri=f"sqlite:///{folder / 'runs' / 'mlflow.db'}",
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models folder of four models."""
    folder = tmp_path_factory.mktemp("place")
    write = partial(write_model, folder / "models", can_read=False)
    write("steady", missed=10, false_alerts=120)
    write("better", missed=4, false_alerts=100)
    write("worse", missed=40, false_alerts=60)
    write("leaking", missed=0, false_alerts=0, leakage=LEAKING)
    return folder


@pytest.fixture(scope="module")
def promoted(models: Path, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a store in which "steady" was promoted against the gate."""
    folder = tmp_path_factory.mktemp("promoted")
    shutil.copytree(models, folder, dirs_exist_ok=True)
    settings = settle(folder)
    settings.runs_dir.mkdir()
    shutil.copy(empty_store, settings.runs_dir)
    promote(settings, propose(settings, "steady", BUNDLED_ID), "Ada", "the first of its kind")
    return folder


@pytest.fixture
def place(models: Path, tmp_path: Path) -> Settings:
    """Settings with four models and no tracking store."""
    shutil.copytree(models, tmp_path, dirs_exist_ok=True)
    return settle(tmp_path)


@pytest.fixture
def steady(promoted: Path, tmp_path: Path) -> Settings:
    """Settings with four models, of which "steady" is deployed."""
    shutil.copytree(promoted, tmp_path, dirs_exist_ok=True)
    return settle(tmp_path)


def ask(settings: Settings, model_id: str, by: str = "Ada", override: str = "") -> EventKind:
    proposal = propose(settings, model_id, synchronise_deployment(settings).deployed_id)
    return promote(settings, proposal, by, override).kind


def test_without_a_promotion_the_bundled_model_is_deployed_and_no_store_is_made(place: Settings):
    deployment = synchronise_deployment(place)

    assert (deployment.deployed_id, deployment.previous_id) == (BUNDLED_ID, None)
    assert deployment.events == ()
    assert not place.runs_dir.exists()
    assert find_serving(place).ground is Ground.BUNDLED


def test_a_better_model_is_promoted_and_reads_at_once(steady: Settings):
    assert find_model(steady) == steady.models_dir / "steady"

    assert ask(steady, "better") is EventKind.PROMOTED

    assert find_model(steady) == steady.models_dir / "better"
    assert find_serving(steady).ground is Ground.DEPLOYED
    deployment = synchronise_deployment(steady)
    assert (deployment.deployed_id, deployment.previous_id) == ("better", "steady")
    event = deployment.events[0]
    assert (event.kind, event.model_id, event.previous_id) == ("promoted", "better", "steady")
    assert (event.by, event.reason) == ("Ada", "")
    assert "Compared on 600 photographs" in event.verdict[0]
    assert event.at.endswith("+00:00")


def test_a_worse_model_is_refused_and_the_refusal_is_recorded(steady: Settings):
    assert ask(steady, "worse") is EventKind.REFUSED

    assert find_model(steady) == steady.models_dir / "steady"
    event = synchronise_deployment(steady).events[0]
    assert event.kind is EventKind.REFUSED
    assert "may be lower than that of the deployed model" in event.verdict[0]


def test_leakage_is_refused_however_good_the_metrics(steady: Settings):
    assert ask(steady, "leaking") is EventKind.REFUSED
    assert (
        "Leakage: 7 of 600 test photographs" in synchronise_deployment(steady).events[0].verdict[0]
    )


def test_an_override_needs_a_name_and_a_reason_and_keeps_both(steady: Settings):
    proposal = propose(steady, "worse", "steady")

    with pytest.raises(ModelError, match="Found a reason to override the gate and no name"):
        promote(steady, proposal, by=" ", override="we want it")
    assert promote(steady, proposal, by="Ada", override=" ").kind is EventKind.REFUSED
    assert find_model(steady).name == "steady"

    event = promote(steady, proposal, by=" Ada ", override="for a study of errors")

    assert (event.kind, event.by) == (EventKind.OVERRIDDEN, "Ada")
    assert event.reason == "for a study of errors"
    assert synchronise_deployment(steady).events[0] == event
    assert find_model(steady).name == "worse"


def test_the_file_beside_the_models_says_what_was_promoted_against_the_gate(
    steady: Settings, empty_store: Path, tmp_path: Path
):
    assert is_marked(steady)  # "steady" itself was promoted against the gate
    ask(steady, "better")
    assert not is_marked(steady)
    assert list_cautions(steady) == ()
    ask(steady, "worse", override="for a study of errors")
    assert is_marked(steady)
    assert list_cautions(steady) == (
        "The model in use, worse, was promoted against the gate. The Models page has the reason, "
        "under History.",
    )
    shutil.copy(empty_store, tmp_path / "new.db")
    lost = replace(steady, tracking_uri=f"sqlite:///{tmp_path / 'new.db'}")
    synchronise_deployment(lost)
    assert is_marked(lost)
    roll_back(steady, "Ada")
    assert not is_marked(steady)


def is_marked(settings: Settings) -> bool:
    pointer = read_pointer(settings.models_dir)
    assert pointer is not None
    return pointer.against_gate


def test_a_reason_is_kept_only_where_something_was_overridden(steady: Settings):
    event = promote(steady, propose(steady, "better", "steady"), "Ada", "not needed")

    assert (event.kind, event.reason) == (EventKind.PROMOTED, "")


def test_a_rollback_restores_the_previous_model_and_another_undoes_it(steady: Settings):
    ask(steady, "better")

    event = roll_back(steady, "Ben")

    assert (event.kind, event.model_id, event.by) == (EventKind.ROLLED_BACK, "steady", "Ben")
    assert find_model(steady).name == "steady"
    assert roll_back(steady).model_id == "better"
    kinds = [event.kind for event in synchronise_deployment(steady).events]
    assert kinds == ["brought back by a rollback"] * 2 + ["promoted", "promoted against the gate"]


def test_a_rollback_to_the_bundled_model_is_no_notice(steady: Settings):
    assert roll_back(steady).model_id == BUNDLED_ID

    assert find_serving(steady) == find_serving(replace(steady, models_dir=Path("/nowhere")))
    assert synchronise_deployment(steady).deployed_id == BUNDLED_ID


def test_there_is_nothing_to_roll_back_to_before_a_promotion(place: Settings, empty_store: Path):
    place.runs_dir.mkdir()
    shutil.copy(empty_store, place.runs_dir)
    with pytest.raises(ModelError, match="no model has been promoted yet"):
        roll_back(place)


def test_mlflow_has_versions_aliases_and_the_name_of_the_person(steady: Settings):
    ask(steady, "better")

    known = read_versions(open_record(steady))
    deployed, previous = known.find(Alias.DEPLOYED), known.find(Alias.PREVIOUS)
    assert deployed is not None
    assert previous is not None
    assert (deployed.model_id, previous.model_id) == ("better", "steady")
    client = open_record(steady).client
    version = client.get_model_version_by_alias("melanoma", "deployed")
    assert version.tags["state"] == "promoted"
    assert version.tags["by"] == "Ada"


def test_a_comparison_with_a_model_that_is_no_longer_deployed_is_refused(steady: Settings):
    stale = propose(steady, "worse", "steady")
    ask(steady, "better", by="Ben")

    with pytest.raises(ModelError, match="better has since been deployed by Ben"):
        promote(steady, stale, "Ada", "hurry")
    assert find_model(steady).name == "better"


def test_one_of_two_concurrent_promotions_has_to_compare_again(steady: Settings):
    write_model(steady.models_dir, "best", missed=2, false_alerts=80, can_read=False)
    outcomes: list[str] = []

    def work(proposal) -> None:
        try:
            outcomes.append(promote(steady, proposal, "Ada").kind)
        except ModelError as error:
            outcomes.append(str(error))

    proposals = [propose(steady, name, "steady") for name in ("better", "best")]
    threads = [threading.Thread(target=work, args=(each,)) for each in proposals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 2
    assert outcomes.count(EventKind.PROMOTED) == 1
    assert any("has since been deployed" in outcome for outcome in outcomes)
    deployment = synchronise_deployment(steady)
    assert find_model(steady).name == deployment.deployed_id
    assert deployment.previous_id == "steady"


def test_a_damaged_file_is_reported_and_repaired_from_the_registry(steady: Settings):
    (steady.models_dir / "deployed.json").write_text('{"model_id": "ste')

    serving = find_serving(steady)
    assert serving.folder == BUNDLED
    assert "The bundled model is in use. Cannot read the deployed model from" in serving.notice

    assert synchronise_deployment(steady).deployed_id == "steady"
    assert find_serving(steady).folder.name == "steady"


def test_a_file_with_another_model_is_repaired_from_the_registry(steady: Settings):
    for pointer in (None, Pointer("better", False, "2026-01-01T00:00:00+00:00")):
        write_pointer(steady.models_dir, pointer)

        synchronise_deployment(steady)

        found = read_pointer(steady.models_dir)
        assert found is not None
        assert found.model_id == "steady"


def test_a_lost_store_does_not_change_the_deployed_model(
    steady: Settings, empty_store: Path, tmp_path: Path
):
    shutil.copy(empty_store, tmp_path / "new.db")
    other = replace(steady, tracking_uri=f"sqlite:///{tmp_path / 'new.db'}")

    deployment = synchronise_deployment(other)

    assert deployment.deployed_id == "steady"
    assert deployment.events[0].kind is EventKind.RECOVERED
    assert find_model(other).name == "steady"


def test_a_store_that_cannot_be_used_changes_nothing(steady: Settings, tmp_path: Path):
    (tmp_path / "spoilt.db").write_text("no database" * 1000)
    lost = replace(steady, tracking_uri=f"sqlite:///{tmp_path / 'spoilt.db'}")
    proposal = propose(lost, "better", "steady")

    with pytest.raises(RunError, match="Cannot use the run history"):
        promote(lost, proposal, "Ada")
    assert find_model(lost).name == "steady"


def test_a_missing_deployed_model_is_replaced_by_the_bundled_one_with_a_notice(
    steady: Settings,
):
    (steady.models_dir / "steady").rename(steady.models_dir / ".away")

    serving = find_serving(steady)
    assert (serving.folder, serving.ground) == (BUNDLED, Ground.BUNDLED)
    assert "the deployed model steady is missing from" in serving.notice
    proposal = propose(steady, "better", synchronise_deployment(steady).deployed_id)
    assert proposal.deployed.model_id == BUNDLED_ID
    assert promote(steady, proposal, "Ada", "it is missing").kind is EventKind.OVERRIDDEN
    assert synchronise_deployment(steady).previous_id == BUNDLED_ID

    (steady.models_dir / ".away").rename(steady.models_dir / "steady")
    assert find_serving(steady).folder.name == "better"


def test_a_renamed_folder_of_the_deployed_model_is_found(steady: Settings):
    (steady.models_dir / "steady").rename(steady.models_dir / "another name")

    assert find_serving(steady).folder == steady.models_dir / "another name"


def test_a_pinned_model_reads_whatever_is_deployed(steady: Settings):
    pinned = replace(steady, model="worse")

    assert find_serving(pinned).ground is Ground.PINNED
    assert find_model(pinned).name == "worse"
    assert synchronise_deployment(pinned).pinned_id == "worse"


def test_a_damaged_network_is_never_deployed(steady: Settings):
    (steady.models_dir / "better" / "model.onnx").write_bytes(b"spoilt")

    with pytest.raises(ModelError, match="is not the file that its card describes"):
        ask(steady, "better")

    assert find_model(steady).name == "steady"
    assert len(synchronise_deployment(steady).events) == 1


class Killed(BaseException):
    """Ends the process where it is raised: nothing catches it."""


def kill_at(monkeypatch: pytest.MonkeyPatch, client: MlflowClient, number: int) -> list[str]:
    """Let the process be killed at a write of a promotion, before it is done; return all writes."""
    writes: list[str] = []

    def make(name: str, write: Callable[..., object]) -> Callable[..., object]:
        def count(*arguments: object, **named: object) -> object:
            writes.append(name)
            if len(writes) == number:
                raise Killed
            return write(*arguments, **named)

        return count

    for name in dir(client):
        if name.startswith(("set_registered", "set_model", "create_")):
            monkeypatch.setattr(client, name, make(name, getattr(client, name)))
    monkeypatch.setattr(promotion, "write_pointer", make("file", promotion.write_pointer))
    return writes


# All three share how they are carried out, so that not every moment of each is tried.
MOMENTS = {"promotion": range(1, 11), "rollback": range(1, 11, 3), "refusal": range(2, 9, 3)}


@pytest.mark.parametrize(
    ("change", "number"), [(change, number) for change in MOMENTS for number in MOMENTS[change]]
)
def test_a_promotion_killed_at_any_write_is_whole_at_the_next_start(
    steady: Settings, monkeypatch: pytest.MonkeyPatch, change: str, number: int
):
    ask(steady, "better")
    proposal = propose(steady, "worse", "better")
    before = synchronise_deployment(steady)
    with monkeypatch.context() as patch:
        writes = kill_at(patch, open_record(steady).client, number)
        with suppress(Killed):
            if change == "rollback":
                roll_back(steady, "Ben")
            else:
                promote(steady, proposal, "Ada", "a trial" if change == "promotion" else "")
    known = read_versions(open_record(steady)).events
    # As the pages see it, until anything looks into the registry again.
    reading = find_model(steady).name
    assert reading in {event.model_id for event in known}

    after = synchronise_deployment(steady)

    assert find_model(steady).name == after.deployed_id
    assert after.deployed_id != after.previous_id
    if len(after.events) == len(before.events):
        assert after == before
    else:
        assert len(after.events) == len(before.events) + 1
        event = after.events[0]
        to, back = (before.deployed_id, before.previous_id)
        expected = {"promotion": ("worse", to), "rollback": (back, to), "refusal": (to, back)}
        assert (after.deployed_id, after.previous_id) == expected[change]
        assert event.model_id == ("worse" if change == "refusal" else after.deployed_id)
    assert synchronise_deployment(steady) == after
    assert read_versions(open_record(steady)).pending is None
    assert len(writes) <= 10  # each of them was a moment of a kill


def test_a_tag_that_another_program_spoilt_is_named(steady: Settings):
    client = open_record(steady).client
    client.set_registered_model_tag("melanoma", "event.2030", "{half")

    with pytest.raises(RunError, match=r'Cannot read the tag "event\.2030"'):
        synchronise_deployment(steady)
