"""Text to searchable words, the same for what is stored and for what is asked.

Accents and case are folded (`Café` → `cafe`). Scripts that put no blanks between words become pairs of
characters, as in Lucene's CJK analysis, so that any part of a sentence is found.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

LONGEST_CODE: Final = 64
WORD: Final = re.compile(r"[^\W_]{1,64}")
"""A word, or a piece of one without end."""
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
        return found
    return [part for word in found for part in _pieces(word)]


def searchable(texts: Iterable[str]) -> str:
    """Write out the words of some texts, for an index that cuts at everything but letters and digits."""
    return " ".join([text if text.isascii() else " ".join(words(text)) for text in texts])


def codes(texts: Iterable[str]) -> str:
    """Join what is looked for by a part of it, each once."""
    pieces = {piece: None for text in texts for piece in fold(text).split() if not piece.isalpha()}
    found = [piece.strip(AROUND)[:LONGEST_CODE] for piece in pieces if CODE.search(piece)]
    return " ".join(dict.fromkeys(code for code in found if len(code) >= SHORTEST_CODE))


def _pieces(word: str) -> Iterator[str]:
    start = 0
    for run in CJK.finditer(word):
        if run.start() > start:
            yield word[start : run.start()]
        characters = run[0]
        yield from (characters[at : at + 2] for at in range(len(characters)))
        start = run.end()
    if start < len(word):
        yield word[start:]
