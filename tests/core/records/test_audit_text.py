"""The figures of an audit in words, tables and files."""

import csv
import json
import math
from dataclasses import replace
from datetime import date

import pytest

from melanoma_core import __version__
from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import load_card
from melanoma_core.models.origins import describe_origins
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.audit import make_audit
from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.audit_export import encode_audit, encode_cases, find_model_origins
from melanoma_core.records.audit_flow import AuditFlow, draw_audit_flow, measure_audit_flow
from melanoma_core.records.audit_table import Condition, Scope
from melanoma_core.records.audit_text import (
    format_excisions,
    list_audit_tiles,
    tabulate_bins,
    tabulate_differences,
    tabulate_groups,
    tabulate_missed,
    tabulate_rates,
    tabulate_scores,
)
from melanoma_core.records.bias import explain_bias
from melanoma_core.records.performance import Grouping, find_value
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder
from melanoma_core.settings import load_settings
from melanoma_core.software import DISCLAIMER
from melanoma_core.taxonomy import Confirmation, Diagnosis


def make_case(number: int, *, is_melanoma: bool, found: bool = True) -> AuditCase:
    return AuditCase(
        patient_id=f"p{number}",
        lesion_id=f"l{number}",
        visited_on=date(2026, 1 + number % 2, 3),
        reader="=dr.a",
        opinion=Opinion.MEL if found else Opinion.NV,
        doctor_probability=0.8 if found else 0.1,
        management=Management.EXCISION if found else Management.REASSURE,
        order=ReadOrder.DOCTOR_FIRST,
        is_blind=True,
        has_ai=True,
        melanoma_probability=0.7 if is_melanoma else 0.2,
        skin_cancer_probability=0.8 if is_melanoma else 0.3,
        melanoma_alert=is_melanoma,
        skin_cancer_alert=is_melanoma,
        decision=Management.EXCISION,
        knew_ai=True,
        truth=Diagnosis.MEL if is_melanoma else Diagnosis.NV,
        is_melanoma=is_melanoma,
        is_skin_cancer=is_melanoma,
        confirmation=Confirmation.HISTOPATHOLOGY,
    )


CASES = [make_case(number, is_melanoma=True, found=number > 0) for number in range(40)] + [
    make_case(100 + number, is_melanoma=False) for number in range(5)
]


def test_an_audit_of_nothing_has_tiles_without_numbers() -> None:
    audit = make_audit([])
    tiles = list_audit_tiles(audit.performance, Condition.MELANOMA)
    assert [tile.value for tile in tiles] == [
        *("None", "None", "None", "Too few to say"),
        *("None", "None", "None", "0"),
    ]
    assert tabulate_rates(audit.performance, Condition.MELANOMA) == []
    assert encode_cases([]) == b"\xef\xbb\xbf\r\n"


def test_a_figure_of_fewer_than_30_patients_is_not_the_headline() -> None:
    audit = make_audit(CASES)
    tiles = {tile.label: tile for tile in list_audit_tiles(audit.performance, Condition.MELANOMA)}
    found = tiles["Doctor's first read: sensitivity"]
    assert (found.value, found.basis) == ("97.5%", "39 of 40 lesions; 40 patients")
    spared = tiles["Network's alert: specificity"]
    assert spared.value == "Too few to say"
    assert spared.interval == "100.0%, 95% CI 47.8–100.0%"
    excised = tiles["Lesions excised per melanoma found"]
    assert excised.value == "1.1"
    assert excised.basis == "45 lesions with histology; 45 patients"


def test_tables_hold_counts_intervals_and_reasons() -> None:
    audit = make_audit(CASES)
    rates = tabulate_rates(audit.performance, Condition.MELANOMA)
    assert [row["Judged by"] for row in rates] == [
        "Doctor's first read",
        "Doctor's first diagnosis",
        "Network's alert",
        "Doctor with network",
    ]
    assert str(rates[0]["Sensitivity"]).startswith("97.5% (39 of 40; 95% CI ")
    assert str(rates[0]["Specificity"]).endswith(
        "Too few to say: 5 patients with another lesion than a melanoma; 30 are needed"
    )
    differences = tabulate_differences(audit.performance, Condition.MELANOMA)
    assert differences[0]["Found by one alone"] == "1 against 0"
    assert str(differences[0]["Sensitivity"]).startswith("+2.5 points (95% CI +0.0 to ")
    groups = tabulate_groups(audit.groups[Grouping.MONTH], Condition.MELANOMA)
    assert [(row["Month"], row["Melanomas"]) for row in groups] == [
        ("2026-01", 20),
        ("2026-02", 20),
    ]
    assert find_value(CASES[0], Grouping.YEAR) == "2026"
    scores = tabulate_scores(audit.scores, Condition.MELANOMA)
    assert [row["Probability"] for row in scores] == ["First read", "Network"]
    assert len(tabulate_bins(audit.scores[1].calibration)) == 2
    assert [row["Missed by"] for row in tabulate_missed(audit.missed)] == ["the first read"]


def test_an_excision_without_a_melanoma_has_a_lower_limit_alone() -> None:
    assert format_excisions(Figure(math.nan, 4.0, math.nan, None, 9, 9)) == (
        "undefined, at least 4.0"
    )


def test_the_flow_adds_up() -> None:
    first, last = draw_audit_flow(measure_audit_flow(CASES), Scope.HISTOLOGY).stages
    assert (first.box.count, first.leaving, last.box.count) == (45, None, 45)
    assert "with a first read: 45, of which 45 count" in first.box.notes


@pytest.mark.parametrize(
    ("scope", "count", "left_out"), [(Scope.HISTOLOGY, 11, 19), (Scope.WITH_FOLLOW_UP, 13, 17)]
)
def test_flow_tile_and_sentence_count_the_same_ground_truth(
    scope: Scope, count: int, left_out: int
) -> None:
    flow = AuditFlow(12, 30, 28, 28, 28, 0, 26, 26, 14, 11, 2, {"no decision": 17})
    first, last = draw_audit_flow(flow, scope).stages
    assert (last.box.count, first.leaving.count) == (count, left_out)
    assert explain_bias(flow, scope)[0].startswith(f"Ground truth counts of {count} of 30 lesions")
    confirmed = [Confirmation.HISTOPATHOLOGY] * 11 + [Confirmation.FOLLOW_UP] * 2
    cases = [
        replace(make_case(number, is_melanoma=False), confirmation=each)
        for number, each in enumerate(confirmed)
    ]
    tile = list_audit_tiles(make_audit(cases, scope).performance, Condition.MELANOMA)[-1]
    assert tile.value == str(count)
    assert ("by follow-up" in tile.basis) is (scope is Scope.WITH_FOLLOW_UP)


def test_files_have_no_formula_and_are_what_the_command_line_prints() -> None:
    lines = encode_cases(CASES).decode("utf-8-sig").splitlines()
    assert len(lines) == 46
    assert ",'=dr.a," in lines[1]
    assert "2026-01-03" in lines[1]
    document = json.loads(encode_audit(make_audit(CASES), None))
    assert document["audit"]["performance"]["num_melanomas"] == 40
    assert document["audit"]["missed"][0]["case"]["visited_on"] == "2026-01-03"
    assert document["drift"] is None


def test_files_say_with_what_they_were_made_and_what_they_are_not_for() -> None:
    card = load_card(BUNDLED)
    cases = [replace(CASES[0], model_id=card.model_id), replace(CASES[1], model_id="gone")]
    origins = find_model_origins(cases, load_settings())
    assert origins == {card.model_id: describe_origins(card), "gone": None}
    document = json.loads(encode_audit(make_audit(CASES), None, origins))
    assert document["operating_points"]["gone"] is None
    points = document["operating_points"][card.model_id]
    assert points["melanoma"]["target_sensitivity"] == 0.95
    assert (document["app_version"], document["disclaimer"]) == (__version__, DISCLAIMER)
    first, second = list(
        csv.DictReader(encode_cases(cases, origins).decode("utf-8-sig").splitlines())
    )
    assert first["melanoma_threshold_origin"].startswith("chosen on validation (1,752 photographs")
    assert (second["melanoma_threshold_origin"], second["written_by_version"]) == ("", __version__)
