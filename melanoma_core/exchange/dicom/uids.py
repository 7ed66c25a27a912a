"""UIDs from content: what is sent twice has the same UID, so that a node keeps one copy."""

import hashlib
import json
import uuid

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID

_SPACE = uuid.UUID("6c1c2f5a-0a0e-5c38-9a3e-6d656c616e6f")  # of this project's names
_LEFT_OUT = ("SOPInstanceUID", "ContentDate", "ContentTime", "PixelData")


def make_uid(kind: str, *names: str) -> UID:
    """Return the UID of a thing that has a name.

    Args:
        kind: What it is, such as "study".
        names: Its name, which is never that of another thing of this kind.

    Returns:
        An UID below 2.25, as of a UUID (PS3.5, B.2).

    Example:
        >>> make_uid("study", "a") == make_uid("study", "a") != make_uid("series", "a")
        True
    """
    name = json.dumps([kind, *names])
    return UID(f"2.25.{uuid.uuid5(_SPACE, name).int}")


def make_content_uid(dataset: Dataset) -> UID:
    """Return the UID of a SOP instance, from all that it holds.

    Only its own UID is left out, and when a reading was made that no record keeps: the same file
    that is read again on another day gives the same instance.
    """
    plain = DicomBytesIO()
    plain.is_little_endian, plain.is_implicit_VR = True, False
    left_out = {tag_for_keyword(name) for name in _LEFT_OUT}
    write_dataset(plain, Dataset({e.tag: e for e in dataset if e.tag not in left_out}))
    digest = hashlib.sha256(plain.getvalue())
    digest.update(dataset.get("PixelData", b""))
    return make_uid("instance", str(dataset.SOPClassUID), digest.hexdigest())
