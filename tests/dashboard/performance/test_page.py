"""The Audit page: figures, views, files, and the audit log."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.performance.charts import draw_groups, draw_rates, draw_shifts
from dashboard.shared.roc import RocLine, RocPoint, draw_rocs
from dashboard.shared.tables import render_table
from melanoma_core.evaluation.figure import EMPTY_CURVE, UNDEFINED, Curve, Figure
from melanoma_core.records.audit_table import Condition, Judge
from melanoma_core.records.drift import Shift, Verdict
from melanoma_core.records.entities import Patient
from melanoma_core.records.ledger import Action
from melanoma_core.records.log_search import LogQuery
from melanoma_core.records.performance import Excisions, Group, Grouping, Rates
from melanoma_core.records.photograph_table import Measure
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Management
from melanoma_core.settings import PROJECT_ROOT
from tests.core.records.made_cases import INVASIVE, NEVUS
from tests.core.records.made_loops import add_loop
from tests.dashboard.reading.driver import html

VIEWS = ("Groups", "Curves", "Missed melanomas", "Drift", "Flow and bias", "Audit log")


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    """Return a record that is open, with a melanoma that the first read missed and a nevus."""
    folder = tmp_path / "record"
    monkeypatch.setenv("MELANOMA_RECORD", str(folder))
    record = Record.create(folder, by="dr.a")
    add_loop(record, "<b>p-1</b>", INVASIVE, Management.REASSURE)
    add_loop(record, "p-2", NEVUS, Management.EXCISION)
    yield record
    record.close()


def open_audit(who: str = "dr.<i>a</i>", **address: str) -> AppTest:
    script = PROJECT_ROOT / "dashboard" / "navigation.py"
    app = AppTest.from_file(script, default_timeout=120).run()
    app.session_state["kept"] = {"who": who}
    app.switch_page("performance/page.py")
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_without_a_record_the_page_says_that_nothing_is_kept() -> None:
    app = open_audit()
    assert "No record is open: nothing is kept" in html(app)


def test_a_record_without_lesions_has_every_view(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MELANOMA_RECORD", str(tmp_path / "record"))
    Record.create(tmp_path / "record", by="dr.a").close()
    app = open_audit()
    assert "No lesion with this ground truth has been judged yet." in html(app)
    for view in VIEWS:
        app.session_state["audit-view"] = view
        app.run()
        assert not app.exception, view


def test_the_headline_figures_say_when_they_are_too_few(record: Record) -> None:
    app = open_audit()
    page = html(app)
    assert page.count("<strong>Too few to say</strong>") == 7
    assert "0 of 1 lesions; 1 patients" in page
    assert app.query_params == {}
    seen = record.search_log(LogQuery(actions=(Action.SEEN,))).rows
    assert [entry.detail for entry, _ in seen] == ["audit: melanoma, histology only"]
    app.run()
    assert record.search_log(LogQuery(actions=(Action.SEEN,))).total == 1  # once


def test_every_choice_is_in_the_address_and_follows_it(record: Record) -> None:  # noqa: ARG001
    app = open_audit(view="Groups", truth="histology and follow-up", by="device", only="X")
    assert app.selectbox(key="audit-truth").value == "histology and follow-up"
    assert app.selectbox(key="audit-only").options == ["All lesions", "X"]
    app.selectbox(key="audit-looked-for").select("skin cancer").run()
    assert app.query_params == {
        "view": "Groups",
        "truth": "histology and follow-up",
        "by": "device",
        "only": "X",
        "looked-for": "skin cancer",
    }
    assert "Excised per skin cancer" in html(app)


def test_a_missed_melanoma_links_to_its_lesion(record: Record) -> None:
    page = html(open_audit(view="Missed melanomas"))
    assert "Missed by the decision, the network or the first read: 1 melanoma." in page
    assert "Missed by the first read" in page
    (missed,) = (entry for entry in record.find(Patient) if "p-1" in entry.value.pseudonym)
    lesions = record.search_log(LogQuery(pseudonym=missed.value.pseudonym)).rows
    lesion_id = next(subject.lesion_id for _, subject in lesions if subject.lesion_id)
    assert f'href="lesion?lesion={lesion_id}"' in page


def test_curves_drift_and_flow_are_shown(record: Record) -> None:  # noqa: ARG001
    app = open_audit(view="Curves")
    assert "Predicted, on average" in html(app)
    app.session_state["audit-view"] = "Drift"
    app.run()
    assert not app.exception
    assert "Drift needs no ground truth" in html(app)
    app.session_state["audit-view"] = "Flow and bias"
    app.run()
    assert "Lesions: 2" in html(app)
    assert "A melanoma that was never excised is counted nowhere." in html(app)


def test_files_are_taken_out_after_the_audit_log_knows(record: Record) -> None:
    app = open_audit()
    assert not [each for each in app.get("download_button") if "audit" in each.label]
    app.button(key="prepare-export").click().run()
    assert not app.exception
    assert [each.label for each in app.get("download_button")] == [
        "audit.json",
        "audited-lesions.csv",
    ]
    (row,) = record.search_log(LogQuery(actions=(Action.EXPORTED,))).rows
    assert row[0].detail == "audit as JSON and CSV: melanoma, histology only"
    app.selectbox(key="audit-looked-for").select("skin cancer").run()
    assert not app.get("download_button")  # they are of what was shown


def test_a_dataset_is_made_once_it_is_known_where(record: Record, tmp_path: Path) -> None:
    add_loop(record, "p-3", NEVUS, Management.EXCISION, "drawn-nevus.jpg")
    app = open_audit()
    app.text_input(key="dataset-target").set_value(str(tmp_path / "record")).run()
    app.button(key="make").click().run()
    assert "has files in it. Name a new or empty folder." in html(app)
    assert record.search_log(LogQuery(actions=(Action.EXPORTED,))).total == 0
    out = tmp_path / "a <b>"
    app.text_input(key="dataset-target").set_value(str(out)).run()
    app.button(key="make").click().run()
    assert not app.exception
    page = html(app)
    assert "Made: 1 photograph of 1 lesion of 1 patient." in page  # p-1 and p-2 have one file
    assert f'href="dataset?path={quote_plus(str(out))}"' in page
    assert "<b>" not in page
    assert len(list(out.glob("*/metadata.csv"))) == 1
    (row,) = record.search_log(LogQuery(actions=(Action.EXPORTED,))).rows
    assert row[0].by == "dr.<i>a</i>"


def test_the_page_says_which_models_could_not_be_checked(record: Record) -> None:  # noqa: ARG001
    page = html(open_audit())
    assert "trained on patients of this record: model (2)." in page


def test_a_change_is_counted_at_once_and_what_was_erased_is_gone(record: Record) -> None:
    app = open_audit(view="Flow and bias")
    assert "Lesions: 2" in html(app)
    add_loop(record, "p-3", NEVUS, Management.EXCISION)
    app.run()
    assert "Lesions: 3" in html(app)


def test_the_log_names_who_did_what_of_whom_and_is_filtered(record: Record) -> None:  # noqa: ARG001
    app = open_audit(view="Audit log")
    page = html(app)
    assert "&lt;b&gt;p-1&lt;/b&gt;" in page
    assert "<b>p-1" not in page
    assert "dr.&lt;i&gt;a&lt;/i&gt;" in page
    app.text_input(key="log-patient").set_value("p-2").run()
    assert "&lt;b&gt;p-1" not in html(app)
    assert app.query_params["patient"] == "p-2"
    app.text_input(key="log-patient").set_value("").run()
    app.text_input(key="log-by-whom").set_value("no such person").run()
    assert "No entry of the audit log fits." in html(app)
    app.text_input(key="log-by-whom").set_value("").run()
    app.selectbox(key="log-did").select("seen").run()
    assert "1 entries, the newest first." in html(app)
    tomorrow = datetime.now(UTC).date() + timedelta(days=2)
    app.date_input(key="log-first").set_value(tomorrow).run()
    assert "No entry of the audit log fits." in html(app)
    app.date_input(key="log-last").set_value(tomorrow - timedelta(days=9)).run()
    assert "“From” is after “To”." in html(app)


def test_the_record_is_verified_on_request(record: Record) -> None:
    app = open_audit(view="Audit log")
    app.button(key="verify-now").click().run()
    assert "Nothing was altered, removed or moved." in html(app)
    head = record.verify().head
    number = record.list_log(limit=1)[0].number
    assert f"{number}:{head}" in html(app)
    app.text_input(key="known-head").set_value("one").run()
    app.button(key="verify-now").click().run()
    assert "It must be the number and the hash of an entry" in html(app)
    for path in (record.place.images_folder).glob("*/*"):
        path.write_bytes(b"altered")
    app.text_input(key="known-head").set_value("").run()
    app.button(key="verify-now").click().run()
    assert "1 faults found" in html(app)
    assert "was altered" in html(app)


FEW = Figure(0.5, 0.1, 0.9, 1, 2, 2)
MANY = Figure(0.9, 0.8, 0.95, 36, 40, 40)


def make_rates(judge: Judge) -> Rates:
    return Rates(judge, Condition.MELANOMA, MANY, FEW, "", "Too few to say")


def test_figures_of_few_patients_are_hollow_and_judges_differ_in_shape() -> None:
    rates = [make_rates(Judge.FIRST_READ), make_rates(Judge.NETWORK)]
    found, spared = draw_rates(rates, Condition.MELANOMA).data
    assert (found.marker.symbol, spared.marker.symbol) == (
        ("diamond", "diamond"),
        ("square-open", "square-open"),
    )
    excisions = Excisions(2, 1, FEW, FEW, "")
    group = Group(Grouping.MONTH, "a <b>", 2, 2, 1, 1, tuple(rates), excisions)
    figure = draw_groups([group], Condition.MELANOMA, "sensitivity")
    assert [trace.marker.symbol for trace in figure.data] == [("diamond",), ("square",), ()]
    assert figure.data[0].x == ("a &lt;b>",)


def test_each_verdict_of_the_drift_has_its_own_mark() -> None:
    psi = Figure(0.3, math.nan, math.nan, None, 5, 5)
    shifts = [
        Shift(Measure.MELANOMA, f"2026-0{number}", "the card", psi, 0.1, 0.2, verdict)
        for number, verdict in enumerate(Verdict, start=1)
    ]
    traces = draw_shifts(shifts).data
    assert [trace.marker.symbol for trace in traces] == ["circle-open", "circle", "diamond", "x"]
    assert [trace.name for trace in traces] == [str(each) for each in Verdict]


def test_a_roc_chart_leaves_out_what_is_undefined() -> None:
    curve = Curve((0.0, 1.0), (0.5, 1.0), (0.2, 1.0), (0.8, 1.0), (0.9, 0.1))
    lines = [RocLine("none", EMPTY_CURVE), RocLine("network", curve), RocLine("you", curve)]
    points = [RocPoint("you", MANY, FEW), RocPoint("nothing", UNDEFINED, UNDEFINED)]
    figure = draw_rocs(lines, points, "ROC")
    assert [trace.name for trace in figure.data] == [
        "95% CI, pointwise",
        "network",
        "you",
        "chance",
        "you",
    ]
    point = figure.data[-1]
    assert (point.x, point.y) == ((0.5,), (0.9,))
    assert point.error_x.array == pytest.approx((0.4,))
    assert point.error_y.array == pytest.approx((0.05,))
    assert [trace.name for trace in draw_rocs([], [], "ROC").data] == ["chance"]


def test_a_table_without_rows_is_empty() -> None:
    assert render_table([], "Nothing") == ""
    assert "1,000" in render_table([{"a": "x", "b": 1000}], "Numbers")
