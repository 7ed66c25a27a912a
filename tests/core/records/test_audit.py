"""The audit of a record that is kept in SQLite, from its entries to the printed figures."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from melanoma_core.cli.main import main
from melanoma_core.records.audit import make_audit, make_drift, read_audit_data
from melanoma_core.records.audit_flow import AuditFlow
from melanoma_core.records.audit_table import Judge, Scope
from melanoma_core.records.bias import explain_bias
from melanoma_core.records.drift import ShareKind, Verdict
from melanoma_core.records.performance import Grouping
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from melanoma_core.settings import ASSETS
from tests.core.records.made_cases import INVASIVE, NEVUS
from tests.core.records.made_entries import fill
from tests.core.records.made_loops import add_loop


@pytest.fixture
def sqlite(tmp_path: Path) -> Generator[Record, None, None]:
    record = Record.create(tmp_path / "record", by="dr.a")
    yield record
    record.close()


def test_an_empty_record_has_an_empty_audit(sqlite: Record) -> None:
    data = read_audit_data(sqlite)
    audit = make_audit(data.cases)
    assert (audit.flow.lesions, audit.performance.rates, audit.missed) == (0, (), ())
    drift = make_drift(data.photographs, ASSETS / "model")
    assert (drift.against_card, drift.against_start, drift.shares) == ((), (), ())


def test_a_record_is_audited_from_its_entries(sqlite: Record) -> None:
    add_loop(sqlite, "A", INVASIVE, Management.REASSURE)
    add_loop(sqlite, "B", NEVUS, Management.REASSURE)
    seen: list[tuple[int, int]] = []
    data = read_audit_data(sqlite, progress=lambda *counts: seen.append(counts))
    assert seen == [(2, 2)]
    audit = make_audit(data.cases, groupings=[Grouping.READER])
    assert (audit.flow.patients, audit.flow.by_histology, audit.flow.left_out) == (2, 2, {})
    rates = {(each.judge, each.condition.value): each for each in audit.performance.rates}
    assert rates[Judge.FIRST_READ, "melanoma"].sensitivity.value == 0.0
    assert rates[Judge.FIRST_READ, "melanoma"].specificity.value == 1.0
    assert rates[Judge.TOGETHER, "melanoma"].sensitivity.value == 1.0
    assert Judge.NETWORK_INTENDED not in {judge for judge, _ in rates}  # nothing was refused
    assert [each.missed_by for each in audit.missed] == [(Judge.FIRST_READ,)]
    assert [(each.value, each.num_lesions) for each in audit.groups[Grouping.READER]] == [
        ("dr.b", 2)
    ]
    assert data.photographs.device.tolist() == ["X", "X"]


def test_what_was_entered_long_after_the_report_does_not_count(sqlite: Record) -> None:
    fill(sqlite)  # entered today, with a report of May 2026
    (case,) = read_audit_data(sqlite).cases
    assert case.exclusion is not None
    assert case.exclusion.value.startswith("decided, or the decision corrected, after")


def test_the_command_prints_figures_and_one_json_document(
    sqlite: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_loop(sqlite, "A", INVASIVE, Management.REASSURE)
    folder = str(tmp_path / "record")
    assert main(["records", "audit", folder, "--divide-by", "skin type"]) == 0
    printed = capsys.readouterr().out
    assert "sensitivity  0.0% (0 of 1; 95% CI 0.0% to 97.5%)" in printed
    assert "skin type: II (lesions: 1, patients: 1, melanomas: 1)" in printed
    assert "missed by first read" in printed
    assert "Too few to say: 1 patient with a melanoma; 30 are needed" in printed
    assert "A melanoma that was never excised is counted nowhere." in printed
    assert main(["records", "audit", folder, "--follow-up", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["audit"]["performance"]["scope"] == Scope.WITH_FOLLOW_UP
    assert document["audit"]["flow"]["by_histology"] == 1
    assert document["audit"]["missed"][0]["case"]["visited_on"].count("-") == 2
    shares = document["drift"]["shares"]
    assert {each["kind"] for each in shares} <= set(map(str, ShareKind))
    assert {each["verdict"] for each in shares} <= {str(Verdict.TOO_FEW)}


def test_an_unknown_model_is_named(
    sqlite: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "record")
    assert sqlite.place.folder == tmp_path / "record"
    assert main(["records", "audit", folder, "--model", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_bias_is_stated_for_each_kind_of_ground_truth() -> None:
    flow = AuditFlow(9, 10, 8, 6, 8, 1, 9, 8, 5, 4, 3, {"no decision": 3})
    alone = explain_bias(flow, Scope.HISTOLOGY)
    assert alone[0] == (
        "Ground truth counts of 4 of 10 lesions, all by histology. Of 3 more it is known by "
        "follow-up alone, which does not count here."
    )
    assert any("holds for excised lesions alone" in each for each in alone)
    assert any(each.startswith("2 first reads do not count") for each in alone)
    assert any(each.startswith("Lesions that the network refused: 1.") for each in alone)
    both = explain_bias(flow, Scope.WITH_FOLLOW_UP)
    assert both[0] == ("Ground truth counts of 7 of 10 lesions: 4 by histology, 3 by follow-up.")
    assert any(each.startswith("3 lesions are called benign") for each in both)


def test_a_flow_whose_counts_do_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="not 10 lesions in all"):
        AuditFlow(9, 10, 8, 6, 8, 1, 9, 8, 5, 4, 3, {"no decision": 1})
