"""Every relative link and picture of a document must lead to a committed file."""

import re
from collections.abc import Iterator

from tests.lint.repository import ROOT, list_documents, list_files

_LINK = re.compile(r"\]\(([^)\s]+)\)")


def find_broken_links() -> Iterator[str]:
    """Follow every link of every document inside the project, headings included."""
    committed = set(list_files())
    for name, text in list_documents().items():
        for target in _LINK.findall(re.sub(r"```.*?```", "", text, flags=re.S)):
            path, _, anchor = target.partition("#")
            if re.match(r"\w+:", target):
                continue
            place = ((ROOT / name).parent / path).resolve() if path else ROOT / name
            if place not in committed and not any(place in each.parents for each in committed):
                yield f"{name}: the link {target} leads nowhere"
            elif anchor and anchor not in _list_anchors(place.read_text("utf-8")):
                yield f"{name}: the link {target} names a heading that is not there"


def _list_anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    kept = [re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings]
    return {heading.replace(" ", "-") for heading in kept}
