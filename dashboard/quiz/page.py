"""The Quiz page: confirmed cases, judged by a student and by the network."""

from dashboard.quiz.cases import draw_cases, open_pool
from dashboard.quiz.choice import AT_ONCE, RECORD, choose_quiz
from dashboard.quiz.question import show_question, show_start, show_truth
from dashboard.quiz.result import show_result
from dashboard.quiz.session import get_session
from dashboard.shared.errors import show_errors
from dashboard.shared.head import show_page_header
from dashboard.shared.record import open_record, show_record_bar

show_page_header("Quiz")
record = None
with show_errors():
    record = open_record()
choice = choose_quiz(has_record=record is not None)
if choice.source != RECORD:
    record = None
if record is not None:
    show_record_bar(record)
with show_errors():
    pool = open_pool(choice, record)
    cases = draw_cases(pool, choice)
    if pool is not None:
        session = get_session(choice, pool.source)
        session.follow_case(cases, is_reviewed=choice.feedback == AT_ONCE)
        asked, reviewed = session.find_next(cases), session.find_reviewed(cases)
        is_asking = session.is_started and not session.is_finished
        session.write_case(cases, reviewed or (asked if is_asking else None))
        if not session.is_started:
            show_start(pool, session, choice)
        elif reviewed is not None:
            show_truth(reviewed, cases, session, pool, record)
        elif asked is None or session.is_finished:
            show_result(cases, session, choice, pool, record)
        else:
            show_question(asked, cases, session, choice, record)
