import csv
import io
from dataclasses import replace
from html import unescape

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from dashboard.reading.verdict import name_level
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.card_text.prevalence import describe_effects
from melanoma_core.models.card_text.wording import describe_results
from melanoma_core.reading.lesion import combine_readings
from melanoma_core.reading.statement import READ_ANYWAY, describe_disagreement, describe_finding
from melanoma_core.reading.worklist_table import export_csv
from tests.dashboard.reading.driver import (
    LESION,
    click,
    encode,
    forget_all,
    html,
    name_opened,
    upload,
    upload_lesions,
    worklist,
)


def select(app: AppTest, *places: int) -> AppTest:
    keys = [worklist(app).lesions[place].key for place in places]
    for key in keys:
        (box,) = (box for box in app.checkbox if box.key and box.key.endswith(f"-{key}"))
        box.check().run()
    assert not app.exception
    return app


def name_field(app: AppTest) -> TextInput:
    (field,) = (field for field in app.text_input if field.label == "Name of the lesion")
    return field


def combine(app: AppTest, name: str, *places: int) -> AppTest:
    select(app, *places)
    name_field(app).set_value(name)
    return click(app, f"Combine {len(places)} as one lesion")


def upload_table(app: AppTest, text: str) -> AppTest:
    (chooser,) = (each for each in app.file_uploader if each.label == "Table of lesions")
    chooser.set_value([("lesions.csv", text.encode(), "text/csv")]).run()
    assert not app.exception
    return app


def set_skin_cancer_threshold(folder, threshold: float) -> ModelCard:
    card = load_card(folder)
    point = replace(card.operating_point, threshold=threshold)
    changed = replace(card, skin_cancer_operating_point=point)
    changed.save(folder)
    return changed


def test_a_single_photograph_has_nothing_to_combine_with(open_dashboard):
    app = upload_lesions(open_dashboard(), 1)
    assert not app.sidebar.checkbox
    assert not app.sidebar.header


def test_one_selected_photograph_asks_for_another(open_dashboard):
    app = select(upload_lesions(open_dashboard(), 2), 1)
    assert "1 selected. Select another photograph of the same lesion." in [
        caption.value for caption in app.sidebar.caption
    ]
    assert "Name of the lesion" not in [field.label for field in app.text_input]


def test_selected_photographs_become_one_row_with_the_reading_of_all(open_dashboard):
    app = upload_lesions(open_dashboard(), 4)
    entries = worklist(app).entries
    app = combine(app, "left <b>arm</b>", 1, 3)

    expected = combine_readings(entries[1].card, [entries[1].reading, entries[3].reading])
    (lesion,) = (each for each in worklist(app).lesions if len(each.entries) == 2)
    assert lesion.reading.probabilities == expected.probabilities
    assert name_opened(app) == "left <b>arm</b>: 2 photographs"
    assert app.sidebar.header[0].value == "3 readings of 4 photographs, most suspicious first"
    assert name_level(expected) in [button.label for button in app.sidebar.button]
    page = unescape(html(app.main))
    assert describe_finding(expected).sentence in page
    assert (describe_disagreement(expected) or "The photographs agree.") in page
    assert "2 photographs" in html(app.sidebar)
    assert "<b>" not in html(app)
    # The selection is used up.
    assert not any(box.value for box in app.checkbox if str(box.key).startswith("select-"))


def test_the_photographs_of_a_lesion_keep_their_own_readings_one_click_away(open_dashboard):
    app = combine(upload_lesions(open_dashboard(), 2), "arm", 0, 1)
    first, second = worklist(app).entries
    assert html(app.main).count('<section class="own">') == 2
    app.button(key=f"own-{second.key}").click().run()
    assert name_opened(app) == f"arm: {second.name}"
    assert describe_finding(second.reading).sentence in unescape(html(app.main))
    assert [box.label for box in app.selectbox] == ["Explain diagnosis", "Heatmap method"]
    click(app, "All 2 photographs")
    assert name_opened(app) == "arm: 2 photographs"
    app.button(key=f"own-{first.key}").click().run()
    click(app, "Take out")
    assert [lesion.name for lesion in worklist(app).lesions] == [first.name, second.name]


def test_a_lesion_quotes_the_metrics_of_lesions_and_its_photographs_those_of_photographs(
    open_dashboard,
):
    app = combine(upload_lesions(open_dashboard(), 2), "arm", 0, 1)
    (lesion,) = worklist(app).lesions
    card = lesion.entries[0].card
    by_lesion, by_photograph = describe_results(card, by_lesion=True), describe_results(card)
    assert by_lesion != by_photograph
    assert by_lesion in html(app.main)
    assert by_photograph not in html(app.main)
    effects = describe_effects(card, None, by_lesion=True)
    assert all(text in unescape(html(app.sidebar)) for text in effects)
    app.button(key=f"own-{lesion.entries[0].key}").click().run()
    assert by_photograph in html(app.main)
    assert by_lesion not in html(app.main)


def test_a_combined_lesion_is_taken_apart_again(open_dashboard):
    app = click(combine(upload_lesions(open_dashboard(), 3), "arm", 0, 1, 2), "Separate")
    assert len(worklist(app).lesions) == 3
    assert app.sidebar.header[0].value == "3 readings, most suspicious first"


def test_photographs_are_added_to_a_lesion_under_its_name(open_dashboard):
    app = combine(upload_lesions(open_dashboard(), 3), "arm", 0, 1)
    select(app, 0, 1)
    assert name_field(app).value == "arm"
    click(app, "Combine 2 as one lesion")
    (lesion,) = worklist(app).lesions
    assert lesion.name == "arm"
    assert len(lesion.entries) == 3
    assert app.sidebar.header[0].value == "1 reading of 3 photographs, most suspicious first"


def test_a_lesion_is_renamed(open_dashboard):
    app = combine(upload_lesions(open_dashboard(), 3), "arm", 0, 1)
    select(app, [lesion.name for lesion in worklist(app).lesions].index("arm"))
    name_field(app).set_value("leg")
    click(app, "Rename")
    assert "leg" in [lesion.name for lesion in worklist(app).lesions]
    assert "arm" not in [lesion.name for lesion in worklist(app).lesions]


def test_clearing_the_selection_selects_nothing(open_dashboard):
    app = click(select(upload_lesions(open_dashboard(), 3), 0, 2), "Clear selection")
    assert not any(box.value for box in app.checkbox if str(box.key).startswith("select-"))
    assert "Name of the lesion" not in [field.label for field in app.text_input]


def test_a_table_puts_photographs_together_before_and_after_they_are_read(open_dashboard):
    names = [lesion.file_name for lesion in DEMONSTRATION_LESIONS[:3]]
    rows = f"image,lesion_id\n{names[0]},L1\nphotographs/{names[2].removesuffix('.jpg')},L1\n"
    app = upload_table(upload_lesions(open_dashboard(), 2), rows)
    assert len(worklist(app).lesions) == 2
    upload(app, [(names[2], DEMONSTRATION_LESIONS[2].path.read_bytes())])
    (lesion,) = (each for each in worklist(app).lesions if len(each.entries) == 2)
    assert lesion.name == "L1"
    assert {entry.name for entry in lesion.entries} == {names[0], names[2]}


def test_the_page_says_what_the_table_does_and_what_it_does_not(open_dashboard):
    names = [lesion.file_name for lesion in DEMONSTRATION_LESIONS[:2]]
    rows = f"image,lesion_id\n{names[0]},L1\n{names[1]},L1\n"
    app = upload_table(upload_lesions(open_dashboard(), 3), rows)
    assert "The table names the lesions of 2 of 3 photographs. Those with the same" in html(app)
    (lesion,) = (each for each in worklist(app).lesions if len(each.entries) == 2)
    app.sidebar.button(key=f"open-{lesion.key}").click().run()
    click(app, "Separate")
    assert len(worklist(app).lesions) == 3
    assert "You placed all of them yourself, so the table changes nothing." in html(app)
    assert "one row of the list" not in html(app)


def test_a_table_that_names_none_of_the_photographs_is_a_warning(open_dashboard):
    app = upload_table(upload_lesions(open_dashboard(), 2), "image,lesion_id\n<b>x.jpg,L1\n")
    assert (
        "The table names 1 image, such as &lt;b&gt;x.jpg, but none of the photographs here."
        in html(app)
    )
    assert "names the lesions of" not in html(app)


def test_a_name_in_use_is_refused_and_the_selection_kept(open_dashboard):
    app = combine(upload_lesions(open_dashboard(), 4), "arm", 0, 1)
    alone = [place for place, each in enumerate(worklist(app).lesions) if len(each.entries) == 1]
    combine(app, "arm", *alone)
    assert 'Found another lesion with the name "arm"' in unescape(html(app.sidebar))
    assert len(worklist(app).lesions) == 3
    name_field(app).set_value("leg")
    click(app, "Combine 2 as one lesion")
    assert "Found another lesion" not in html(app.sidebar)
    assert {lesion.name for lesion in worklist(app).lesions} == {"arm", "leg"}


def test_a_text_that_is_no_table_of_lesions_is_an_error_on_a_page_that_works(open_dashboard):
    app = upload_table(upload_lesions(open_dashboard(), 2), "age,sex\n40,male\n")
    assert "Found the columns age, sex in lesions.csv" in html(app)
    assert len(worklist(app).lesions) == 2


def test_photographs_of_different_models_stay_apart_and_the_page_says_why(
    open_dashboard, other_model
):
    app = upload_lesions(open_dashboard(), 1)
    set_skin_cancer_threshold(other_model, 0.5)
    app = combine(upload(app, [("other.jpg", LESION.path.read_bytes())]), "arm", 0, 1)
    assert len(worklist(app).lesions) == 2
    assert [caption.value for caption in app.sidebar.caption][-1].startswith(
        "Photographs of arm stay apart, because different models read them."
    )


def test_forget_all_forgets_lesions_and_selections(open_dashboard):
    app = select(combine(upload_lesions(open_dashboard(), 3), "arm", 0, 1), 0)
    upload_lesions(forget_all(app), 3)
    assert len(worklist(app).lesions) == 3
    assert not any(box.value for box in app.checkbox if str(box.key).startswith("select-"))


def test_a_skin_cancer_alert_is_shown_with_its_threshold(open_dashboard, other_model):
    set_skin_cancer_threshold(other_model, 0.0001)
    app = upload_lesions(open_dashboard(), 1)
    (entry,) = worklist(app).entries
    assert entry.reading.skin_cancer_alert
    assert "alert, threshold" in html(app.main)
    assert "no operating point in this model" not in html(app.main)


def test_a_model_without_a_skin_cancer_operating_point_says_so(open_dashboard, other_model):
    replace(load_card(other_model), skin_cancer_operating_point=None).save(other_model)
    app = upload_lesions(open_dashboard(), 2)
    assert "<p>Skin cancer <strong>" in html(app.main)
    assert "no operating point in this model" in html(app.main)
    assert combine(app, "arm", 0, 1)


def refuse(open_dashboard, count: int = 1) -> AppTest:
    photograph = encode(Image.open(LESION.path), "PNG")
    return upload(open_dashboard(), [(f"bee {place}.png", photograph) for place in range(count)])


@pytest.mark.usefixtures("guarded_model")
def test_an_unfamiliar_photograph_is_read_anyway_only_after_a_warning(open_dashboard):
    app = refuse(open_dashboard, 2)
    offers = [each for each in app.button if each.label == "Read this photograph anyway"]
    assert len(offers) == 2
    offers[0].click().run()
    assert not app.exception
    assert worklist(app).entries == []
    assert "No sensitivity, specificity or probability" in app.warning[0].value
    click(app, "I understand, read it")
    (entry,) = worklist(app).entries
    assert entry.reading.read_anyway
    assert name_opened(app) == "bee 0.png"
    assert READ_ANYWAY in html(app.main)
    assert "check not passed, read anyway (distance" in html(app.main)
    # No metric of the model is about such a photograph.
    assert "Of 100 lesions like this one" not in html(app.main)
    # The other one stays refused.
    assert [file.name for file in worklist(app).refused] == ["bee 1.png"]
    rows = list(csv.DictReader(io.StringIO(export_csv(worklist(app)).decode("utf-8-sig"))))
    assert [(row["status"], row["read_anyway"]) for row in rows] == [
        ("read", "true"),
        ("refused", "false"),
    ]


@pytest.mark.usefixtures("guarded_model")
def test_the_warning_can_be_left_without_a_reading(open_dashboard):
    app = click(refuse(open_dashboard), "Read this photograph anyway")
    click(app, "Leave it refused")
    assert worklist(app).entries == []
    assert len(worklist(app).refused) == 1


@pytest.mark.usefixtures("guarded_model")
def test_a_photograph_read_anyway_is_left_out_of_its_lesion_and_keeps_its_mark(open_dashboard):
    app = click(refuse(open_dashboard), "Read this photograph anyway")
    click(app, "I understand, read it")
    other = DEMONSTRATION_LESIONS[1]
    combine(upload(app, [(other.file_name, other.path.read_bytes())]), "arm", 0, 1)
    assert "1 of 2 photographs is out of distribution, read anyway, and left out" in html(app.main)
    assert "⚠ out of distribution, read anyway" in html(app.main)
    assert READ_ANYWAY not in html(app.main)
    assert "2 photographs, of which 1 counted" in html(app.sidebar)
    (lesion,) = worklist(app).lesions
    (counted,) = lesion.reading.counted
    assert lesion.reading.probabilities == counted.probabilities


def test_what_cannot_be_decoded_or_shows_nothing_is_never_offered_anyway(open_dashboard):
    black = encode(Image.new("RGB", (300, 300)), "PNG")
    app = upload(open_dashboard(), [("black.png", black), ("text.jpg", b"hello")])
    assert len(worklist(app).refused) == 2
    assert not [each for each in app.button if each.label == "Read this photograph anyway"]
