"""Frames and facts of DICOM files."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from isic_metadata.anatom_site_hierarchical import AnatomSiteEnum
from pydicom import Dataset, Sequence, dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.sr._concepts_dict import concepts

from melanoma_core.data.formats.dicom_facts import DicomFacts, read_facts
from melanoma_core.data.formats.dicom_frames import (
    count_photographs,
    list_photographs,
    split_name,
    take_photograph,
)
from melanoma_core.data.formats.dicom_sites import find_body_part, find_site, list_codes
from melanoma_core.data.images import decode_here, read_image
from melanoma_core.errors import ImageError
from tests.dicom_files import (
    BIG_ENDIAN,
    DEFLATED,
    DERMOSCOPIC,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    JPEG_LOSSLESS_FIRST,
    RLE,
    convert,
    encode,
    make_photograph,
    wrap,
    write,
)


@pytest.fixture(scope="session")
def frames(picture):
    """Return uint8 [3, 72, 100, 3], all different."""
    return np.stack([picture, picture[::-1], picture[:, ::-1]])


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN])
def test_each_frame_is_a_file_of_its_own(frames, syntax):
    data = write(make_photograph(frames, PatientID="P7"), syntax)
    assert count_photographs(data) == 3
    found = list_photographs("scan.dcm", data)
    assert [name for name, _ in found] == ["scan.dcm#1", "scan.dcm#2", "scan.dcm#3"]
    for (_, single), frame in zip(found, frames, strict=True):
        assert np.array_equal(decode_here(single).pixels, frame)
        assert read_facts(single).patient_id == "P7"
        assert b"Secret" not in single


def test_frames_of_an_odd_number_of_bytes_are_cut_where_they_end():
    frames = np.random.default_rng(1).integers(0, 256, (2, 65, 67, 3), dtype=np.uint8)
    for syntax in (EXPLICIT, BIG_ENDIAN):
        found = list_photographs("a", write(make_photograph(frames), syntax))
        for (_, single), frame in zip(found, frames, strict=True):
            assert np.array_equal(decode_here(single).pixels, frame)


@pytest.mark.parametrize(
    ("command", "syntax"), [(("dcmcrle",), RLE), (("dcmcjpeg", "+e1"), JPEG_LOSSLESS_FIRST)]
)
def test_compressed_frames_are_taken_out_as_they_are(frames, tmp_path, command, syntax):
    data = convert(write(make_photograph(frames)), tmp_path, *command)
    for number, frame in enumerate(frames, start=1):
        single = take_photograph(data, number)
        assert dcmread(DicomBytesIO(single)).file_meta.TransferSyntaxUID == syntax
        assert np.array_equal(decode_here(single).pixels, frame)


def test_jpeg_frames_are_taken_out_as_they_are(frames):
    streams = [encode(frame, quality=95) for frame in frames]
    data = wrap(streams, make_photograph(frames), JPEG, "YBR_FULL_422")
    single = take_photograph(data, 2)
    assert streams[1] in single
    assert streams[0] not in single


def test_what_holds_one_photograph_stays_as_it_is(picture):
    for data in (write(make_photograph(picture)), encode(picture), b"", b"\0" * 200 + b"DICM"):
        assert list_photographs("mole", data) == [("mole", data)]


def test_a_number_that_is_not_there_is_refused(frames, picture):
    data = write(make_photograph(frames))
    with pytest.raises(ImageError, match="contains 3 photographs, and number 4 was asked for"):
        take_photograph(data, 4)
    with pytest.raises(ImageError, match="this is none"):
        take_photograph(encode(picture), 1)


def test_a_path_with_a_number_is_read(frames, tmp_path):
    file = tmp_path / "scan.dcm"
    file.write_bytes(write(make_photograph(frames)))
    assert np.array_equal(read_image(Path(f"{file}#3")).pixels, frames[2])
    with pytest.raises(ImageError, match="contains 3 photographs"):
        read_image(file)
    with pytest.raises(ImageError, match="There is no file"):
        read_image(tmp_path / "other.dcm#1")


def test_a_file_whose_own_name_ends_so_is_that_file(tmp_path):
    (tmp_path / "mole#2").write_bytes(b"x")
    assert split_name(tmp_path / "mole#2") == (tmp_path / "mole#2", None)
    assert split_name(tmp_path / "mole#3") == (tmp_path / "mole", 3)
    assert split_name(tmp_path / "mole#0") == (tmp_path / "mole#0", None)


def make_code(value: str, scheme: str, meaning: str, side: str | None = None) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    if side is not None:
        item.AnatomicRegionModifierSequence = make_code(side, "SCT", "a side")
    return Sequence([item])


def test_a_dermoscopic_photograph_says_what_the_record_may_take(picture):
    dataset = make_photograph(
        picture,
        DERMOSCOPIC,
        Modality="DMS",
        PatientID="C-0815",
        PatientSex="F",
        PatientAge="045Y",
        PatientBirthDate="19790203",
        TrackingID="left arm 2",
        AnatomicRegionSequence=make_code("70559009", "SCT", "Skin of forearm", "7771000"),
        LightSourcePolarization="POLARIZED",
        ContactMethod="NON_CONTACT",
        AcquisitionDateTime="20240531101500.000+0200",
        BurnedInAnnotation="YES",
        RecognizableVisualFeatures="NO",
    )
    assert read_facts(write(dataset)) == DicomFacts(
        patient_id="C-0815",
        lesion_id="left arm 2",
        site="Upper extremity:Forearm:Volar forearm",
        site_text="Skin of forearm",
        laterality="left",
        is_dermoscopic=True,
        is_polarised=True,
        is_in_contact=False,
        taken_on=date(2024, 5, 31),
        sex="female",
        age=45.0,
        has_burned_in=True,
        shows_identity=False,
    )


def test_a_file_of_isic_2020_says_its_site_as_a_body_part(picture):
    dataset = make_photograph(
        picture, PatientID="IP_7279968", PatientSex="M", PatientAge="050Y", BodyPartExamined="TORSO"
    )
    facts = read_facts(write(dataset))
    assert (facts.patient_id, facts.sex, facts.age) == ("IP_7279968", "male", 50.0)
    assert (facts.site, facts.site_text) == ("Trunk", "TORSO")


def test_what_is_not_said_or_makes_no_sense_is_none(picture):
    assert read_facts(write(make_photograph(picture))) == DicomFacts()
    strange = make_photograph(picture, PatientAge="45", PatientSex="O", AcquisitionDate="20240231")
    assert read_facts(write(strange)) == DicomFacts()
    assert read_facts(encode(picture)) is None
    assert read_facts(write(make_photograph(picture))[:700]) is None


def test_every_code_of_a_site_is_one_and_every_site_is_of_the_record():
    codes = {
        (scheme, code)
        for scheme in ("SCT", "DCM", "FMA")
        for named in concepts[scheme].values()
        for code in named
    }
    sites = {each.value for each in AnatomSiteEnum}
    assert set(list_codes()) <= codes
    assert set(list_codes().values()) <= sites
    assert len(list_codes()) == 250


@pytest.mark.parametrize(
    ("scheme", "code", "site"),
    [
        ("SCT", "73897004", "Head and neck:Head:Face"),
        ("SRT", "T-D2100", "Trunk:Posterior trunk"),
        ("SNM3", "T-D8700", "Upper extremity:Hand"),
        ("DCM", "130323", "Trunk:Posterior trunk:Mid back"),
        ("FMA", "38110", "Lower extremity:Foot:Toes:Second toe"),
        ("SCT", "39937001", None),  # skin
        ("SCT", "10200004", None),  # liver
        ("99LOCAL", "arm", None),
    ],
)
def test_a_coded_region_means_a_site(scheme, code, site):
    assert find_site(scheme, code) == site


def test_body_parts_are_those_of_the_standard_and_of_isic_2020():
    terms = {"HEAD/NECK": "Head and neck", "UPPER EXTREMITY": "Upper extremity", "BRAIN": None}
    assert {term: find_body_part(term) for term in terms} == terms
