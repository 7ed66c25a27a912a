"""Headline metrics as tiles, with words where a model is no better than chance. Text is escaped."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING

from melanoma_core.models.card_text.chance import describe_chance
from melanoma_core.models.card_text.tiles import Tile, list_tiles

if TYPE_CHECKING:
    from melanoma_core.evaluation.figure import Figure


def render_tiles(figures: "Mapping[str, Figure]") -> str:
    """Render the headline metrics of one subset; empty if it has none.

    Args:
        figures: By name, as in `ModelCard.metrics`.
    """
    tiles = render_tile_list(list_tiles(figures))
    return f"{render_chance(figures)}{tiles}" if tiles else ""


def render_tile_list(tiles: "Iterable[Tile]") -> str:
    """Render tiles in words; empty without any."""
    body = "".join(
        f"<div><dt>{escape(tile.label)}</dt><dd><strong>{escape(tile.value)}</strong></dd>"
        f"<dd>{escape(tile.interval)}</dd><dd>{escape(tile.basis)}</dd></div>"
        for tile in tiles
    )
    return f'<dl class="tiles">{body}</dl>' if body else ""


def render_chance(figures: "Mapping[str, Figure]") -> str:
    """Render where a model is no better than chance; empty where it is better."""
    return "".join(
        f'<p class="warning" role="note">{escape(each)}</p>' for each in describe_chance(figures)
    )
