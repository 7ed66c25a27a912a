"""DICOM photographs, uploaded on the Reading page."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_reading_page import upload, wait_for_answer
from tests.dicom_files import DERMOSCOPIC, JPEG, encode, make_photograph, wrap, write


@pytest.fixture
def files(shared_data: Path, tmp_path: Path) -> list[Path]:
    """A real photograph in JPEG, one of three frames, a CT image."""
    photograph = sorted(shared_data.glob("ham10000/images/*.jpg"))[0]
    pixels = np.asarray(Image.open(photograph).convert("RGB"))
    single = make_photograph(pixels, DERMOSCOPIC, BurnedInAnnotation="YES")
    frames = np.stack([pixels, pixels[::-1], pixels[:, ::-1]])
    contents = {
        "single.dcm": wrap([encode(pixels, quality=95)], single, JPEG, "YBR_FULL_422"),
        "visit.dcm": write(make_photograph(frames, DERMOSCOPIC)),
        "scan.dcm": write(make_photograph(pixels, "1.2.840.10008.5.1.4.1.1.2")),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in contents]


def test_a_file_is_read_and_says_that_it_holds_text(open_page, files):
    page = open_page()
    upload(page, files[:1])
    wait_for_answer(page, "single.dcm")
    page.get_by_text("Quality: burned-in text").click()
    expect(page.get_by_text("text is part of its pixels").first).to_be_visible()


def test_frames_are_one_lesion_and_a_scan_is_refused_by_name(open_page, files):
    page = open_page()
    upload(page, files[1:])
    wait_for_answer(page)
    expect(page.locator(".st-key-steps .name")).to_contain_text("visit.dcm")
    expect(page.get_by_text("3 photographs").first).to_be_visible()
    expect(page.get_by_text("The DICOM file is a CT image.").first).to_be_visible()
