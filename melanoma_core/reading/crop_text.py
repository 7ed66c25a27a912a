"""What a reading of a crop says about the crop."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # so that a page appears before ONNX Runtime is imported
    from melanoma_core.reading.verdict import Verdict


def describe_crops(reading: "Verdict") -> str:
    """Return which part of the photograph was read, or of each that was cropped; "" if none was.

    Args:
        reading: Of a photograph or of a lesion.
    """
    # Not `isinstance`, which would import NumPy before the page is painted.
    readings: Sequence[Any] = getattr(reading, "readings", (reading,))
    shares = [f"{each.crop.share:.0%}" for each in readings if each.crop]
    if not shares:
        return ""
    of_lesion = f"{len(shares):,} of {len(readings):,} photographs are crops"
    subject = (
        f"Read from a crop, {shares[0]} of the photograph" if len(readings) == 1 else of_lesion
    )
    return f"{subject}. The network was tested on whole photographs."
