"""What the files of a lesion say, judged by dicom-validator, dciodvfy and dcmtk."""

import io
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import JPEGBaseline8Bit

from melanoma_core import __version__
from melanoma_core.errors import ExchangeError
from melanoma_core.exchange.dicom.files import DicomFile, make_files, write_zip
from melanoma_core.exchange.dicom.headers import DERMOSCOPY, describe_series, name_patient
from melanoma_core.exchange.dicom.leaving import make_lesion_files
from melanoma_core.exchange.occasion import Occasion, list_occasions, make_occasion, strip_files
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.entities import Lesion, Patient
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import DermoscopicType, ImageKind
from melanoma_core.settings import load_settings
from tests.core.exchange.dicom.conftest import ReadLesion, run_tool
from tests.core.exchange.dicom.standard import list_faults
from tests.drawn_record import add_drawn_lesion

PHOTOGRAPH = "visit-1-photograph-DMS-1.dcm"
HEATMAP = "visit-1-heatmap-OT-1.dcm"
READING = "visit-1-reading-SR-1.dcm"
# What dciodvfy of 2022 does not know of the standard of 2026: Synthetic Data (0008,001C) is newer,
# and a module that the user may leave out (U) is asked for.
_OLD = (
    "(0x0008,0x001c)",
    "Module=<FrameOfReference>",
)


def _find_occasion(lesion: ReadLesion) -> Occasion:
    case = lesion.record.load_case(lesion.id)
    (occasion,) = list_occasions(case, lesion.record.images.read, load_card(BUNDLED))
    return occasion


def _make_one(occasion: Occasion, **changes: object) -> pydicom.Dataset:
    """Return the first photograph of an occasion, changed."""
    key, photograph = next(iter(occasion.photographs.items()))
    changed = replace(photograph, **changes)
    return make_files([replace(occasion, photographs={key: changed}, reading=None)])[0].dataset


def test_a_lesion_gives_its_photographs_a_heatmap_of_each_and_one_reading(
    files: dict[str, DicomFile],
) -> None:
    assert list(files) == [
        "visit-1-photograph-DMS-1.dcm",
        "visit-1-photograph-DMS-2.dcm",
        "visit-1-heatmap-OT-1.dcm",
        "visit-1-heatmap-OT-2.dcm",
        "visit-1-reading-SR-1.dcm",
    ]
    assert {str(each.dataset.SOPClassUID.name) for each in files.values()} == {
        "Dermoscopic Photography Image Storage",
        "Secondary Capture Image Storage",
        "Comprehensive SR Storage",
    }


def test_a_visit_is_a_study_and_each_kind_of_file_of_a_lesion_a_series(
    files: dict[str, DicomFile],
) -> None:
    datasets = [each.dataset for each in files.values()]
    assert len({each.StudyInstanceUID for each in datasets}) == 1
    assert len({(each.SeriesInstanceUID, each.Modality) for each in datasets}) == 3
    assert {each.PatientID for each in datasets} == {"drawn-4711"}
    assert {each.PatientBirthDate for each in datasets} == {None}


def test_every_file_says_what_it_is_for(files: dict[str, DicomFile]) -> None:
    for each in files.values():
        dataset = each.dataset
        assert dataset.SeriesDescription.endswith("Research, not for diagnosis")
        assert dataset.ContentQualification == "RESEARCH"
        assert dataset.SyntheticData == "YES"
    comments = files[HEATMAP].dataset.ImageComments
    assert __version__ in comments
    assert "chosen on the validation subset of the model's data for a sensitivity" in comments
    assert "No person has confirmed this reading." in comments


def test_the_standard_finds_no_fault_in_the_images(written: dict[str, Path]) -> None:
    for name, path in written.items():
        # Without conditions, the tables ask of each content item for the values of all kinds.
        faults = [each for each in list_faults(path) if "sr-document-content" not in each]
        assert faults == [], name


def test_a_file_without_a_required_value_is_found(written: dict[str, Path]) -> None:
    broken = pydicom.dcmread(written[PHOTOGRAPH])
    del broken.RecognizableVisualFeatures
    broken.save_as(written[PHOTOGRAPH])
    assert list_faults(written[PHOTOGRAPH]) == ["dermoscopic-image (0028,0302) TagMissing"]


def test_dciodvfy_finds_no_error(written: dict[str, Path]) -> None:
    for name, path in written.items():
        lines = run_tool("dciodvfy", path).stderr.splitlines()
        assert any("Photography" in line or "SC" in line or "SR" in line for line in lines)
        errors = [line for line in lines if line.startswith("Error")]
        assert [line for line in errors if not any(old in line for old in _OLD)] == [], name


def test_dcmtk_reads_every_file(written: dict[str, Path], tmp_path: Path) -> None:
    for name, path in written.items():
        dumped = run_tool("dcmdump", path)
        assert dumped.returncode == 0, dumped.stderr
        if name != READING:
            image = tmp_path / "image.ppm"
            drawn = run_tool("dcmj2pnm", "--write-raw-pnm", path, image)
            assert drawn.returncode == 0, drawn.stderr
            assert Image.open(image).mode == "RGB"


def test_a_baseline_jpeg_stays_the_stream_that_it_was(
    lesion: ReadLesion, files: dict[str, DicomFile]
) -> None:
    dataset = files[PHOTOGRAPH].dataset
    occasion = _find_occasion(lesion)
    kept = lesion.record.images.read(next(iter(occasion.photographs.values())).sha256)
    (frame,) = pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)
    assert frame.rstrip(b"\0") == kept.rstrip(b"\0")
    assert dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert dataset.PhotometricInterpretation == "YBR_FULL_422"
    assert (dataset.LossyImageCompression, dataset.LossyImageCompressionMethod) == (
        "01",
        "ISO_10918_1",
    )
    pixels = np.asarray(Image.open(io.BytesIO(kept)).convert("RGB"), int)
    assert abs(pixels - np.asarray(_reopen(dataset).pixel_array, int)).max() <= 1


def test_a_heatmap_refers_to_its_photograph(files: dict[str, DicomFile]) -> None:
    photograph, heatmap = files[PHOTOGRAPH].dataset, files[HEATMAP].dataset
    (source,) = heatmap.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == photograph.SOPInstanceUID
    assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    assert list(heatmap.ImageType) == ["DERIVED", "SECONDARY"]
    assert "not where a tumour is" in heatmap.DerivationDescription
    assert heatmap.pixel_array.shape == photograph.pixel_array.shape
    assert (heatmap.pixel_array != photograph.pixel_array).any()


def test_files_are_the_same_in_another_process_at_another_time(
    lesion: ReadLesion, files: dict[str, DicomFile]
) -> None:
    code = (
        "import hashlib, sys\n"
        "from pathlib import Path\n"
        "from melanoma_core.exchange.dicom.files import write_zip\n"
        "from melanoma_core.exchange.dicom.leaving import make_lesion_files\n"
        "from melanoma_core.records.store import Record\n"
        "from melanoma_core.settings import load_settings\n"
        "record = Record.open(Path(sys.argv[1]))\n"
        "files = make_lesion_files(record, record.load_case(sys.argv[2]), load_settings())\n"
        "sys.stdout.buffer.write(write_zip(files))\n"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(lesion.record.place.folder), lesion.id],
        capture_output=True,
        check=True,
        env={**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"},
    )
    assert other.stdout == write_zip(files.values())
    with zipfile.ZipFile(io.BytesIO(other.stdout)) as archive:
        assert archive.namelist() == list(files)


def test_another_content_has_another_uid_in_the_same_series(lesion: ReadLesion) -> None:
    occasion = _find_occasion(lesion)
    one, other = _make_one(occasion), _make_one(occasion, device="Dermatoscope 3")
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID == other.SeriesInstanceUID
    assert other.ManufacturerModelName == "Dermatoscope 3"


@pytest.mark.parametrize(
    ("light", "expected"),
    [
        (None, ("", "", None)),
        (DermoscopicType.CONTACT_POLARISED, ("POLARIZED", "CONTACT", "")),
        (DermoscopicType.CONTACT_NON_POLARISED, ("NON_POLARIZED", "CONTACT", "")),
        (DermoscopicType.NON_CONTACT_POLARISED, ("POLARIZED", "NON_CONTACT", None)),
    ],
)
def test_light_and_contact_are_in_the_dermoscopic_module(
    lesion: ReadLesion, light: DermoscopicType | None, expected: tuple[str, str, str | None]
) -> None:
    dataset = _reopen(_make_one(_find_occasion(lesion), dermoscopic_type=light))
    found = (dataset.LightSourcePolarization, dataset.ContactMethod, dataset.get("ImmersionMedia"))
    assert tuple(each if each is None else str(each) for each in found) in (
        expected,
        tuple(None if each == "" else each for each in expected),
    )


def test_a_close_up_is_a_photographic_image_and_passes(lesion: ReadLesion, tmp_path: Path) -> None:
    dataset = _make_one(
        _find_occasion(lesion), kind=ImageKind.CLOSE_UP, millimetres_per_pixel=0.0123456789
    )
    assert dataset.SOPClassUID.name == "VL Photographic Image Storage"
    assert dataset.Modality == "XC"
    assert [float(each) for each in dataset.PixelSpacing] == [0.0123456789] * 2
    path = tmp_path / "close-up.dcm"
    path.write_bytes(DicomFile("", dataset).encode())
    assert list_faults(path) == []
    errors = [
        line for line in run_tool("dciodvfy", path).stderr.splitlines() if line[:5] == "Error"
    ]
    assert [line for line in errors if not any(old in line for old in _OLD)] == []


def test_a_lesion_of_which_nothing_is_known_passes_too(lesion: ReadLesion, tmp_path: Path) -> None:
    bare = replace(
        _find_occasion(lesion),
        patient=Patient(pseudonym="1"),
        lesion=Lesion(patient_id="", label="1"),
        visited_on=None,
        is_drawn=False,
    )
    for file in make_files([bare]):
        path = tmp_path / file.name
        path.write_bytes(file.encode())
        assert "SyntheticData" not in file.dataset
        lines = run_tool("dciodvfy", path).stderr.splitlines()
        errors = [line for line in lines if line.startswith("Error")]
        assert [line for line in errors if not any(old in line for old in _OLD)] == []
        assert [each for each in list_faults(path) if "sr-document-content" not in each] == []


def test_site_and_side_have_public_codes(files: dict[str, DicomFile]) -> None:
    dataset = files[PHOTOGRAPH].dataset
    (region,) = dataset.AnatomicRegionSequence
    assert (region.CodingSchemeDesignator, region.CodeValue) == ("SCT", "699893008")
    assert region.CodeMeaning == "Skin of back of upper thoracic region"
    assert dataset.ImageLaterality == "L"
    assert dataset.TrackingID == "1"


def test_pseudonyms_and_labels_that_dicom_cannot_hold_stay_apart(lesion: ReadLesion) -> None:
    long = ["x" * 64 + each for each in "ab"]
    assert len({name_patient(each) for each in long}) == 2
    assert all(len(name_patient(each)) <= 64 for each in long)
    assert name_patient("a\\b") != name_patient("a/b") == "a/b"
    occasion = replace(
        _find_occasion(lesion),
        patient=Patient(pseudonym="Ü=^\\9"),
        lesion=Lesion(patient_id="", label="left shoulder, near the scar\nof 2019"),
    )
    assert len(describe_series(occasion, DERMOSCOPY)) <= 64
    dataset = _reopen(_make_one(occasion))
    assert str(dataset.PatientID).startswith("Ü=^/9-")
    assert dataset.PatientName.family_name.startswith("Ü  /9-")


def test_where_the_doctor_reads_first_nothing_of_the_ai_reading_leaves(
    lesion: ReadLesion, tmp_path: Path
) -> None:
    record = Record.create(tmp_path / "record", "ada")
    drawn = add_drawn_lesion(record)
    reading = lesion.record.load_case(lesion.id).ai_readings[-1].value
    part = replace(reading.photographs[0], photograph_id=drawn.photograph_ids[0], heatmap_sha256="")
    with record.write(by="dr.a") as change:
        change.add(
            replace(
                reading, lesion_id=drawn.lesion_id, visit_id=drawn.visit_id, photographs=(part,)
            )
        )
    case = record.load_case(drawn.lesion_id)
    first = make_lesion_files(record, case, load_settings())
    assert [each.dataset.Modality for each in first] == ["DMS"]
    together = replace(load_settings(), first_read="together")
    shown = make_lesion_files(record, case, together)
    assert [each.dataset.Modality for each in shown] == ["DMS", "SR"]
    record.close()


def test_a_lesion_without_a_photograph_is_refused(tmp_path: Path) -> None:
    record = Record.create(tmp_path / "record", "ada")
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym="1"))
        lesion = change.add(Lesion(patient_id=patient.id, label="7"))
    with pytest.raises(ExchangeError, match="Lesion 7 has no photograph"):
        make_lesion_files(record, record.load_case(lesion.id), load_settings())
    record.close()


def _reopen(dataset: pydicom.Dataset) -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(DicomFile("", dataset).encode()))


def test_real_photographs_keep_their_pixels(shared_data: Path) -> None:
    paths = sorted((shared_data / "isic2017").rglob("*.jpg"))[:4]
    paths += sorted((shared_data / "full_resolution").rglob("*.jpg"))[:2]
    assert len(paths) == 6
    for path in paths:
        kept = strip_files({"photograph": path.read_bytes()}, ImageKind.DERMOSCOPIC)
        (file,) = make_files([make_occasion(kept, None, "", "1")])
        before = np.asarray(Image.open(path).convert("RGB"), int)
        assert abs(before - _reopen(file.dataset).pixel_array).max() <= 1
        assert file.dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
