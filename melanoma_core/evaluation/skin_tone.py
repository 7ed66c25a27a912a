"""How well the estimated tone of the skin agrees with the skin type that a table gives."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from melanoma_core.data.skin_tone import SKIN_TYPES
from melanoma_core.data.splitting import find_groups
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.resampling import resample_lesions, to_difference

_FEWEST = 10  # images with both


def measure_agreement(table: pd.DataFrame) -> Figure | None:
    """Compute Spearman's rank correlation of estimated angle and Fitzpatrick type.

    Light skin has a large angle and a low type. So −1 is perfect agreement, and 0 is none.

    Args:
        table: `Dataset.table`, or the file table with `cluster`.

    Returns:
        The correlation in [−1, 1], its 95% CI resampled by group (images of one lesion, patient or
        copy), and the number of images and groups with both. None for fewer than ten images, or if
        one of the two has a single value.

    Example:
        >>> columns = dict.fromkeys(("lesion_id", "patient_id", "sha256", "cluster"))
        >>> types = ["I", "II", "III", "IV", "V"] * 4
        >>> angles = [60.0, 45.0, 30.0, 15.0, 0.0] * 4
        >>> table = pd.DataFrame({"fitzpatrick": types, "ita": angles} | columns)
        >>> figure = measure_agreement(table)
        >>> round(figure.value, 2), figure.total
        (-1.0, 20)
    """
    known = table[table["fitzpatrick"].notna() & table["ita"].notna()].reset_index(drop=True)
    types = known["fitzpatrick"].map(SKIN_TYPES.index).to_numpy(dtype=float)
    angles = known["ita"].to_numpy(dtype=float)
    if len(known) < _FEWEST or min(len(np.unique(types)), len(np.unique(angles))) < 2:
        return None
    resamples = resample_lesions(find_groups(known))
    values = [
        _correlate(angles[rows], types[rows])
        for rows in (
            np.repeat(np.arange(len(known)), weights[resamples.lesion].astype(int))
            for weights in resamples.weights
        )
    ]
    return to_difference(np.array(values), len(known), resamples.num_lesions)


def _correlate(angles: np.ndarray, types: np.ndarray) -> float:
    if np.ptp(angles) == 0 or np.ptp(types) == 0:
        return np.nan
    return float(spearmanr(angles, types).statistic)
