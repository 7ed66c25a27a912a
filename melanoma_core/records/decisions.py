"""Whether a decision differs from the alert of an AI reading."""

from melanoma_core.records.loop import AiReading
from melanoma_core.records.vocabulary import Management


def needs_reason(management: Management, reading: AiReading | None) -> bool:
    """Return whether a decision differs from the alert, so that a reason is asked for.

    It differs if an alert was raised and nothing is done about it, and if none was raised and
    tissue is taken or the patient is referred.

    Args:
        management: What is done.
        reading: The AI reading that is known; None if there is none. One that was refused
            differs from nothing.
    """
    if reading is None or not reading.was_read:
        return False
    return management.acts != (reading.melanoma_alert or bool(reading.skin_cancer_alert))
