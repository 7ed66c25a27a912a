"""A flow diagram as data: boxes with counts, drawn by page, Markdown and PDF."""

from dataclasses import dataclass

from melanoma_core.models.card_text.formats import NOT_PROVIDED


@dataclass(frozen=True)
class Box:
    """A box of the diagram.

    Attributes:
        title: What is counted.
        count: The number; None if it is not provided.
        notes: Further lines, such as parts of the count or reasons.
    """

    title: str
    count: int | None
    notes: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The title with the count.

        >>> Box("Image files found", 14781).headline, Box("Read", None).headline
        ('Image files found: 14,781', 'Read: not provided')
        """
        return f"{self.title}: {NOT_PROVIDED if self.count is None else f'{self.count:,}'}"


@dataclass(frozen=True)
class Stage:
    """A step of the flow.

    Attributes:
        box: What arrives at this step.
        leaving: What goes no further, drawn beside the arrow to the next step; None if nothing.
    """

    box: Box
    leaving: Box | None = None


@dataclass(frozen=True)
class Branch:
    """The results of one test, at the end of the flow.

    Attributes:
        title: Name of the test.
        boxes: One per result, side by side.
    """

    title: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class FlowDiagram:
    """A flow of participants, as STARD asks for.

    Attributes:
        title: Title of the figure.
        stages: Steps from top to bottom.
        branches: Below the last step, one row each.
    """

    title: str
    stages: tuple[Stage, ...]
    branches: tuple[Branch, ...] = ()
