"""Text to searchable words, the same for what is stored and for what is asked.

Accents and case are folded (`Café` → `cafe`). Scripts that put no blanks between words become pairs of
characters, as in Lucene's CJK analysis, so that any part of a sentence is found.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

LONGEST_WORD: Final = 64
WORD: Final = re.compile(r"[^\W_]+")
CJK: Final = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)  # Hiragana, Katakana, Han; Hangul is written with blanks
CODE: Final = re.compile(r"[\d@]")
"""What makes a word something that people look for by a part of it: a digit, or an address."""
AROUND: Final = ".,;:!?()[]{}<>\"'-/"
SHORTEST_CODE: Final = 3


def fold(text: str) -> str:
    """Take case and accents away."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(char for char in parts if not unicodedata.combining(char)))


def words(text: str) -> list[str]:
    """Cut a text into folded words; a run of CJK into pairs and its last character."""
    folded = fold(text)
    found = WORD.findall(folded)
    if folded.isascii():
        return [word[:LONGEST_WORD] for word in found]
    return [part for word in found for part in _pieces(word)]


def searchable(texts: Iterable[str]) -> str:
    """Join the words of some texts, for an index that cuts at blanks."""
    return " ".join(word for text in texts for word in words(text))


def codes(texts: Iterable[str]) -> str:
    """Join what is looked for by a part of it, each once."""
    pieces = {piece: None for text in texts for piece in fold(text).split() if not piece.isalpha()}
    found = [piece.strip(AROUND)[:LONGEST_WORD] for piece in pieces if CODE.search(piece)]
    return " ".join(dict.fromkeys(code for code in found if len(code) >= SHORTEST_CODE))


def _pieces(word: str) -> Iterator[str]:
    start = 0
    for run in CJK.finditer(word):
        if run.start() > start:
            yield word[start : run.start()][:LONGEST_WORD]
        characters = run[0]
        yield from (characters[at : at + 2] for at in range(len(characters)))
        start = run.end()
    if start < len(word):
        yield word[start:][:LONGEST_WORD]
