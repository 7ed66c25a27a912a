from dataclasses import replace
from datetime import date, timedelta

from melanoma_core.records.audit_cases import AuditCase, make_audit_cases
from melanoma_core.records.audit_flow import measure_audit_flow
from melanoma_core.records.ground_truth import AuditRules, Exclusion
from melanoma_core.records.loop import AiReading, Decision, Histology, Specimen
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder
from melanoma_core.taxonomy import Confirmation, Diagnosis, RiskTier
from tests.core.records.made_cases import (
    DAY,
    INVASIVE,
    NEVUS,
    CaseMaker,
    make_read,
    make_reading,
)

OPEN = "Indeterminate:Indeterminate melanocytic proliferations"
MALIGNANT = "Malignant"
YEAR_LATER = date(2027, 3, 1)
TWO_YEARS_LATER = date(2028, 3, 2)


class Loops(CaseMaker):
    """Adds whole visits to a lesion."""

    def decide_with_ai(self, visit_id: str, management: Management) -> "Loops":
        decision = Decision(
            lesion_id="l",
            visit_id=visit_id,
            management=management,
            ai_reading_id=f"reading of {visit_id}",
        )
        self.add("decisions", f"decision of {visit_id}", decision)
        return self

    def go_round(
        self, visit_id: str, on: date = DAY, management: Management = Management.EXCISION
    ) -> "Loops":
        """Add a visit with a first read, an AI reading and a decision."""
        self.visit(visit_id, on).read(visit_id).read_by_ai(visit_id, melanoma=0.5)
        return self.decide_with_ai(visit_id, management)

    def add_specimen(self, number: str, on: date) -> "Loops":
        specimen = Specimen(lesion_id="l", number=number, taken_on=on, method=Management.EXCISION)
        self.add("specimens", number, specimen)
        return self

    def add_report(self, number: str, diagnosis: str, on: date = DAY) -> "Loops":
        report = Histology(lesion_id="l", specimen_id=number, reported_on=on, diagnosis=diagnosis)
        self.add("histologies", f"report of {number}", report)
        return self

    def audit(self, rules: AuditRules = AuditRules()) -> AuditCase:  # noqa: B008
        (case,) = make_audit_cases([self.make()], rules)
        return case


def test_no_lesion_is_no_case() -> None:
    assert make_audit_cases([]) == ()


def test_a_lesion_without_any_visit_is_not_decided() -> None:
    case = Loops().audit()
    assert (case.exclusion, case.visited_on, case.month) == (Exclusion.NOT_DECIDED, None, "")


def test_a_read_lesion_without_a_decision_keeps_its_reading_and_month() -> None:
    case = Loops()
    case.visit("v").read("v").read_by_ai("v", melanoma=0.5)
    audited = case.audit()
    assert audited.exclusion is Exclusion.NOT_DECIDED
    assert (audited.month, audited.melanoma_alert, audited.is_blind) == ("2026-03", True, True)


def test_a_complete_loop_holds_what_each_said_and_what_was_true() -> None:
    case = Loops().go_round("v").add_specimen("s", DAY).add_report("s", INVASIVE).audit()
    assert (case.management, case.opinion, case.doctor_probability) == (
        Management.REASSURE,
        Opinion.NV,
        0.1,
    )
    assert case.is_blind
    assert (case.melanoma_alert, case.skin_cancer_alert) == (True, True)
    assert (case.melanoma_probability, case.skin_cancer_probability) == (0.5, 0.5)
    assert (case.decision, case.knew_ai) == (Management.EXCISION, True)
    assert (case.truth, case.is_melanoma, case.is_skin_cancer) == (Diagnosis.MEL, True, True)
    assert (case.confirmation, case.known_on) == (Confirmation.HISTOPATHOLOGY, DAY)
    assert case.exclusion is None


def test_a_read_made_together_with_the_network_is_never_a_first_read() -> None:
    case = Loops()
    case.visit("v").add(
        "first_reads", "r", replace(make_read("v"), order=ReadOrder.TOGETHER)
    ).read_by_ai("v")
    case.decide_with_ai("v", Management.EXCISION)
    audited = case.audit()
    assert (audited.order, audited.is_blind) == (ReadOrder.TOGETHER, False)


def test_a_read_with_the_network_off_is_one() -> None:
    case = Loops()
    case.visit("v").add("first_reads", "r", replace(make_read("v"), order=ReadOrder.OFF))
    case.decide("v", Management.EXCISION)
    audited = case.audit()
    assert (audited.is_blind, audited.knew_ai, audited.has_ai) == (True, False, False)


def test_of_two_first_reads_the_first_that_counts_is_taken() -> None:
    case = Loops()
    together = replace(make_read("v"), order=ReadOrder.TOGETHER)
    case.visit("v").add("first_reads", "a", together)
    case.add("first_reads", "b", make_read("v", Opinion.MEL))
    case.add("first_reads", "c", make_read("v", Opinion.BCC))
    assert case.audit().opinion is Opinion.MEL


def test_a_read_corrected_after_the_report_does_not_count() -> None:
    case = Loops().go_round("v").add_specimen("s", DAY).add_report("s", INVASIVE)
    assert case.audit().is_blind
    case.correct("first_reads", "read of v", make_read("v", Opinion.MEL))
    audited = case.audit()
    assert (audited.opinion, audited.is_blind) == (Opinion.MEL, False)


def test_a_read_written_after_the_day_of_the_report_does_not_count() -> None:
    # The report was entered later than the read, but is older than it.
    case = Loops().go_round("v", DAY - timedelta(days=9))
    case.add_specimen("s", DAY - timedelta(days=9))
    case.add_report("s", INVASIVE, on=DAY - timedelta(days=2))
    audited = case.audit()
    assert (audited.exclusion, audited.decision) == (Exclusion.DECIDED_LATE, None)


def test_a_decision_corrected_after_the_report_is_no_decision() -> None:
    case = Loops().go_round("v").add_specimen("s", DAY).add_report("s", INVASIVE)
    case.correct(
        "decisions",
        "decision of v",
        Decision(lesion_id="l", visit_id="v", management=Management.REFER_URGENTLY),
    )
    assert case.audit().exclusion is Exclusion.DECIDED_LATE


def test_the_answer_of_a_referral_on_a_later_day_is_not_the_doctors_decision() -> None:
    loops = Loops().visit("v").read("v").decide("v", Management.REFER_URGENTLY)
    case = loops.decide("v", Management.REASSURE).make()
    corrected, answer = case.decisions
    same_day = replace(case, decisions=(corrected, answer))
    later = replace(answer, at=answer.at + timedelta(days=9))
    answered = replace(case, decisions=(corrected, later))

    assert make_audit_cases([same_day])[0].decision is Management.REASSURE
    assert make_audit_cases([answered])[0].decision is Management.REFER_URGENTLY


def test_an_answer_on_the_day_of_its_referral_does_not_hide_that_the_ai_reading_was_known() -> None:
    loops = Loops().visit("v").read("v").read_by_ai("v")
    loops.decide_with_ai("v", Management.REFER_URGENTLY)
    audited = loops.decide("v", Management.EXCISION).audit()
    assert (audited.decision, audited.knew_ai) == (Management.REFER_URGENTLY, True)


def test_a_refused_reading_has_neither_an_alert_nor_none() -> None:
    case = Loops()
    refused = replace(make_reading("v", "p"), probabilities=(), melanoma_alert=False)
    case.visit("v").add("ai_readings", "reading of v", refused)
    case.decide_with_ai("v", Management.EXCISION)
    audited = case.audit()
    assert (audited.has_ai, audited.melanoma_alert, audited.melanoma_probability) == (
        True,
        None,
        None,
    )


def test_the_reading_that_the_decision_names_is_taken() -> None:
    case = Loops()
    case.visit("v").add("ai_readings", "reading of v", make_reading("v", "p", melanoma=0.1))
    case.add("ai_readings", "second", make_reading("v", "p", melanoma=0.9))
    case.decide_with_ai("v", Management.EXCISION)
    assert case.audit().melanoma_probability == 0.1


def test_devices_and_kinds_are_those_of_the_photographs_that_were_read() -> None:
    case = Loops()
    case.visit("v").photograph("a", "v", device="X").photograph("b", "v", device="Y")
    assert case.audit().device == "several"
    reading: AiReading = make_reading("v", "a")
    case.add("ai_readings", "reading of v", reading)
    assert (case.audit().device, case.audit().image_kind) == ("X", "dermoscopic")


def test_the_most_severe_of_several_reports_counts() -> None:
    case = Loops().go_round("v").add_specimen("a", DAY).add_specimen("b", DAY)
    case.add_report("a", NEVUS).add_report("b", INVASIVE)
    assert case.audit().is_melanoma


def test_a_report_that_leaves_it_open_gives_way_to_one_that_does_not() -> None:
    case = Loops().go_round("v").add_specimen("a", DAY).add_report("a", OPEN)
    assert case.audit().exclusion is Exclusion.OPEN
    case.add_specimen("b", DAY).add_report("b", NEVUS)
    assert case.audit().truth is Diagnosis.NV


def test_a_report_that_says_malignant_alone_leaves_melanoma_unknown() -> None:
    case = Loops().go_round("v").add_specimen("a", DAY).add_report("a", MALIGNANT).audit()
    assert (case.is_melanoma, case.is_skin_cancer) == (None, True)
    assert case.truth is RiskTier.MALIGNANT


def test_tissue_without_a_report_waits_for_it() -> None:
    assert Loops().go_round("v").add_specimen("a", DAY).audit().exclusion is (
        Exclusion.HISTOLOGY_DUE
    )


def test_tissue_taken_before_the_visit_is_not_judged_by_it() -> None:
    case = Loops().go_round("v").add_specimen("a", DAY - timedelta(days=30))
    case.add_report("a", INVASIVE)
    assert case.audit().exclusion is Exclusion.EXAMINED_BEFORE


def test_a_melanoma_found_within_the_months_of_the_rules_was_missed_at_the_first_visit() -> None:
    case = Loops().go_round("v", DAY, Management.REASSURE).go_round("w", YEAR_LATER)
    case.add_specimen("a", YEAR_LATER).add_report("a", INVASIVE, YEAR_LATER)
    audited = case.audit()
    assert (audited.visit_id, audited.decision, audited.is_melanoma) == (
        "v",
        Management.REASSURE,
        True,
    )
    assert audited.num_loops == 2
    short = case.audit(AuditRules(histology_months=6))
    assert (short.visit_id, short.decision) == ("w", Management.EXCISION)
    assert not short.is_blind  # the reader had seen the AI reading of the first visit


def test_tissue_taken_long_after_the_only_decision_confirms_nothing() -> None:
    case = Loops().go_round("v", DAY, Management.REASSURE)
    case.add_specimen("a", TWO_YEARS_LATER).add_report("a", NEVUS, TWO_YEARS_LATER)
    assert case.audit().exclusion is Exclusion.TOO_LATE


def test_a_lesion_that_was_watched_long_enough_is_benign_by_follow_up() -> None:
    case = Loops().go_round("v", DAY, Management.MONITOR_6)
    assert case.audit().exclusion is Exclusion.NOT_FOLLOWED
    case.go_round("w", YEAR_LATER, Management.MONITOR_6)
    assert case.audit().exclusion is Exclusion.NOT_FOLLOWED
    case.go_round("x", TWO_YEARS_LATER, Management.REASSURE)
    audited = case.audit()
    assert (audited.confirmation, audited.truth) == (Confirmation.FOLLOW_UP, RiskTier.BENIGN)
    assert (audited.is_melanoma, audited.is_skin_cancer) == (False, False)
    assert (audited.visit_id, audited.known_on, audited.num_loops) == ("v", TWO_YEARS_LATER, 3)


def test_a_watched_lesion_that_a_later_visit_acts_on_is_not_confirmed() -> None:
    case = Loops().go_round("v", DAY, Management.REASSURE)
    case.go_round("w", TWO_YEARS_LATER, Management.REFER)
    assert case.audit().exclusion is Exclusion.NOT_FOLLOWED


def test_a_watched_lesion_that_the_last_reader_calls_malignant_is_not_confirmed() -> None:
    case = Loops().go_round("v", DAY, Management.REASSURE)
    case.visit("w", TWO_YEARS_LATER).read("w", Opinion.BCC).decide("w", Management.REASSURE)
    assert case.audit().exclusion is Exclusion.NOT_FOLLOWED


def test_the_flow_accounts_for_every_lesion() -> None:
    cases = make_audit_cases(
        [
            Loops().make(),
            Loops().go_round("v").make(),
            Loops().go_round("v").add_specimen("s", DAY).make(),
            Loops().go_round("v").add_specimen("s", DAY).add_report("s", NEVUS).make(),
        ]
    )
    flow = measure_audit_flow(cases)
    assert (flow.patients, flow.lesions, flow.decided, flow.excised) == (1, 4, 3, 2)
    assert (flow.by_histology, flow.by_follow_up) == (1, 0)
    assert flow.left_out == {
        "no decision": 1,
        "tissue taken, histology not known": 1,
        "no tissue taken, and not followed for long enough": 1,
    }
