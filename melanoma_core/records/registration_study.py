"""How often registration succeeds, and how often it accepts photographs of different lesions.

Lesions are divided into two halves. The limits of `records.registration` are chosen on the first,
all that is reported is measured on the second:

- Pairs of photographs of one lesion: how many are registered.
- Pairs of different lesions, drawn at random, and those that look most alike: how many are
  registered, which would be wrong.
- Photographs that are taken again by a known transform, in other light and colour, cropped and
  compressed: how many are registered, and by how much they are misplaced.
- Manually drawn outlines laid on each other: whether the transform of a real pair is right.
"""

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from melanoma_core.data.images import read_image
from melanoma_core.data.outlines import read_mask, select_outlined
from melanoma_core.errors import DatasetError
from melanoma_core.evaluation.faithfulness import average
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.overlap import measure_overlap
from melanoma_core.evaluation.resampling import measure_share, resample_lesions
from melanoma_core.progress import Progress
from melanoma_core.records.outlines import fill_polygon, trace_outline
from melanoma_core.records.registration import (
    Features,
    NotRegistered,
    Registration,
    describe_features,
    lay_points,
    register_features,
)

MIN_LESIONS = 20
_NUM_OTHERS = 3  # other lesions, drawn at random, that each photograph is compared with
_THUMBNAIL = 8  # px; the side at which photographs are compared for the most alike
_ACCURATE = 0.01  # of the longer side: what is laid so can be looked at together
_MATCHING = 0.8  # Dice coefficient of two outlines of one lesion, drawn on two photographs
_SEED = 0


@dataclass(frozen=True, kw_only=True)
class RegistrationFigures:
    """Figures of one source, on lesions on which no limit was chosen.

    Attributes:
        same: Share of pairs of photographs of one lesion that are registered.
        others: Share of pairs of different lesions, drawn at random, that are registered.
        alike: The same, of each lesion with the one that looks most like it.
        warped: Share of photographs, taken again by a known transform, that are registered.
        accurate: Share of those registered ones that are misplaced by at most 1% of the longer
            side, on average over what both show.
        error_quantiles: Half and 95% of those registered ones are misplaced by at most this, as a
            share of the longer side; NaN if there are none.
        matching: Share of registered pairs with manually drawn outlines whose outlines, laid on
            each other, have a Dice coefficient of at least 0.8.
        dice: Mean Dice coefficient of those.
    """

    same: Figure
    others: Figure
    alike: Figure
    warped: Figure
    accurate: Figure
    error_quantiles: tuple[float, float]
    matching: Figure
    dice: Figure


@dataclass(frozen=True, kw_only=True)
class RegistrationStudy:
    """What was chosen, and what was measured.

    Attributes:
        min_inliers: What the first half of the lesions would choose: one more than the most
            features on which two photographs of different lesions agree.
        num_compared: Number of pairs of different lesions that this was chosen on.
        sources: Figures by source, of the second half.
    """

    min_inliers: int
    num_compared: int
    sources: dict[str, RegistrationFigures]


def choose_pairs(table: pd.DataFrame, limit: int | None = None) -> pd.DataFrame:
    """Choose two photographs of each lesion that has several, at random.

    Args:
        table: Images of a folder: `path`, `lesion_id`, `source` and `group`.
        limit: Largest number of lesions of a source; None for all.

    Returns:
        `lesion_id`, `source`, `group`, `earlier` and `later` (paths; which was taken first is not
        known), and `is_reported`: whether the lesion is in the second half. A group is in one half.

    Raises:
        DatasetError: There are fewer than 20 such lesions.
    """
    known = table[table["lesion_id"].notna()].sample(frac=1, random_state=_SEED)
    rows = [
        {
            "lesion_id": lesion,
            "source": source,
            "group": images["group"].iloc[0],
            "earlier": Path(images["path"].iloc[0]),
            "later": Path(images["path"].iloc[1]),
        }
        for (source, lesion), images in known.groupby(["source", "lesion_id"], sort=True)
        if len(images) > 1
    ]
    if len(rows) < MIN_LESIONS:
        raise DatasetError(
            f"Found {len(rows)} lesions with several photographs. At least {MIN_LESIONS} are "
            "needed. Name a folder whose tables say which photographs show the same lesion "
            "(lesion_id)."
        )
    pairs = pd.DataFrame(rows).sample(frac=1, random_state=_SEED)
    if limit is not None:
        pairs = pairs.groupby("source").head(limit)
    pairs = pairs.sort_values("source", kind="stable").reset_index(drop=True)
    rank = pd.factorize(pairs["group"])[0]
    return pairs.assign(is_reported=rank % 2 == 1)


def study_registration(pairs: pd.DataFrame, progress: Progress | None = None) -> RegistrationStudy:
    """Choose the number of features that must agree, and measure registration.

    Args:
        pairs: Of `choose_pairs`.
        progress: Called with the number of lesions that are done, and their total.

    Raises:
        ImageError: A photograph cannot be read.
    """
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, len(pairs))

    most, num_compared, sources = 0, 0, {}
    for source, rows in pairs.groupby("source", sort=True):
        chosen = _describe_pairs(rows[~rows["is_reported"]], count)
        inliers = [_register(chosen, first, second).num_inliers for first, second in chosen.wrong]
        most, num_compared = max([most, *inliers]), num_compared + len(inliers)
        sources[str(source)] = _measure(rows[rows["is_reported"]], count)
    return RegistrationStudy(min_inliers=most + 1, num_compared=num_compared, sources=sources)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """The features of both photographs of each lesion, and which are compared wrongly.

    Attributes:
        earlier: Of the earlier photographs.
        later: Of the later ones.
        others: Positions of an earlier and a later photograph of different lesions, at random.
        alike: The same, of those that look most alike.
    """

    earlier: list[Features]
    later: list[Features]
    others: list[tuple[int, int]]
    alike: list[tuple[int, int]]

    @property
    def wrong(self) -> list[tuple[int, int]]:
        return self.others + self.alike


def _describe_pairs(rows: pd.DataFrame, count: Callable[[], None]) -> _Pairs:
    earlier, later, thumbnails = [], [], []
    for files in zip(rows["earlier"], rows["later"], strict=True):
        first, second = (read_image(path).pixels for path in files)
        earlier.append(describe_features(first))
        later.append(describe_features(second))
        thumbnails.append((_shrink(first), _shrink(second)))
        count()
    groups = rows["group"].to_numpy()
    return _Pairs(earlier, later, _draw_others(groups), _find_alike(groups, thumbnails))


def _shrink(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    image = Image.fromarray(pixels).resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(image, np.float64).ravel()


def _draw_others(groups: NDArray[np.int64]) -> list[tuple[int, int]]:
    number = len(groups)
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(0, max(number, 1), (number, _NUM_OTHERS))
    return [
        (first, int(second))
        for first, seconds in enumerate(drawn)
        for second in seconds
        if groups[first] != groups[second]
    ]


def _find_alike(
    groups: NDArray[np.int64], thumbnails: list[tuple[NDArray[np.float64], NDArray[np.float64]]]
) -> list[tuple[int, int]]:
    found = []
    for first, (thumbnail, _) in enumerate(thumbnails):
        distances = np.array([np.abs(thumbnail - other).sum() for _, other in thumbnails])
        distances[groups == groups[first]] = np.inf
        if np.isfinite(distances).any():
            found.append((first, int(distances.argmin())))
    return found


def _register(pairs: _Pairs, first: int, second: int) -> Registration | NotRegistered:
    return register_features(pairs.earlier[first], pairs.later[second])


def _measure(rows: pd.DataFrame, count: Callable[[], None]) -> RegistrationFigures:
    pairs, groups = _describe_pairs(rows, count), rows["group"].to_numpy()
    same = [_register(pairs, each, each) for each in range(len(rows))]
    others = [isinstance(_register(pairs, *each), Registration) for each in pairs.others]
    alike = [isinstance(_register(pairs, *each), Registration) for each in pairs.alike]
    errors = np.array(list(_take_again(rows, pairs)), np.float64)
    is_found = ~np.isnan(errors)
    quantiles = np.quantile(errors[is_found], (0.5, 0.95)) if is_found.any() else (np.nan, np.nan)
    dice = np.array(list(_overlap(rows, same)), np.float64)
    matching = np.where(np.isnan(dice), np.nan, dice >= _MATCHING)
    return RegistrationFigures(
        same=_share(groups, [isinstance(each, Registration) for each in same]),
        others=_share(groups[[first for first, _ in pairs.others]], others),
        alike=_share(groups[[first for first, _ in pairs.alike]], alike),
        warped=_share(groups, is_found),
        accurate=_share(groups[is_found], errors[is_found] <= _ACCURATE),
        error_quantiles=(float(quantiles[0]), float(quantiles[1])),
        matching=average(matching, groups),
        dice=average(dice, groups),
    )


def _share(groups: NDArray[np.int64], event: "NDArray[np.bool_] | list[bool]") -> Figure:
    if not len(groups):
        return Figure(math.nan, math.nan, math.nan, 0, 0, 0)
    return measure_share(
        resample_lesions(groups), np.asarray(event, np.bool_), np.ones(len(groups), np.bool_)
    )


def _take_again(rows: pd.DataFrame, pairs: _Pairs) -> Iterator[float]:
    """Yield by how much each photograph, taken again, is misplaced; NaN if it is refused."""
    rng = np.random.default_rng(_SEED)
    for path, features in zip(rows["earlier"], pairs.earlier, strict=True):
        pixels = read_image(path).pixels
        matrix, later = take_again(pixels, rng)
        found = register_features(features, describe_features(later))
        yield math.nan if isinstance(found, NotRegistered) else misplace(found, matrix)


def take_again(
    pixels: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Take a photograph of a photograph: turned, magnified, moved, in other light, compressed.

    Args:
        pixels: uint8 [H, W, 3].
        rng: Draws the transform: any angle, 0.6 to 1.6 times, up to 15% of the sides.

    Returns:
        float64 [3, 3], from pixels of the new photograph to those of the old; uint8 [h, w, 3], with
        80% to 100% of the sides.
    """
    height, width = pixels.shape[:2]
    angle, scale = rng.uniform(-math.pi, math.pi), math.exp(rng.uniform(*np.log((0.6, 1.6))))
    size = tuple(max(1, round(side * rng.uniform(0.8, 1))) for side in (width, height))
    turn = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    shift = rng.uniform(-0.15, 0.15, 2) * (width, height)
    middle = np.array([width, height]) / 2 + shift
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = middle - turn @ (np.array(size) / 2)  # from the corner of the first pixel
    image = Image.fromarray(pixels)
    fill = tuple(int(each) for each in np.median(pixels.reshape(-1, 3), axis=0))
    taken = image.transform(
        size,
        Image.Transform.AFFINE,
        tuple(matrix[:2].ravel()),
        Image.Resampling.BICUBIC,
        fillcolor=fill,
    )
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        taken = change(taken).enhance(rng.uniform(0.75, 1.25))
    tint = rng.uniform(0.9, 1.1, 3)
    tinted = np.clip(np.asarray(taken, np.float64) * tint, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(tinted).save(buffer, "JPEG", quality=int(rng.integers(60, 95)))
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.linalg.inv(half) @ matrix @ half, np.asarray(Image.open(buffer).convert("RGB"))


def misplace(found: Registration, matrix: NDArray[np.float64]) -> float:
    """Return the mean distance between where points should lie and where they are laid.

    Args:
        found: The registration.
        matrix: float64 [3, 3], the true transform between the same pixels.

    Returns:
        As a share of the longer side of the earlier photograph, over a grid of points that both
        show; NaN if there is none.
    """
    height, width = found.later_size
    x, y = np.meshgrid(np.linspace(0, width - 1, 21), np.linspace(0, height - 1, 21))
    points = np.column_stack([x.ravel(), y.ravel(), np.ones(x.size)])
    there = points @ matrix[:2].T
    limits = np.array(found.earlier_size[::-1]) - 1
    shown = ((there >= 0) & (there <= limits)).all(axis=1)
    if not shown.any():
        return math.nan
    laid = points[shown] @ np.array(found.matrix).T
    return float(np.hypot(*(laid - there[shown]).T).mean()) / max(found.earlier_size)


def _overlap(rows: pd.DataFrame, found: list[Registration | NotRegistered]) -> Iterator[float]:
    """Yield the Dice coefficient of the outlines of each pair; NaN where there is none."""
    masks = [_find_masks(rows[column]) for column in ("earlier", "later")]
    for position, registration in enumerate(found):
        first, second = (each.get(position) for each in masks)
        if first is None or second is None or isinstance(registration, NotRegistered):
            yield math.nan
            continue
        earlier = read_mask(first)
        laid = lay_points(trace_outline(read_mask(second)), registration)
        later = fill_polygon(laid, *earlier.shape)
        yield float(measure_overlap(later[None], earlier[None])[0])


def _find_masks(paths: pd.Series) -> dict[int, Path]:
    outlined = select_outlined(pd.DataFrame({"path": list(paths)}))
    return dict(zip(outlined.index, outlined["outline"], strict=True))
