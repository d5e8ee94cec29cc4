"""Cuts what is beyond the desk's limits, visibly: the raw message is kept whole."""

import json
from collections.abc import Iterable
from typing import Final

from deskwire_shared.contracts.facts import Address
from deskwire_shared.ticket import limits

CUT: Final = "\n\n[… cut here; the whole message is kept as it arrived]"
SHORT_BYTES: Final = 255
"""Of names, file names and content ids."""
REFERENCES: Final = 50
REFERENCE_BYTES: Final = 320
WORDS_SIZE: Final = limits.COMMIT_SIZE - 200 * limits.KIB
"""Of text, HTML and quoted history together, as JSON; the rest of a commit is for all other fields."""


def fitted_words(text: str, html: str | None, quoted: str | None) -> tuple[str, str | None, str | None]:
    """Make a message's words fit in a commit: the quoted history goes first, then the HTML, the text last."""
    text = fitted_text(text, limits.TEXT_SIZE)
    quoted = fitted_text(quoted, limits.TEXT_SIZE) if quoted else None
    if html is not None and _size(html) > limits.HTML_SIZE:
        html = None
    if _json_size(text, html, quoted) > WORDS_SIZE:
        quoted = None
    if _json_size(text, html, quoted) > WORDS_SIZE:
        html = None
    while _json_size(text, html, quoted) > WORDS_SIZE:
        text = fitted_text(text, _size(text) // 2)
    return text, html, quoted


def fitted_text(text: str, size: int) -> str:
    """Cut text to a size in bytes of UTF-8, with a mark where it was cut."""
    return text if _size(text) <= size else _cut(text, size - _size(CUT)) + CUT


def fitted_line(line: str, size: int = SHORT_BYTES) -> str:
    """Cut a line to a size in bytes of UTF-8."""
    return line if len(line) * 4 <= size else _cut(line, size)


def fitted_subject(subject: str) -> str:
    """Cut a subject to the desk's limit."""
    return subject[: limits.SUBJECT_LENGTH].rstrip()


def fitted_addresses(addresses: Iterable[Address], most: int) -> tuple[Address, ...]:
    """Keep the first addresses, with names of a bearable length."""
    kept = tuple(Address(address=one.address, name=fitted_line(one.name)) for one in addresses)
    return tuple(one for one in kept if _size(one.address) <= limits.LINE_SIZE)[:most]


def fitted_references(references: Iterable[str]) -> tuple[str, ...]:
    """Keep the latest references of a bearable length."""
    return tuple(one for one in references if _size(one) <= REFERENCE_BYTES)[-REFERENCES:]


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "replace")[: max(0, size)].decode("utf-8", "ignore")


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _json_size(text: str, html: str | None, quoted: str | None) -> int:
    words = (text, html or "", quoted or "")
    if sum(map(len, words)) * 6 <= WORDS_SIZE:  # a character takes six bytes at most
        return 0
    return _size(json.dumps(words, ensure_ascii=False))
