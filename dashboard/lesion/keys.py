"""The keys that answer the questions of a first read and of a decision.

No key answers two questions, so that a fast hand cannot answer the wrong one. C and R belong to
Streamlit.
"""

from dashboard.lesion.form import Choice
from melanoma_core.records.vocabulary import Management, Opinion

OPINIONS = {
    Opinion.MEL: Choice("Melanoma", "M"),
    Opinion.NV: Choice("Nevus", "N"),
    Opinion.BCC: Choice("Basal cell carcinoma", "B"),
    Opinion.SCC: Choice("Squamous cell carcinoma", "S"),
    Opinion.AK: Choice("Actinic keratosis", "A"),
    Opinion.BKL: Choice("Benign keratosis", "K"),
    Opinion.DF: Choice("Dermatofibroma", "D"),
    Opinion.VASC: Choice("Vascular lesion", "V"),
    Opinion.OTHER_BENIGN: Choice("Other benign", "O"),
    Opinion.OTHER_MALIGNANT: Choice("Other malignant", "X"),
}
PROBABILITIES = {
    0.01: Choice("1%", "1"),
    0.05: Choice("5%", "2"),
    0.1: Choice("10%", "3"),
    0.2: Choice("20%", "4"),
    0.35: Choice("35%", "5"),
    0.5: Choice("50%", "6"),
    0.65: Choice("65%", "7"),
    0.8: Choice("80%", "8"),
    0.95: Choice("95%", "9"),
}
MANAGEMENTS = {
    Management.REASSURE: Choice("Reassure", "L"),
    Management.MONITOR_3: Choice("Monitor, 3 months", "T"),
    Management.MONITOR_6: Choice("Monitor, 6 months", "H"),
    Management.MONITOR_12: Choice("Monitor, 12 months", "Y"),
    Management.SHAVE: Choice("Shave biopsy", "W"),
    Management.PUNCH: Choice("Punch biopsy", "P"),
    Management.EXCISION: Choice("Excision", "E"),
    Management.REFER: Choice("Refer", "F"),
    Management.REFER_URGENTLY: Choice("Refer urgently", "U"),
}
OVERLAY = "I"
"""The key that shows and hides the heatmap."""

RESERVED = "".join(
    choice.key.lower()
    for choice in (*OPINIONS.values(), *PROBABILITIES.values(), *MANAGEMENTS.values())
)
"""The keys that the image viewer leaves to the questions, although it has the focus."""
