from streamlit.testing.v1 import AppTest

from melanoma_core.records.loop import FirstRead
from melanoma_core.records.store import Record
from tests.dashboard.lesion.conftest import OpenLesion
from tests.drawn_record import DrawnLesion


def click(app: AppTest, label: str) -> AppTest:
    (button,) = [each for each in app.button if each.label == label]
    return button.click().run()


def test_a_first_read_takes_four_clicks(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    app = open_lesion()
    assert not app.exception
    for label in ("Melanoma", "65%", "Excision"):
        app = click(app, label)
        assert not app.exception
    app = click(app, "Save the first read")

    assert not app.exception
    (read,) = record.find(FirstRead, lesion_id=lesion.lesion_id)
    assert read.value.melanoma_probability == 0.65
