"""The demonstration lesions that ship with the project."""

import hashlib
import re
import subprocess
import sys

from PIL import Image

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS, is_drawn
from melanoma_core.taxonomy import Diagnosis, RiskTier


def test_only_the_exact_shipped_files_are_recognised():
    for lesion in DEMONSTRATION_LESIONS:
        content = lesion.path.read_bytes()
        assert hashlib.sha256(content).hexdigest() == lesion.sha256
        assert is_drawn(content)
        assert not is_drawn(content + b"\0")
        assert not is_drawn(content[:-1])
    assert not is_drawn(b"")
    assert not is_drawn(bytes(32 * 2**20))


def test_reading_a_photograph_imports_neither_the_generator_nor_its_strokes():
    code = """
import sys
import melanoma_core.reading.reading
import melanoma_core.reading.worklist
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS, is_drawn
assert is_drawn(DEMONSTRATION_LESIONS[0].path.read_bytes())
print(*sorted(name for name in sys.modules if ".drawn." in name))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["melanoma_core.data.drawn.shipped"]


def test_the_shipped_files_are_small_and_state_that_they_are_drawn():
    folder = DEMONSTRATION_LESIONS[0].path.parent
    names = {path.name for path in folder.iterdir()} - {"record.json"}  # its stories
    assert names == {lesion.file_name for lesion in DEMONSTRATION_LESIONS}
    for lesion in DEMONSTRATION_LESIONS:
        assert lesion.path.stat().st_size < 90_000
        with Image.open(lesion.path) as image:
            assert not image.getexif()
            assert image.info["comment"].decode() == lesion.description


def test_every_lesion_has_a_unique_name_and_states_that_it_is_drawn():
    assert len({lesion.name for lesion in DEMONSTRATION_LESIONS}) == 6
    assert len({lesion.file_name for lesion in DEMONSTRATION_LESIONS}) == 6
    for lesion in DEMONSTRATION_LESIONS:
        assert lesion.name.startswith("Drawn lesion: ")
        assert lesion.file_name.startswith("drawn-")
        assert lesion.description.startswith("Drawn, not a photograph, after the signs of ")
        assert lesion.diagnosis.title in lesion.description


def test_half_of_the_lesions_imitate_a_malignant_diagnosis():
    tiers = [lesion.diagnosis.tier for lesion in DEMONSTRATION_LESIONS]
    assert tiers == [RiskTier.MALIGNANT] * 3 + [RiskTier.BENIGN] * 3


def test_no_name_claims_a_diagnosis_since_a_network_may_read_a_drawing_as_another_one():
    words = {
        word
        for diagnosis in Diagnosis
        for word in f"{diagnosis} {diagnosis.title}".casefold().split()
    }
    assert {"melanoma", "mel", "nevus", "keratosis", "carcinoma", "vascular"} <= words
    for lesion in DEMONSTRATION_LESIONS:
        assert not words & set(re.findall(r"\w+", f"{lesion.signs} {lesion.name}".casefold())) - {
            "lesion"  # of "vascular lesion"
        }
