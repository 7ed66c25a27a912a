"""Answers about data and ground truth, from card and evidence."""

from collections.abc import Mapping

from melanoma_core.evaluation.subsets import TEST, find_collection
from melanoma_core.models.card_text.checklists.item import Known, see
from melanoma_core.models.card_text.formats import NOT_PROVIDED, format_percent
from melanoma_core.models.card_text.section import Title
from melanoma_core.models.card_text.wording import name_class
from melanoma_core.taxonomy import SKIN_CANCERS, Confirmation, Diagnosis

NO_PERSON = "not applicable: no person assesses the photograph"
NO_PATIENT = "not applicable: no patient was examined for it"
BLIND_TEST = "the network gets the pixels of the photograph alone"
BLIND_REFERENCE = (
    "the labels are older than the model; whether their assessors had clinical information is "
    f"{NOT_PROVIDED}"
)
DE_IDENTIFICATION = "by the collections; ids of lesions and patients are keyed hashes in the model"
_SUBSETS = ("train", "validation", TEST)


def name_sources(known: Known) -> str:
    """Return the collections, and where their licences are."""
    sources = _find_sources(known)
    if not sources:
        return NOT_PROVIDED
    return f"existing collections: {', '.join(sources)}; licences: {see(Title.DATA)}"


def describe_eligibility(known: Known) -> str:
    """Return which images were included, and how many files were left out."""
    diagnoses = ", ".join(map(name_class, known.card.class_names))
    files = known.card.data.get("files")
    number = f"{sum(files['left_out'].values()):,} of {files['found']:,}" if files else NOT_PROVIDED
    return (
        f"included: images labelled {diagnoses}; files left out: {number}; reasons: "
        f"{see(Title.FLOW)}"
    )


def describe_preprocessing(known: Known) -> str:
    """Return what happens to a photograph before the network."""
    size = known.card.image_size
    return (
        f"resized to {size} × {size} pixels without keeping the aspect ratio; scaled inside the "
        "network; no treatment differs between groups of patients"
    )


def describe_preparation(known: Known) -> str:
    """Return how photographs were taken, checked and prepared."""
    return (
        f"{describe_acquisition(known)}; unreadable files and copies left out; "
        f"{describe_preprocessing(known)}"
    )


def describe_acquisition(known: Known) -> str:
    """Return the sizes of the photographs, and that the devices are unknown."""
    sides = known.card.data.get("longer_side_pixels")
    if not sides:
        return NOT_PROVIDED
    return (
        f"dermoscopic photographs, longer side {sides['min']:,.0f} to {sides['max']:,.0f} pixels "
        f"(median {sides['median']:,.0f}); devices and protocol: {NOT_PROVIDED}"
    )


def describe_confirmation(known: Known) -> str:
    """Return how the diagnoses of the test photographs were confirmed, with counts."""
    counts = known.card.data.get("images_by_confirmation", {}).get(TEST, {})
    if not any(name in counts for name in Confirmation):
        return f"labels of the collections; how each was confirmed is {NOT_PROVIDED}"
    total = sum(counts.values())
    stated = "; ".join(f"{name}: {count:,}" for name, count in counts.items())
    return f"labels of the collections; of {total:,} test photographs, confirmed by {stated}"


def describe_reference_rationale(known: Known) -> str:
    """Return on which ground truth the results by confirmation are."""
    evaluation = known.evaluation
    if evaluation is None or not any(
        each.attribute == "confirmation" for each in evaluation.slices
    ):
        return NOT_PROVIDED
    return (
        "lesions that look benign are rarely biopsied, so that results are given by "
        f"confirmation: {see(Title.SUBGROUPS)}"
    )


def describe_condition(known: Known) -> str:
    """Return the target conditions."""
    cancers = [name_class(name) for name in known.card.class_names if name in SKIN_CANCERS]
    return (
        f"diagnosis at the time of the photograph, one of {len(known.card.class_names)}; melanoma "
        f"against the others, and skin cancer ({', '.join(cancers)}) against the others"
    )


def describe_outcome(known: Known) -> str:
    """Return the target conditions, and how they were confirmed."""
    return f"{describe_condition(known)}; {describe_confirmation(known)}"


def count_subsets(known: Known) -> str:
    """Return the number of photographs and melanomas of each subset."""
    images = known.card.data.get("images", {})
    labels = known.card.data.get("images_by_label", {})
    parts = [
        f"{subset}: {images[subset]:,} photographs" + _name_melanomas(labels.get(subset))
        for subset in _SUBSETS
        if subset in images
    ]
    return "; ".join(parts) or NOT_PROVIDED


def describe_sample_size(known: Known) -> str:
    """Return the sample sizes, and that none was calculated."""
    counts = count_subsets(known)
    if counts == NOT_PROVIDED:
        return NOT_PROVIDED
    return f"all available images, without a calculation of the sample size: {counts}"


def describe_partitions(known: Known) -> str:
    """Return how the images were divided, and whether this was checked."""
    leakage = known.card.leakage
    if leakage is None:
        return f"random, by lesion; whether subsets overlap is {NOT_PROVIDED}"
    keys = ", ".join(leakage.checked_by) or "no key"
    return (
        f"random, by lesion: images of one lesion, patient or copy are in one subset; "
        f"{leakage.found:,} of {leakage.num_test:,} test photographs are related to one used "
        f"before, compared by {keys}"
    )


def describe_missing(known: Known) -> str:
    """Return how missing values are treated."""
    unknown = known.card.data.get("images_without", {})
    names = {"lesion_id": "lesion", "patient_id": "patient"}
    parts = [f"{names.get(key, key)} unknown for {count:,}" for key, count in unknown.items()]
    return "; ".join(
        (
            "images without a diagnosis are left out; other values are marked as unknown, and "
            "none is imputed",
            *parts,
        )
    )


def describe_characteristics(known: Known) -> str:
    """Return where the characteristics of the subsets are."""
    by_subset = see(Title.DATA, bool(known.card.data.get("images_by_label")))
    groups = see(Title.SUBGROUPS, bool(known.evaluation and known.evaluation.slices))
    return f"diagnoses and collections by subset: {by_subset}; people of the test subset: {groups}"


def describe_prevalence(known: Known) -> str:
    """Return the share of melanoma and skin cancer in the test subset."""
    labels: Mapping[str, int] = known.card.data.get("images_by_label", {}).get(TEST, {})
    total = sum(labels.values())
    if not total:
        return NOT_PROVIDED
    kinds = {"melanoma": (Diagnosis.MEL,), "skin cancer": SKIN_CANCERS}
    shares = []
    for name, members in kinds.items():
        count = sum(labels.get(each, 0) for each in members)
        shares.append(f"{name} {format_percent(count / total)} ({count:,} of {total:,})")
    return (
        f"test photographs: {', '.join(shares)}; chosen by the collections, not the share in a "
        "clinic. Readings can be adapted to the prevalence of a clinic"
    )


def list_other_diagnoses(known: Known) -> str:
    """Return the diagnoses of the test photographs without melanoma."""
    labels = known.card.data.get("images_by_label", {}).get(TEST, {})
    others = [f"{name_class(k)} {v:,}" for k, v in labels.items() if k != Diagnosis.MEL and v]
    return ", ".join(others) or NOT_PROVIDED


def compare_subsets(known: Known) -> str:
    """Return how training and test differ."""
    left_out = known.card.data.get("left_out")
    if left_out:
        return f"the test subset is the collection {left_out}, of which the training saw nothing"
    return (
        "none by design: drawn from the same collections; distributions by subset: "
        f"{see(Title.DATA, bool(known.card.data.get('images_by_label')))}"
    )


def describe_external(known: Known) -> str:
    """Return whether the model was evaluated on data of another origin."""
    if known.card.data.get("left_out"):
        return compare_subsets(known)
    if not known.has_metrics or not any(map(find_collection, known.card.metrics)):
        return "none"
    return f"none; by collection of the same origin as the training: {see(Title.PERFORMANCE)}"


def describe_skin_tones(known: Known) -> str:
    """Return the skin tones of the test photographs, where they are known."""
    return _list_slices(known, "skin_tone")


def describe_age_and_sex(known: Known) -> str:
    """Return where results by age and sex are."""
    return _find_slices(known, "age", "sex")


def describe_sites(known: Known) -> str:
    """Return where results by body site are."""
    return _find_slices(known, "site")


def describe_availability_of_data(known: Known) -> str:
    """Return the licences of the photographs."""
    licences = known.card.data.get("licences") or [NOT_PROVIDED]
    return f"by their publishers; licences: {'; '.join(licences)}"


def _find_slices(known: Known, *attributes: str) -> str:
    evaluation = known.evaluation
    found = {each.attribute for each in evaluation.slices} if evaluation else set()
    return see(Title.SUBGROUPS, any(name in found for name in attributes))


def _list_slices(known: Known, attribute: str) -> str:
    evaluation = known.evaluation
    slices = [s for s in evaluation.slices if s.attribute == attribute] if evaluation else []
    if not slices:
        return NOT_PROVIDED
    counts = ", ".join(f"{each.value} {each.num_images:,}" for each in slices)
    return f"{counts} test photographs; results: {see(Title.SUBGROUPS)}"


def _find_sources(known: Known) -> list[str]:
    by_source = known.card.data.get("images_by_source", {})
    return sorted({name for counts in by_source.values() for name, n in counts.items() if n})


def _name_melanomas(labels: Mapping[str, int] | None) -> str:
    if labels is None:
        return ""
    cancers = sum(labels.get(name, 0) for name in SKIN_CANCERS)
    return f", {labels.get(Diagnosis.MEL, 0):,} of melanoma, {cancers:,} of skin cancer"
