"""The reading of a lesion against the readings of its photographs."""

from collections.abc import Iterable

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import decode_image
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.lesion import combine_readings
from melanoma_core.reading.reading import Reading, read_photograph
from melanoma_core.reading.statement import describe_disagreement, describe_finding
from tests.benchmarks.timing import Row, milliseconds, time_in_turn

_NUM_ROUNDS = 40


def measure() -> Iterable[Row]:
    """Bytes of each photograph in; the lesion's reading and its sentence out.

    The target: at most the sum of the photographs' readings plus 5%.
    """
    classifier = load_classifier(BUNDLED)
    contents = [lesion.path.read_bytes() for lesion in DEMONSTRATION_LESIONS[:3]]

    def read_photographs() -> list[Reading]:
        results = [
            read_photograph(classifier, decode_image(content), is_drawn=True)
            for content in contents
        ]
        return [result for result in results if isinstance(result, Reading)]

    def read_lesion() -> tuple[str, str]:
        lesion = combine_readings(classifier.card, read_photographs())
        return describe_finding(lesion).sentence, describe_disagreement(lesion)

    seconds = time_in_turn({"here": read_lesion, "sum": read_photographs}, _NUM_ROUNDS, 3)
    here, photographs = seconds["here"], seconds["sum"]
    yield (
        f"the reading of a lesion from {len(contents)} 600×450 photographs",
        milliseconds(here),
        "the sum of the readings of its photographs; the target is at most 1.05 times",
        milliseconds(photographs),
        f"{here / photographs:.2f} times as long",
    )
