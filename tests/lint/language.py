"""Plain, standard English: no words that only this project would use, short sentences."""

import io
import re
import statistics
import tokenize
from collections.abc import Iterator

from tests.lint.repository import list_documents, list_texts

# Each with what to write instead. They were this project's own dialect until version 0.2.
UNCLEAR = {
    "tell": "say, show, report, describe",
    "tells": "says, shows, reports, describes",
    "told": "said, shown, reported; named",
    "nobody": "no one, or say who does what",
    "likewise": "write out what it is",
    "whoever": "a person who, the caller",
    "somebody": "a person, another user",
    "anew": "again",
    "heap": "set, collection",
    "news": "not seen in training",
}
MOST_WORDS = 20  # of the mean sentence of a document
_UNCLEAR = re.compile(rf"\b({'|'.join(UNCLEAR)})\b", re.I)
_SELF = "tests/lint/language.py"


def find_unclear_words() -> Iterator[str]:
    """Look for them in documents, in comments and in strings (docstrings, labels, errors)."""
    for name, text in list_documents().items():
        for number, line in enumerate(text.splitlines(), 1):
            yield from _judge(name, number, line)
    for name, text in list_texts(".py").items():
        if name == _SELF:
            continue
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in {tokenize.COMMENT, tokenize.STRING, tokenize.NAME} or (
                token.type == getattr(tokenize, "FSTRING_MIDDLE", -1)
            ):
                words = token.string.replace("_", " ")
                for offset, line in enumerate(words.splitlines()):
                    yield from _judge(name, token.start[0] + offset, line)


def _judge(name: str, number: int, line: str) -> Iterator[str]:
    for match in _UNCLEAR.finditer(line):
        advice = UNCLEAR[match.group().lower()]
        yield f'{name}:{number}: found "{match.group()}"; write {advice}'


def find_long_sentences() -> Iterator[str]:
    """Measure the mean sentence of every document."""
    for name, text in list_documents().items():
        lengths = [len(sentence.split()) for sentence in split_sentences(text)]
        if len(lengths) >= 5 and statistics.mean(lengths) > MOST_WORDS:
            yield (
                f"{name}: its mean sentence has {statistics.mean(lengths):.1f} words; "
                f"write shorter ones (at most {MOST_WORDS})"
            )


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a document's prose: no code, tables, headings or links' targets.

    >>> split_sentences("# Title\\n\\nOne sentence. Another, with `a.b`; and a [link](x.md)!")
    ['One sentence.', 'Another, with code; and a link!']
    """
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    prose = re.sub(r"`[^`]*`", "code", prose)
    prose = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", prose)
    paragraphs = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", prose)
    kept = [part for part in paragraphs if not re.match(r"\s*([#|<]|!\[)", part)]
    joined = [re.sub(r"^\s*([-*]|\d+\.) ", "", " ".join(part.split())) for part in kept]
    sentences = [each for part in joined for each in re.split(r"(?<=[.!?])\s+(?=[A-Z“\"])", part)]
    return [each for each in sentences if len(each.split()) > 1]
