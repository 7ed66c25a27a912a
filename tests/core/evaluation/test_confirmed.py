import numpy as np
import pandas as pd

from melanoma_core.evaluation.confirmed import measure_confirmed
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.resampling import resample_lesions
from melanoma_core.evaluation.rules import DecisionRules

RULES = DecisionRules(("MEL", "NV", "BCC"), 0, threshold=0.4, skin_cancer_threshold=0.5)
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1], [0.45, 0.55, 0.0], [0.1, 0.8, 0.1], [0.1, 0.9, 0.0], [0.1, 0.1, 0.8]]
)
LABELS = np.array([0, 1, 1, 1, 2])


def measure(confirmation: list[str | None] | None, rules: DecisionRules = RULES):
    attributes = None if confirmation is None else pd.DataFrame({"confirmation": confirmation})
    predictions = LabelledPredictions(PROBABILITIES, LABELS, np.arange(5), attributes)
    return measure_confirmed(resample_lesions(np.arange(5), 50), predictions, rules)


def test_where_no_confirmation_is_known_there_is_no_table():
    assert measure(None) == ()
    assert measure([None] * 5) == ()


def test_specificity_on_nevi_is_apart_for_histopathology_and_follow_up():
    found = measure(["histopathology", "histopathology", "follow-up", "follow-up", None])

    assert [
        (each.diagnosis, each.confirmation, each.melanoma_alert.count, each.melanoma_alert.total)
        for each in found
    ] == [
        ("MEL", "histopathology", 1, 1),
        ("NV", "histopathology", 0, 1),
        ("NV", "follow-up", 2, 2),
        ("BCC", "not recorded", 1, 1),
    ]


def test_an_alert_on_a_carcinoma_is_right_for_skin_cancer_and_wrong_for_melanoma():
    (*_, carcinoma) = measure(["histopathology"] * 5)
    assert carcinoma.skin_cancer_alert is not None
    assert (carcinoma.melanoma_alert.count, carcinoma.skin_cancer_alert.count) == (1, 1)
    (*_, old) = measure(["histopathology"] * 5, DecisionRules(("MEL", "NV", "BCC"), 0, 0.4))
    assert old.skin_cancer_alert is None
