import pytest

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.filters import RowFilter, filter_lesions, find_step
from melanoma_core.reading.worklist import Worklist
from melanoma_core.taxonomy import RiskTier


@pytest.fixture(scope="module")
def lesions(unguarded_classifier: Classifier):
    worklist = Worklist()
    worklist.add([(each.file_name, each.path.read_bytes()) for each in DEMONSTRATION_LESIONS])
    while worklist.read_next(unguarded_classifier):
        pass
    return worklist.lesions


def test_an_empty_list_shows_nothing_and_hides_nothing():
    found = filter_lesions([], "nevus", RowFilter.ALERT)
    assert (found.lesions, found.num_hidden, found.num_hidden_alerts) == ((), 0, 0)


def test_without_a_text_and_a_filter_all_are_shown(lesions):
    assert list(filter_lesions(lesions).lesions) == lesions


def test_words_are_searched_in_file_diagnosis_and_tier_in_any_case(lesions):
    lesion = next(each for each in lesions if each.name == "drawn-nevus.jpg")
    top = lesion.reading.top_diagnosis
    for text in ("NEVUS.jpg", f"drawn-nevus {top.title.upper()}", f" {top.tier}  drawn-nevus"):
        assert lesion in filter_lesions(lesions, text).lesions
    assert filter_lesions(lesions, "nevus.jpg nothing-like-it").lesions == ()


def test_what_is_hidden_is_counted_and_its_alerts_too(lesions):
    found = filter_lesions(lesions, "drawn-nevus.jpg")
    alerts = [each for each in lesions if each.reading.alert or each.reading.skin_cancer_alert]
    assert found.num_hidden == len(lesions) - 1
    assert found.num_hidden_alerts == len([each for each in alerts if each not in found.lesions])
    assert found.num_hidden_alerts > 0


def test_the_filters_show_alerts_malignant_diagnoses_and_what_was_not_looked_at(lesions):
    alerts = filter_lesions(lesions, row_filter=RowFilter.ALERT)
    assert alerts.num_hidden_alerts == 0
    assert 0 < len(alerts.lesions) < len(lesions)
    malignant = filter_lesions(lesions, row_filter=RowFilter.MALIGNANT).lesions
    assert list(malignant) == [
        each for each in lesions if each.reading.top_diagnosis.tier is RiskTier.MALIGNANT
    ]
    looked_at = {lesions[0].key, lesions[2].key}
    rest = filter_lesions(lesions, row_filter=RowFilter.NOT_LOOKED_AT, looked_at=looked_at)
    assert list(rest.lesions) == [lesions[1], *lesions[3:]]


def test_a_step_goes_to_the_next_row_that_is_shown(lesions):
    shown = (lesions[0], lesions[3])
    assert find_step(lesions, shown, 1, 1) is lesions[3]
    assert find_step(lesions, shown, 1, -1) is lesions[0]
    assert find_step(lesions, shown, 3, 1) is None
    assert find_step(lesions, shown, 0, -1) is None
