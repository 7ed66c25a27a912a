from datetime import date

from melanoma_core.records.audit_table import Judge
from melanoma_core.records.missed import list_missed
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder
from tests.core.records.made_cases import INVASIVE
from tests.drawn_audit import make_case

WAIT = Management.MONITOR_3


def test_without_a_melanoma_nothing_was_missed() -> None:
    assert list_missed([]) == ()
    assert list_missed([make_case("NV"), make_case("BCC", decision=WAIT)]) == ()


def test_a_melanoma_that_all_found_is_not_listed() -> None:
    assert list_missed([make_case("MEL")]) == ()


def test_a_melanoma_is_listed_with_all_who_missed_it() -> None:
    case = make_case(
        "MEL",
        management=WAIT,
        opinion=Opinion.NV,
        doctor_probability=0.1,
        melanoma_alert=False,
        skin_cancer_alert=False,
        melanoma_probability=0.021,
        decision=WAIT,
        histology=INVASIVE,
        breslow_mm=0.4,
        excised_on=date(2026, 6, 1),
    )
    (missed,) = list_missed([case])
    assert missed.missed_by == (Judge.TOGETHER, Judge.NETWORK, Judge.FIRST_READ)
    assert missed.days == 92
    assert missed.first_read == (
        "First read: nevus, probability of melanoma 10%; monitor in 3 months."
    )
    assert missed.network == "Network: no alert, probability of melanoma 2.1%."
    assert missed.decision == "Decision: monitor in 3 months, with the AI reading."
    assert missed.became_known == (
        "Histology: Melanoma Invasive, Superficial spreading, Breslow 0.4 mm, tissue taken 92 days "
        "after the visit."
    )


def test_a_refusal_is_no_miss_and_is_named() -> None:
    case = make_case(
        "MEL", melanoma_alert=None, skin_cancer_alert=None, melanoma_probability=None, decision=WAIT
    )
    (missed,) = list_missed([case])
    assert missed.missed_by == (Judge.TOGETHER,)
    assert missed.network == "The network refused the photographs."


def test_a_read_made_with_the_network_misses_nothing_of_its_own() -> None:
    case = make_case("MEL", management=WAIT, is_blind=False, order=ReadOrder.TOGETHER)
    assert list_missed([case]) == ()
    (missed,) = list_missed([make_case("MEL", management=WAIT, is_blind=False, decision=WAIT)])
    assert missed.missed_by == (Judge.TOGETHER,)
    assert missed.first_read.endswith("It was not blind, and does not count as one.")


def test_what_the_decision_missed_comes_first_then_the_latest() -> None:
    cases = [
        make_case("MEL", 1, management=WAIT, visited_on=date(2026, 5, 1)),
        make_case("MEL", 2, decision=WAIT, visited_on=date(2026, 1, 1)),
        make_case("MEL", 3, decision=WAIT, visited_on=date(2026, 2, 1)),
        make_case("MEL", 4, melanoma_alert=False, visited_on=date(2026, 5, 1)),
    ]
    listed = [each.case.lesion_id for each in list_missed(cases)]
    assert listed == ["l3", "l2", "l4", "l1"]


def test_days_are_in_words() -> None:
    days = [date(2026, 3, 1), date(2026, 3, 2)]
    cases = [make_case("MEL", n, decision=WAIT, excised_on=day) for n, day in enumerate(days)]
    assert [each.became_known for each in list_missed(cases)] == [
        "Histology: melanoma, tissue taken on the day of the visit.",
        "Histology: melanoma, tissue taken 1 day after the visit.",
    ]
