"""The compare view without a browser: what is chosen, said and measured, and what is written."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.lesion.compare_history import draw_history
from melanoma_core.records.loop import FirstRead
from melanoma_core.records.probability_history import KeptProbability
from melanoma_core.records.store import Record
from melanoma_core.settings import PROJECT_ROOT
from tests.compared_lesion import ComparedLesion, add_compared_lesion

Open = Callable[..., AppTest]


@pytest.fixture
def compared(record: Record) -> ComparedLesion:
    return add_compared_lesion(record)


def open_compare(lesion_id: str, **address: str) -> AppTest:
    app = AppTest.from_file(PROJECT_ROOT / "dashboard" / "navigation.py", default_timeout=60).run()
    app.session_state["kept"] = {"who": "dr.a"}
    app.switch_page("lesion/page.py")
    for name, value in ({"lesion": lesion_id, "view": "compare"} | address).items():
        app.query_params[name] = value
    return app.run()


def read(app: AppTest) -> str:
    assert not app.exception
    return " ".join(each.proto.body for each in app.get("html"))


def test_a_lesion_with_one_photograph_says_that_two_are_needed(open_lesion: Open):
    text = read(open_lesion(view="compare"))
    assert "Two photographs of this lesion are needed" in text


def test_the_two_most_recent_are_compared_with_units_and_limits(compared: ComparedLesion):
    app = open_compare(compared.lesion_id)
    text = read(app)
    chosen = [each.value for each in app.selectbox if "photograph" in each.label]
    assert chosen == list(compared.photograph_ids)
    assert "The later photograph is laid on the earlier one" in text
    assert "Area, mm²" in text
    assert "Longest diameter, mm" in text
    assert "Probability of melanoma" in text
    assert "+20.0 points" in text


def test_the_address_chooses_the_photographs_and_the_earlier_one_stays_first(
    compared: ComparedLesion,
):
    earlier, later = compared.photograph_ids
    app = open_compare(compared.lesion_id, first=later, second=earlier)
    assert "+20.0 points" in read(app)
    same = open_compare(compared.lesion_id, first=earlier, second=earlier)
    assert "Both are the same photograph" in read(same)


def test_different_lesions_are_not_laid_on_each_other_and_it_says_why(record: Record):
    other = add_compared_lesion(record, pseudonym="drawn-2", seeds=(3, 11))
    assert "Not laid on each other. Too few features agree" in read(open_compare(other.lesion_id))


def test_nothing_of_the_network_is_shown_before_the_first_read(
    record: Record, compared: ComparedLesion
):
    reads = record.find(FirstRead, lesion_id=compared.lesion_id)
    with record.write(by="dr.a") as change:
        for each in reads:
            change.withdraw(each, "by mistake")
    text = read(open_compare(compared.lesion_id))
    assert "Probability of melanoma" not in text
    assert "Hidden until the first read is kept" in text


def test_the_chart_breaks_the_lines_where_the_model_changes():
    from datetime import date

    kept = [
        KeptProbability(date(2025, month, 1), 0.1 * month, 0.2, 0.2 * month, None, f"m{model}", new)
        for month, model, new in ((1, 1, False), (2, 1, False), (3, 2, True))
    ]
    figure = draw_history(kept)
    assert list(figure.data[0].y) == pytest.approx([0.1, 0.2, None, 0.3], nan_ok=True)
    assert [each.name for each in figure.data] == [
        "melanoma", "operating point, melanoma", "skin cancer", "operating point, skin cancer",
    ]  # fmt: skip
    assert [each.text for each in figure.layout.annotations] == ["model m2"]


def test_the_chart_writes_a_day_once_below_two_readings_of_it():
    from datetime import date

    kept = [KeptProbability(date(2025, 1, 1), 0.1, 0.2, 0.2, None, "m", False)] * 2
    assert list(draw_history(kept).layout.xaxis.tickvals) == ["2025-01-01"]
