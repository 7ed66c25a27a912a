"""CLEAR Derm: reports of artificial intelligence that reads images in dermatology.

The numbers of its items were not verified, so none is given. These are the items that a model card
can answer.
"""

from melanoma_core.models.card_text.checklists import data_answers as data
from melanoma_core.models.card_text.checklists import model_answers as model
from melanoma_core.models.card_text.checklists.item import Guide, Item, see
from melanoma_core.models.card_text.formats import NOT_PROVIDED
from melanoma_core.models.card_text.section import Title

CLEAR_DERM = Guide(
    "CLEAR Derm",
    "Daneshjou et al., JAMA Dermatology 158 (2022), doi:10.1001/jamadermatol.2021.4915",
    (
        Item("", "Image type and device", data.describe_acquisition),
        Item("", "Image artefacts (ink, rulers, hair)", model.describe_artefacts),
        Item("", "Skin tones", data.describe_skin_tones),
        Item("", "Age and sex", data.describe_age_and_sex),
        Item("", "Body sites", data.describe_sites),
        Item("", "Diagnostic method (histopathology or other)", data.describe_confirmation),
        Item("", "Prevalence of the diseases", data.describe_prevalence),
        Item("", "Overlap between training and test images", model.describe_leakage_check),
        Item("", "Classes, and handling of other diseases", model.describe_classes),
        Item("", "Threshold and its choice", model.describe_thresholds),
        Item("", "Sensitivity and specificity, ROC curve", model.describe_accuracy),
        Item("", "Calibration", model.describe_calibration),
        Item("", "Images that are not read", model.describe_indeterminate),
        Item("", "Comparison with physicians", NOT_PROVIDED),
        Item("", "Test in the intended clinical setting", "no"),
        Item("", "Public availability of images and labels", data.describe_availability_of_data),
        Item("", "Public availability of the model", model.describe_availability_of_model),
        Item("", "Limitations and biases", see(Title.USE)),
    ),
)
