"""What the pages read in the process of the API is counted beside it, without names."""

from prometheus_client.parser import text_string_to_metric_families

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.models.classifier import load_classifier
from melanoma_core.models.registry import BUNDLED
from melanoma_core.reading.entry import Entry, RefusedFile, read_file
from melanoma_core.reading.tally import count_result
from melanoma_core.service.metrics import Metrics


def measure(metrics: Metrics, name: str) -> dict[str, float]:
    families = text_string_to_metric_families(metrics.write().decode())
    (family,) = (each for each in families if each.name == name)
    return {each.labels.get("kind", ""): each.value for each in family.samples}


def make_metrics() -> Metrics:
    return Metrics(lambda: 0, lambda: 0)


def test_readings_and_refusals_of_a_page_are_counted_beside_those_of_the_api():
    metrics = make_metrics()
    read = measure(metrics, "melanoma_page_readings")[""]
    refused = measure(metrics, "melanoma_page_refusals").get("unreadable", 0)
    classifier = load_classifier(BUNDLED)

    content = DEMONSTRATION_LESIONS[0].path.read_bytes()
    assert isinstance(read_file(classifier, 1, "Ada Lovelace.jpg", content), Entry)
    assert isinstance(read_file(classifier, 2, "Ada Lovelace.jpg", b"none"), RefusedFile)

    assert measure(metrics, "melanoma_page_readings") == {"": read + 1}
    assert measure(metrics, "melanoma_page_refusals")["unreadable"] == refused + 1
    assert measure(metrics, "melanoma_readings") == {"": 0}
    assert "Ada" not in metrics.write().decode()


def test_what_the_api_reads_is_not_counted_as_of_a_page():
    metrics = make_metrics()
    before = measure(metrics, "melanoma_page_readings")

    metrics.count_result(None)

    assert measure(metrics, "melanoma_page_readings") == before
    assert measure(metrics, "melanoma_readings") == {"": 1}


def test_another_server_of_the_same_process_shows_what_its_pages_have_read():
    count_result(None)

    assert measure(make_metrics(), "melanoma_page_readings")[""] >= 1
