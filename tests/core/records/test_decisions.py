from dataclasses import replace

import pytest

from melanoma_core.records.decisions import needs_reason
from melanoma_core.records.vocabulary import Management
from tests.core.records.made_cases import make_reading

ACTS = ["shave biopsy", "punch biopsy", "excision", "refer", "refer urgently"]


@pytest.mark.parametrize("management", list(Management))
def test_no_decision_differs_from_a_reading_that_is_not_there(management: Management):
    assert not needs_reason(management, None)
    refused = replace(make_reading("v", "f", melanoma=0.9), probabilities=())
    assert not needs_reason(management, refused)


@pytest.mark.parametrize("management", list(Management))
def test_nothing_done_about_an_alert_needs_a_reason(management: Management):
    alert = make_reading("v", "f", melanoma=0.9)
    assert needs_reason(management, alert) == (management.value not in ACTS)


@pytest.mark.parametrize("management", list(Management))
def test_acting_without_an_alert_needs_a_reason(management: Management):
    calm = make_reading("v", "f", melanoma=0.01)
    assert needs_reason(management, calm) == (management.value in ACTS)


def test_an_alert_of_any_skin_cancer_counts_as_one():
    reading = replace(make_reading("v", "f"), skin_cancer_alert=True)
    assert needs_reason(Management.REASSURE, reading)
    assert not needs_reason(Management.REASSURE, replace(reading, skin_cancer_alert=None))
