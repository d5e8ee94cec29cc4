"""Shows a piece of a text around the first place where something that was looked for stands."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from deskwire_query.search.analysis import CJK, WORD, fold
from deskwire_query.search.question import Chunk

LENGTH: Final = 180
BEFORE: Final = 60
MOST_MARKS: Final = 20

Span = tuple[int, int]


def snippet(texts: Iterable[str], chunks: Sequence[Chunk]) -> tuple[str, tuple[Span, ...]]:
    """Cut a piece out of the first text with a match, and give the spans that match in it."""
    sought = [word for chunk in chunks for word in chunk.words]
    first = ""
    for text in texts:
        first = first or text
        folded = fold(text)
        if any(word in folded for word in sought):
            start = next((span[0] for span in _spans(text, sought)), 0)
            piece = _piece(text, max(0, start - BEFORE))
            return piece, tuple(_spans(piece, sought))[:MOST_MARKS]
    return _piece(first, 0), ()


def _piece(text: str, start: int) -> str:
    """Cut at a blank where one is near."""
    if start:
        blank = text.find(" ", start, start + BEFORE)
        start = blank + 1 if blank >= 0 else start
    return " ".join(text[start : start + LENGTH].split())


def _spans(text: str, sought: Sequence[str]) -> Iterator[Span]:
    for found in WORD.finditer(text):
        word = fold(found[0])
        if CJK.search(word):
            yield from _parts(word, found.start(), sought)
        elif any(word.startswith(one) for one in sought):
            yield found.span()


def _parts(word: str, start: int, sought: Sequence[str]) -> Iterator[Span]:
    for one in sought:
        place = word.find(one)
        if place >= 0:
            yield start + place, start + place + len(one)
