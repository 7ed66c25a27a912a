"""Why the model that reads needs caution."""

from dataclasses import replace
from pathlib import Path

import pytest

from melanoma_core.errors import ModelError
from melanoma_core.models.card import load_card
from melanoma_core.models.caution import list_cautions
from melanoma_core.models.registry import Pointer, write_pointer
from melanoma_core.settings import Settings, load_settings
from tests.drawn_models import LEAKING, write_model


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings(), models_dir=tmp_path, model=None)


def deploy(settings: Settings, model_id: str, against_gate: bool = False) -> None:
    write_pointer(settings.models_dir, Pointer(model_id, False, "2026-11-27", against_gate))


def test_the_bundled_model_needs_no_caution(settings: Settings):
    assert list_cautions(settings) == ()


def test_a_model_promoted_against_the_gate_does(settings: Settings):
    write_model(settings.models_dir, "forced", can_read=False)
    deploy(settings, "forced")
    assert list_cautions(settings) == ()
    deploy(settings, "forced", against_gate=True)
    (caution,) = list_cautions(settings)
    assert caution.startswith("The model in use, forced, was promoted against the gate.")


def test_a_pinned_model_has_no_share_in_the_deployment_of_another(settings: Settings):
    for name in ("forced", "other"):
        write_model(settings.models_dir, name, can_read=False)
    deploy(settings, "forced", against_gate=True)
    assert list_cautions(replace(settings, model="other")) == ()


def test_a_file_of_an_older_version_names_no_override(settings: Settings):
    write_model(settings.models_dir, "old", can_read=False)
    (settings.models_dir / "deployed.json").write_text(
        '{"model_id": "old", "is_bundled": false, "at": "2026-11-21T12:00:00+00:00"}'
    )
    assert list_cautions(settings) == ()


def test_a_model_without_a_test_does(settings: Settings):
    folder = write_model(settings.models_dir, "untested", can_read=False)
    replace(load_card(folder), metrics={}).save(folder)
    deploy(settings, "untested")
    assert list_cautions(settings) == (
        "The model in use, untested, was not evaluated on a held-out test set.",
    )


def test_a_model_whose_metrics_are_withheld_does(settings: Settings):
    write_model(settings.models_dir, "leaking", can_read=False, leakage=LEAKING)
    deploy(settings, "leaking")
    (caution,) = list_cautions(settings)
    assert "its metrics are withheld because of leakage" in caution


def test_a_missing_deployed_model_does(settings: Settings):
    deploy(settings, "lost", against_gate=True)
    (caution,) = list_cautions(settings)
    assert caution.startswith("The bundled model is in use, because the deployed model lost")


def test_a_model_of_the_setting_that_does_not_exist_is_an_error(settings: Settings):
    with pytest.raises(ModelError, match='Found no model "absent"'):
        list_cautions(replace(settings, model="absent"))
