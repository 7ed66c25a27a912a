"""The drawn demonstration lesions that ship with the project: their files and descriptions.

`lesions.write_demonstration` draws the files. Reading a photograph needs this module only, so
that it does not import the generator.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from melanoma_core.settings import ASSETS
from melanoma_core.taxonomy import Diagnosis

_FOLDER = ASSETS / "demonstration"
_MAX_BYTES = 90_000  # every file is smaller


@dataclass(frozen=True)
class DemonstrationLesion:
    """One drawn lesion that ships with the project, and what is visible in it.

    Attributes:
        signs: What is drawn, in a few words. It names no diagnosis, because a network that learned
            from photographs may read a drawing as another one.
        file_name: Name of its file.
        sha256: Hash of its file, in hexadecimal digits.
        diagnosis: The diagnosis whose dermoscopic signs it imitates.
        seed: The seed for `lesions.draw_lesion`.
        asymmetry: Its asymmetry in words, the A of the ABCD rule.
        border: Its border in words.
        colours: Its colours in words.
        structures: Its dermoscopic structures in words.
    """

    signs: str
    file_name: str
    sha256: str
    diagnosis: Diagnosis
    seed: int
    asymmetry: str
    border: str
    colours: str
    structures: str

    @property
    def name(self) -> str:
        """Display name, which says what is drawn."""
        return f"Drawn lesion: {self.signs}"

    @property
    def path(self) -> Path:
        """Path of its file."""
        return _FOLDER / self.file_name

    @property
    def description(self) -> str:
        """A description for viewers, which says first that the lesion is drawn."""
        return (
            f"Drawn, not a photograph, after the signs of {self.diagnosis.title}. "
            f"Asymmetry: {self.asymmetry}. Border: {self.border}. "
            f"Colours: {self.colours}. Structures: {self.structures}."
        )


DEMONSTRATION_LESIONS = (
    DemonstrationLesion(
        signs="many colours, streaks",
        file_name="drawn-melanoma-1.jpg",
        sha256="59c80b266ea341800d14baaf03c052c94c5e06c2052c170298ed1398c118ba48",
        diagnosis=Diagnosis.MEL,
        seed=4,
        asymmetry="no axis divides it into like halves",
        border="ragged, with streaks on one side",
        colours="light and dark brown, black, blue-grey, white, red",
        structures="broken network, black dots, blue-white veil",
    ),
    DemonstrationLesion(
        signs="black blotch, notched",
        file_name="drawn-melanoma-2.jpg",
        sha256="654dc7445b6bf136d2660e9262641c3956fe7e445e21f6e50a66d321c3c229d1",
        diagnosis=Diagnosis.MEL,
        seed=5,
        asymmetry="in both axes, with a spur at the top",
        border="notched, with streaks below",
        colours="light and dark brown, black, blue-grey, white, red",
        structures="black blotch off the centre, blue-white veil, dots",
    ),
    DemonstrationLesion(
        signs="pink, branching vessels",
        file_name="drawn-basal-cell-carcinoma.jpg",
        sha256="40d1cdbbabd0694d03312558dc579e74a925d601717231bbfd1c54dd89a32e5c",
        diagnosis=Diagnosis.BCC,
        seed=4,
        asymmetry="in its structures more than in its outline",
        border="hard to follow",
        colours="pink, white, red, blue-grey, hardly any brown",
        structures="branching vessels, blue-grey nests, a small ulcer, no network",
    ),
    DemonstrationLesion(
        signs="even, brown network",
        file_name="drawn-nevus.jpg",
        sha256="459e7c64d9d0321d36364c332cd1a78243a07274a61e262d213a6c524aacc312",
        diagnosis=Diagnosis.NV,
        seed=2,
        asymmetry="hardly any",
        border="even, fading into the skin",
        colours="light and dark brown",
        structures="one regular network",
    ),
    DemonstrationLesion(
        signs="sharp border, fissures",
        file_name="drawn-benign-keratosis.jpg",
        sha256="fbcda4a74ff92614dc8ea95f8fc3150d22c4a5e2f35bd4dedc3fd698fce30f09",
        diagnosis=Diagnosis.BKL,
        seed=4,
        asymmetry="slight",
        border="cut sharply, as if stuck on",
        colours="light and dark brown, with bright yellowish dots",
        structures="fissures, dark comedo-like openings, bright milia-like cysts, no network",
    ),
    DemonstrationLesion(
        signs="red, round lacunae",
        file_name="drawn-vascular-lesion.jpg",
        sha256="5d0a215718908b4f2b761019d898e858e1d9d1dc2341c1d097b8cf9e584a892b",
        diagnosis=Diagnosis.VASC,
        seed=6,
        asymmetry="slight",
        border="clear and lobed",
        colours="red, maroon, purple, no brown",
        structures="round lacunae filled with blood, no network",
    ),
)


_HASHES = frozenset(lesion.sha256 for lesion in DEMONSTRATION_LESIONS)


def is_drawn(content: bytes) -> bool:
    """Return whether the content of a file is that of a demonstration lesion.

    Examples:
        >>> is_drawn(DEMONSTRATION_LESIONS[0].path.read_bytes()), is_drawn(b"another file")
        (True, False)
    """
    return len(content) < _MAX_BYTES and hashlib.sha256(content).hexdigest() in _HASHES
