"""What cameras, phones and clinics write, sent to a real server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.reading import Reading, read_content
from tests.core.data.formats import heif_files
from tests.core.service.conftest import DRAWN, Server
from tests.dicom_files import DERMOSCOPIC, make_photograph, write

pytestmark = pytest.mark.slow
PIXELS = np.asarray(Image.open(DRAWN).convert("RGB"))


def save(kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind, **options)
    return buffer.getvalue()


KINDS: dict[str, Callable[[], bytes]] = {
    "DICOM": lambda: write(make_photograph(PIXELS, DERMOSCOPIC)),
    "HEIC": lambda: heif_files.encode(PIXELS),
    "AVIF": lambda: save("AVIF"),
    "PNG": lambda: save("PNG"),
    "TIFF": lambda: save("TIFF"),
    "WEBP": lambda: save("WEBP", lossless=True),
    "BMP": lambda: save("BMP"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_file_is_read(api: Server, kind: str):
    # The demonstration lesions are out of distribution; only their own files are read unasked.
    document = api.read(KINDS[kind](), "photograph", model="unguarded").json()
    assert (document["status"], document["reason"]) == ("read", None)
    assert document["melanoma_probability"] == pytest.approx(0.295, abs=0.1)
    assert "Secret" not in str(document)


def test_real_photographs_get_the_readings_of_the_core(
    api: Server, shared_data: Path, bundled_classifier: Classifier
):
    """Every 20th test photograph of the nine-class set, four at once."""
    paths = sorted((shared_data / "isic9" / "Test").rglob("*.jpg"))[::20]
    contents = [path.read_bytes() for path in paths]
    assert len(contents) == 6
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda content: api.read(content, heatmap="MEL"), contents))
    for content, answer in zip(contents, answers, strict=True):
        document, found = answer.json(), read_content(bundled_classifier, content)
        if isinstance(found, Reading):
            assert document["status"] == "read"
            assert list(document["probabilities"].values()) == pytest.approx(
                found.probabilities, abs=1e-5
            )
            assert (document["alert"], document["skin_cancer_alert"]) == (
                found.alert,
                found.skin_cancer_alert,
            )
            assert document["heatmap"]["diagnosis"] == "MEL"
        else:
            assert (document["status"], document["reason"]) == ("refused", found.reason)
            assert document["heatmap"] is None
