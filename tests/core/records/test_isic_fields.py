from isic_metadata.fields import DermoscopicTypeEnum, FitzpatrickSkinType, ImageTypeEnum

from melanoma_core.records.isic_fields import find_isic_errors, name_mitoses
from melanoma_core.records.vocabulary import DermoscopicType, ImageKind, SkinType


def test_our_words_are_those_of_the_archive():
    assert {each.value for each in ImageKind} < {each.value for each in ImageTypeEnum}
    assert {each.value for each in DermoscopicType} == {each.value for each in DermoscopicTypeEnum}
    assert [each.value for each in SkinType] == [each.value for each in FitzpatrickSkinType]


def test_nothing_known_is_nothing_wrong():
    assert find_isic_errors({}) == ()
    assert find_isic_errors({"sex": None, "anatom_site": ""}) == ()


def test_an_unknown_word_of_the_archive_is_named_by_our_field():
    (error,) = find_isic_errors({"fitzpatrick_skin_type": "VII"})
    assert error.field == "skin_type"


def test_mitoses_are_written_as_the_archive_does():
    assert name_mitoses(2.0) == "2/mm^2"
