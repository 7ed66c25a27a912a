from streamlit.testing.v1 import AppTest


def show_list(num_rows: int, opened: int = 0) -> AppTest:
    def script(num_rows: int, opened: int) -> None:
        import streamlit as st

        from dashboard.shared.paging import choose_page

        page = choose_page(num_rows, 10, "list", opened=opened)
        st.write(" ".join(map(str, range(num_rows)[page])))

    app = AppTest.from_function(script, args=(num_rows, opened)).run()
    assert not app.exception
    return app


def test_an_empty_list_has_no_rows_and_no_page_selector():
    app = show_list(0)
    assert not app.get("pagination")
    assert not app.markdown or app.markdown[0].value == ""


def test_a_list_of_one_page_is_shown_whole_without_a_page_selector():
    app = show_list(10)
    assert not app.get("pagination")
    assert app.markdown[0].value == "0 1 2 3 4 5 6 7 8 9"


def test_a_long_list_starts_on_its_first_page():
    app = show_list(11)
    assert len(app.get("pagination")) == 1
    assert app.markdown[0].value == "0 1 2 3 4 5 6 7 8 9"


def test_a_list_can_start_on_the_page_of_an_opened_row():
    assert show_list(23, opened=20).markdown[0].value == "20 21 22"
