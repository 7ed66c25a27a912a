"""HTML of several pages: data in, text out, no Streamlit call. All outside text is escaped."""

import re
import string
from html import escape
from typing import TYPE_CHECKING

from melanoma_core.taxonomy import TIER_STYLES, Label, find_tier, title_label

if TYPE_CHECKING:  # the page is painted before NumPy is imported
    from collections.abc import Iterable

    from melanoma_core.models.card import ModelCard

# Bidirectional control characters. In a path, they could reverse the sentence around it.
_BIDI_CONTROLS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd")
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in string.punctuation}) | _BIDI_CONTROLS
# What Streamlit replaces even where every mark is escaped: addresses become links, two hyphens a
# dash. An invisible character that allows no line break keeps the parts apart.
_REPLACED = re.compile(r"www(?=\.)|:(?=/)|@|[-<>=~](?=[-<>=])", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def escape_markdown(text: str) -> str:
    r"""Return text as one line that Markdown shows literally, and never as a link.

    >>> print(escape_markdown("a_b*c"))
    a\_b\*c
    """
    line = " ".join(text.split())
    return _REPLACED.sub(rf"\g<0>{_WORD_JOINER}", line).translate(_MARKDOWN)


def name_diagnosis(label: Label) -> str:
    """Return the title of a diagnosis, or of a tier that is a label, with the shape of the tier.

    >>> from melanoma_core.taxonomy import Diagnosis
    >>> name_diagnosis(Diagnosis.MEL)
    '▲ melanoma'
    """
    return f"{TIER_STYLES[find_tier(label)].symbol} {title_label(label)}"


def render_limits(card: "ModelCard") -> str:
    """Render the limitations of a model as a list."""
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limitations)
    return f'<ul class="limits">{limits}</ul>'


def render_notice(text: str) -> str:
    """Render an important notice at the top of a page."""
    return f'<section class="leak" role="alert"><strong>!</strong><p>{escape(text)}</p></section>'


def render_cautions(cautions: "Iterable[str]") -> str:
    """Render why the model that reads needs caution as a red strip; empty without a reason."""
    body = "".join(f"<p>{escape(caution)}</p>" for caution in cautions)
    return (
        f'<section class="caution-strip" role="alert"><strong aria-hidden="true">!</strong>'
        f"<div>{body}</div></section>"
        if body
        else ""
    )


def render_paragraphs(sentences: "Iterable[str]") -> str:
    """Render each non-empty sentence as a paragraph, with warnings highlighted."""
    return "".join(
        f'<p class="warning" role="note">{escape(sentence)}</p>'
        if sentence.startswith("WARNING")
        else f"<p>{escape(sentence)}</p>"
        for sentence in sentences
        if sentence
    )


def render_error(text: str) -> str:
    """Render an error message, with text in backticks as code that can be copied.

    Streamlit's Markdown would turn the two hyphens of an option into a dash.

    >>> render_error("Use `git checkout -- assets`.")
    '<p class="error" role="alert">Use <code>git checkout -- assets</code>.</p>'
    """
    return f'<p class="error" role="alert">{render_code(text)}</p>'


def render_code(text: str) -> str:
    """Render a sentence with text in backticks as code that can be copied.

    >>> render_code("`a --b` <does>")
    '<code>a --b</code> &lt;does&gt;'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text.translate(_BIDI_CONTROLS)))
