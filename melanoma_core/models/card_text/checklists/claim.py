"""CLAIM 2024: the checklist for artificial intelligence in medical imaging."""

from melanoma_core.models.card_text.checklists import data_answers as data
from melanoma_core.models.card_text.checklists import model_answers as model
from melanoma_core.models.card_text.checklists.item import Guide, Item, see
from melanoma_core.models.card_text.formats import NOT_PROVIDED
from melanoma_core.models.card_text.section import Title

CLAIM = Guide(
    "CLAIM 2024",
    "Tejani et al., Radiology: Artificial Intelligence 6 (2024), doi:10.1148/ryai.240300",
    (
        Item("1", "Title", model.NOT_AN_ARTICLE),
        Item("2", "Abstract", model.NOT_AN_ARTICLE),
        Item("3", "Background and intended use", see(Title.USE)),
        Item("4", "Aims and hypotheses", model.OBJECTIVE),
        Item("5", "Prospective or retrospective", "retrospective"),
        Item("6", "Goal of the study", see(Title.USE)),
        Item("7", "Data sources", data.name_sources),
        Item("8", "Inclusion and exclusion criteria", data.describe_eligibility),
        Item("9", "Preprocessing", data.describe_preprocessing),
        Item("10", "Selection of subsets of the data", data.describe_eligibility),
        Item("11", "De-identification", data.DE_IDENTIFICATION),
        Item("12", "Missing data", data.describe_missing),
        Item("13", "Image acquisition", data.describe_acquisition),
        Item("14", "Reference standard", data.describe_confirmation),
        Item("15", "Why this reference standard", data.describe_reference_rationale),
        Item("16", "Qualification of annotators", NOT_PROVIDED),
        Item("17", "Annotation of the test set", NOT_PROVIDED),
        Item("18", "Variability of annotations", NOT_PROVIDED),
        Item("19", "Data partitions", data.count_subsets),
        Item("20", "Level at which partitions are disjoint", data.describe_partitions),
        Item("21", "Sample size of the test", data.describe_sample_size),
        Item("22", "Model", model.describe_architecture),
        Item("23", "Software and versions", model.describe_software),
        Item("24", "Initialisation of parameters", model.describe_initialisation),
        Item("25", "Training, augmentation and hyperparameters", model.describe_training),
        Item("26", "Selection of the final model", model.describe_selection),
        Item("27", "Ensembling", model.describe_ensemble),
        Item("28", "Metrics", model.describe_statistics),
        Item("29", "Uncertainty", model.describe_uncertainty),
        Item("30", "Robustness", model.describe_changes),
        Item("31", "Explainability", model.describe_heatmaps),
        Item("32", "Internal test", model.describe_internal_test),
        Item("33", "External test", data.describe_external),
        Item("34", "Registration of a trial", NOT_PROVIDED),
        Item("35", "Numbers included and excluded", see(Title.FLOW)),
        Item("36", "Demographics of each partition", data.describe_characteristics),
        Item("37", "Performance on all partitions and subgroups", model.describe_subgroups),
        Item("38", "Accuracy with confidence intervals", model.describe_accuracy),
        Item("39", "Failure analysis", model.describe_failures),
        Item("40", "Limitations", see(Title.USE)),
        Item("41", "Implications for practice", see(Title.USE)),
        Item("42", "Protocol", NOT_PROVIDED),
        Item("43", "Availability of software, model and data", model.describe_availability),
        Item("44", "Funding", NOT_PROVIDED),
    ),
)
