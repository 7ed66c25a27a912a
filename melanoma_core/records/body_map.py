"""The body map: which anatomic site a point on it proposes, and on which side of the body.

The map shows a person who stands upright, arms a little away from the body, from the front and from
the back. Each view is half as wide as it is high. Both halves of a view mirror each other, so that
its regions are given for one: by their distance from the middle.
"""

from dataclasses import dataclass

from melanoma_core.records.vocabulary import BodyView, Laterality, MapPoint

ASPECT = 0.5
"""Width of a view, as a share of its height."""

MIDLINE = 0.015
"""Half the width of the strip that is no side, as a share of the map's width."""

_FARTHEST = 0.03  # from a region, as a share of the height; a point farther off is beside the body
_FRONT, _BACK = (BodyView.FRONT,), (BodyView.BACK,)
_BOTH = (BodyView.FRONT, BodyView.BACK)
_HEAD, _FACE = "Head and neck:Head", "Head and neck:Head:Face"
_CHEST, _ABDOMEN = "Trunk:Anterior trunk:Anterior chest", "Trunk:Anterior trunk:Anterior abdomen"
_TRUNK, _ARM, _LEG = "Trunk:Posterior trunk", "Upper extremity", "Lower extremity"


@dataclass(frozen=True)
class Region:
    """A part of the map: a rectangle on both sides of the middle.

    Attributes:
        site: A value of `AnatomSiteEnum`.
        inner: Its nearer side, as a share of the map's width from the middle.
        outer: Its farther side.
        top: As a share of the map's height.
        bottom: As a share of the map's height.
        views: The views that show it.
    """

    site: str
    inner: float
    outer: float
    top: float
    bottom: float
    views: tuple[BodyView, ...] = _BOTH

    def measure_distance(self, aside: float, y: float) -> float:
        """Return how far a point lies outside, as a share of the height; 0 within.

        Args:
            aside: Distance from the middle, as a share of the width.
            y: As a share of the height.
        """
        across = max(self.inner - aside, 0.0, aside - self.outer) * ASPECT
        along = max(self.top - y, 0.0, y - self.bottom)
        return float((across**2 + along**2) ** 0.5)


@dataclass(frozen=True)
class Proposal:
    """What a point proposes; a person may choose another site.

    Attributes:
        site: A value of `AnatomSiteEnum`; "" for a point beside the body.
        laterality: Side of the body; None if no point proposes one.
    """

    site: str
    laterality: Laterality | None


# The first one that holds a point is its region: smaller ones stand before what surrounds them.
REGIONS = (
    Region(f"{_HEAD}:Scalp:Frontal scalp", 0, 0.09, 0.0, 0.043, _FRONT),
    Region(f"{_FACE}:Forehead", 0, 0.06, 0.043, 0.064, _FRONT),
    Region(f"{_FACE}:Nose", 0, 0.014, 0.064, 0.09, _FRONT),
    Region(f"{_FACE}:Orbital region", 0.014, 0.045, 0.064, 0.076, _FRONT),
    Region(f"{_FACE}:Temple", 0.045, 0.062, 0.043, 0.076, _FRONT),
    Region(f"{_FACE}:Oral region", 0, 0.022, 0.09, 0.106, _FRONT),
    Region(f"{_FACE}:Cheek", 0.014, 0.062, 0.076, 0.11, _FRONT),
    Region(f"{_FACE}:Chin", 0, 0.05, 0.106, 0.128, _FRONT),
    Region(f"{_HEAD}:Ear", 0.062, 0.095, 0.06, 0.1),
    Region(f"{_HEAD}:Scalp:Vertex of scalp", 0, 0.09, 0.0, 0.03, _BACK),
    Region(f"{_HEAD}:Scalp:Occipital scalp", 0, 0.075, 0.03, 0.115, _BACK),
    Region("Head and neck:Neck:Front of neck", 0, 0.07, 0.128, 0.165, _FRONT),
    Region("Head and neck:Neck:Nape of neck", 0, 0.07, 0.115, 0.165, _BACK),
    Region(f"{_ARM}:Shoulder:Anterior shoulder", 0.145, 0.24, 0.16, 0.215, _FRONT),
    Region(f"{_ARM}:Shoulder:Posterior shoulder", 0.145, 0.24, 0.16, 0.215, _BACK),
    Region(f"{_CHEST}:Upper anterior chest", 0, 0.145, 0.165, 0.21, _FRONT),
    Region("Trunk:Lateral trunk:Axilla", 0.145, 0.165, 0.215, 0.25, _FRONT),
    Region(_CHEST, 0, 0.16, 0.21, 0.31, _FRONT),
    Region(f"{_ABDOMEN}:Periumbilical region", 0, 0.045, 0.37, 0.41, _FRONT),
    Region(_ABDOMEN, 0, 0.155, 0.31, 0.445, _FRONT),
    Region(f"{_TRUNK}:Upper back", 0, 0.16, 0.165, 0.29, _BACK),
    Region(f"{_TRUNK}:Mid back", 0, 0.155, 0.29, 0.365, _BACK),
    Region(f"{_TRUNK}:Lower back", 0, 0.155, 0.365, 0.445, _BACK),
    Region("Anogenital region:Genital region", 0, 0.03, 0.475, 0.53, _FRONT),
    Region("Lower extremity:Thigh:Lateral thigh:Hip", 0.1, 0.175, 0.445, 0.51, _FRONT),
    Region(f"{_ABDOMEN}:Lower anterior abdomen:Inguinal region", 0, 0.1, 0.445, 0.5, _FRONT),
    Region("Anogenital region:Perianal region:Intergluteal cleft", 0, 0.012, 0.46, 0.52, _BACK),
    Region(f"{_LEG}:Buttock", 0, 0.175, 0.445, 0.535, _BACK),
    Region(f"{_ARM}:Upper arm", 0.16, 0.27, 0.215, 0.325),
    Region(f"{_ARM}:Elbow:Antecubital fossa", 0.18, 0.3, 0.325, 0.365, _FRONT),
    Region(f"{_ARM}:Elbow:Elbow tip", 0.18, 0.3, 0.325, 0.365, _BACK),
    Region(f"{_ARM}:Forearm", 0.18, 0.34, 0.365, 0.455),
    Region(f"{_ARM}:Wrist", 0.22, 0.36, 0.455, 0.48),
    Region(f"{_ARM}:Hand", 0.22, 0.42, 0.48, 0.57),
    Region(f"{_LEG}:Thigh:Anterior thigh", 0, 0.175, 0.5, 0.68, _FRONT),
    Region(f"{_LEG}:Thigh:Posterior thigh", 0, 0.175, 0.535, 0.68, _BACK),
    Region(f"{_LEG}:Knee:Patellar region", 0, 0.15, 0.68, 0.735, _FRONT),
    Region(f"{_LEG}:Knee:Popliteal fossa", 0, 0.15, 0.68, 0.735, _BACK),
    Region(f"{_LEG}:Lower leg", 0, 0.15, 0.735, 0.905, _FRONT),
    Region(f"{_LEG}:Lower leg:Calf", 0, 0.15, 0.735, 0.905, _BACK),
    Region(f"{_LEG}:Ankle", 0, 0.13, 0.905, 0.935),
    Region(f"{_LEG}:Foot:Dorsum of foot", 0, 0.2, 0.935, 1.0, _FRONT),
    Region(f"{_LEG}:Foot:Sole of foot:Heel", 0, 0.2, 0.935, 1.0, _BACK),
)


def propose_site(point: MapPoint) -> Proposal:
    """Return the site that a point on the map proposes: of the region that holds it or is nearest.

    A person who is seen from the front has the right side at the left of the map.

    >>> propose_site(MapPoint(BodyView.BACK, 0.44, 0.25))
    Proposal(site='Trunk:Posterior trunk:Upper back', laterality=<Laterality.LEFT: 'left'>)
    """
    aside = abs(point.x - 0.5)
    shown = [region for region in REGIONS if point.view in region.views]
    nearest = min(shown, key=lambda region: region.measure_distance(aside, point.y))
    is_near = nearest.measure_distance(aside, point.y) <= _FARTHEST
    return Proposal(nearest.site if is_near else "", find_side(point))


def is_on_body(point: MapPoint) -> bool:
    """Return whether a point lies on the body, or close to it.

    >>> [is_on_body(MapPoint(BodyView.FRONT, x, 0.25)) for x in (0.5, 0.05)]
    [True, False]
    """
    return bool(propose_site(point).site)


def find_side(point: MapPoint) -> Laterality:
    """Return the side of the body on which a point lies."""
    if abs(point.x - 0.5) <= MIDLINE:
        return Laterality.MIDLINE
    is_right = (point.x < 0.5) == (point.view is BodyView.FRONT)
    return Laterality.RIGHT if is_right else Laterality.LEFT
