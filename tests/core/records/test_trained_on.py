"""The audit leaves out what a model says of patients that it was trained on."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.records.audit import Audit, Drift, make_audit, make_drift, read_audit_data
from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.audit_flow import draw_audit_flow
from melanoma_core.records.audit_scores import Score
from melanoma_core.records.audit_table import Condition, Judge, Scope
from melanoma_core.records.audit_text import describe_verdicts
from melanoma_core.records.entities import Patient, Photograph
from melanoma_core.records.store import Record
from melanoma_core.records.trained_on import find_trained, find_trained_patients, mark_trained
from melanoma_core.records.vocabulary import Management
from melanoma_core.settings import Settings, load_settings
from tests.core.records.made_cases import INVASIVE, NEVUS
from tests.core.records.made_loops import add_loop
from tests.drawn_audit import make_case
from tests.drawn_models import make_split, write_model


@pytest.fixture
def record(tmp_path: Path) -> Generator[Record, None, None]:
    """A melanoma and a nevus, of two patients; the first read missed the melanoma."""
    record = Record.create(tmp_path / "record", by="dr.a")
    add_loop(record, "A", INVASIVE, Management.REASSURE)
    add_loop(record, "B", NEVUS, Management.REASSURE, "drawn-nevus.jpg")
    yield record
    record.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings(), models_dir=tmp_path / "models", model=None)


def find_ids(record: Record, pseudonym: str) -> tuple[str, str]:
    """Return the id of a patient, and the SHA-256 of the patient's photograph."""
    patient = record.find_patient(pseudonym)
    assert patient is not None
    (shot,) = record.find(Photograph, patient_id=patient.id)
    return patient.id, shot.value.sha256


def train(settings: Settings, sha256: str, subset: str = "train") -> None:
    """Write the model of the readings, with a photograph in a subset of its split."""
    split = make_split()
    place = split.index[split["subset"] == ("test" if subset == "test" else "train")][0]
    split.loc[place, ["sha256", "subset"]] = [sha256, subset]
    write_model(settings.models_dir, "model", split=split, can_read=False)


def audit(record: Record, settings: Settings) -> Audit:
    return make_audit(read_audit_data(record, settings=settings).cases, groupings=[])


def count_judged(found: Audit, judge: Judge) -> tuple[int, int]:
    """Return of how many melanomas, and of how many other lesions, a judge has said anything."""
    for each in found.performance.rates:
        if (each.judge, each.condition) == (judge, Condition.MELANOMA):
            return each.sensitivity.total, each.specificity.total
    return 0, 0


def test_without_a_split_no_patient_is_known(record: Record) -> None:
    assert find_trained_patients(record, None) == frozenset()
    nothing = pd.DataFrame({"sha256": [], "subset": []})
    assert find_trained_patients(record, nothing) == frozenset()


def test_a_case_without_an_ai_reading_is_as_it_was() -> None:
    case = AuditCase(patient_id="p", lesion_id="l")
    assert mark_trained([case], {"": frozenset({"p"})}) == (case,)


@pytest.mark.parametrize("subset", ["train", "validation", "inherited"])
def test_readings_of_a_patient_that_the_model_was_trained_on_do_not_count(
    record: Record, settings: Settings, subset: str
) -> None:
    patient, sha256 = find_ids(record, "A")
    train(settings, sha256, subset)
    assert find_trained(record, ["model"], settings) == {"model": frozenset({patient})}

    found = audit(record, settings)
    assert count_judged(found, Judge.FIRST_READ) == (1, 1)
    assert count_judged(found, Judge.NETWORK) == (0, 1)
    assert count_judged(found, Judge.TOGETHER) == (0, 1)
    assert (found.flow.ai_readings, found.flow.trained_on, found.flow.unchecked) == (2, 1, {})
    lesions = {
        each.score: each.num_lesions
        for each in found.scores
        if each.condition is Condition.MELANOMA
    }
    assert (lesions[Score.DOCTOR], lesions.get(Score.NETWORK)) == (2, 1)
    assert any(each.startswith("AI readings that do not count: 1.") for each in found.bias)
    (missed,) = found.missed
    assert missed.network.endswith("It was trained on this patient, and does not count.")
    first, _ = draw_audit_flow(found.flow, Scope.HISTOLOGY).stages
    assert "not counted, as the model was trained on the patient: 1" in first.box.notes


def test_readings_of_a_patient_who_was_only_tested_on_count(
    record: Record, settings: Settings
) -> None:
    train(settings, find_ids(record, "A")[1], "test")
    found = audit(record, settings)
    assert count_judged(found, Judge.NETWORK) == (1, 1)
    assert (found.flow.trained_on, found.flow.unchecked) == (0, {})
    assert not any("trained on" in each for each in found.bias)


def test_other_lesions_of_the_same_patient_do_not_count_either(
    record: Record, settings: Settings
) -> None:
    patient, sha256 = find_ids(record, "A")
    train(settings, sha256)
    trained = find_trained(record, ["model"], settings)
    cases = [make_case("MEL", patient_id=patient, model_id="model"), make_case("NV")]
    assert [each.was_trained_on for each in mark_trained(cases, trained)] == [True, None]


def test_a_model_whose_folder_is_gone_is_named_and_counts(
    record: Record, settings: Settings
) -> None:
    found = audit(record, settings)
    assert len(record.find(Patient)) == 2
    assert count_judged(found, Judge.NETWORK) == (1, 1)
    assert (found.flow.trained_on, found.flow.unchecked) == (0, {"model": 2})
    (sentence,) = [each for each in found.bias if each.startswith("It could not be checked")]
    assert "model (2)" in sentence


def test_a_refused_reading_is_not_held_against_a_model_that_does_not_count() -> None:
    refused = {"melanoma_alert": None, "skin_cancer_alert": None, "melanoma_probability": None}
    cases = [make_case("MEL", **refused), make_case("MEL", 1, **refused, was_trained_on=True)]
    assert count_judged(make_audit(cases, groupings=[]), Judge.NETWORK_INTENDED) == (1, 0)


def test_a_melanoma_that_a_trained_model_did_not_see_is_not_missed_by_it() -> None:
    blind = make_case("MEL", melanoma_alert=False, was_trained_on=True)
    assert make_audit([blind], groupings=[]).missed == ()


def measure_drift_of(record: Record, settings: Settings) -> Drift:
    photographs = read_audit_data(record, settings=settings).photographs
    warned = np.ones_like(photographs.has_quality_warning)
    measured = replace(photographs, has_quality_warning=warned)
    return make_drift(measured, settings.models_dir / "model")


def count_shared(drift: Drift) -> set[int]:
    """Return how many photographs of a month are counted."""
    return {each.share.total for each in drift.shares}


def test_the_drift_leaves_out_the_patients_that_the_model_was_trained_on(
    record: Record, settings: Settings
) -> None:
    _, sha256 = find_ids(record, "A")

    train(settings, sha256)
    drift = measure_drift_of(record, settings)

    assert (count_shared(drift), drift.trained_on, drift.unchecked) == ({1}, 1, 0)
    assert describe_verdicts(drift).endswith(
        "Photographs left out, since the model was trained on their patients: 1."
    )


def test_the_drift_keeps_the_patients_of_the_held_out_test_set(
    record: Record, settings: Settings
) -> None:
    _, sha256 = find_ids(record, "A")

    train(settings, sha256, "test")
    drift = measure_drift_of(record, settings)

    assert (count_shared(drift), drift.trained_on, drift.unchecked) == ({2}, 0, 0)


def test_the_drift_says_what_cannot_be_checked(record: Record, settings: Settings) -> None:
    data = read_audit_data(record, settings=settings)  # before there is a model
    write_model(settings.models_dir, "model", can_read=False)
    drift = make_drift(data.photographs, settings.models_dir / "model")

    assert (drift.trained_on, drift.unchecked) == (0, 2)
    assert "They are counted." in describe_verdicts(drift)
