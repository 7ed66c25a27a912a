from tests.dashboard.lesion.conftest import *


def test_x(open_lesion):
    app = open_lesion(view="report", write="doctor")
    fields = {each.label: each for each in (*app.text_area, *app.text_input)}
    fields["Salutation"].set_value("Dear B,")
    (write,) = [each for each in app.button if each.label == "Write the letter"]
    app = write.click().run()
    print({k: v for k, v in app.session_state["kept"].items() if k != "who"})
    assert 0
