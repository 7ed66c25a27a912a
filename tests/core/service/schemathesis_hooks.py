"""What schemathesis sends as a photograph: drawn lesions and bytes, read by its own process."""

import schemathesis
from hypothesis import strategies

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS

_DRAWN = [lesion.path.read_bytes() for lesion in DEMONSTRATION_LESIONS]
schemathesis.openapi.format(
    "binary", strategies.sampled_from(_DRAWN) | strategies.binary(max_size=2000)
)
