"""Writes mail headers line by line, so that no name, subject or id can break out of one (RFC 5322, 2047).

The header classes of the standard library fold again what they are given, and depending on the
version split long ids or lose the quotes of a name; what is written here is sent as it is.
"""

import base64
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from email.policy import EmailPolicy
from typing import Self

from deskwire_shared.contracts.facts import Address

LINE = 74
ENCODED_BYTES = 36
"""Bytes of UTF-8 in one encoded word of 60 characters: with the name of a header before it, it stays within a line."""
LONGEST_NAME = 100

_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})


class WrittenHeader(str):
    """A header in its final lines."""

    __slots__ = ("_lines", "name")
    name: str
    _lines: tuple[str, ...]

    def __new__(cls, name: str, lines: Iterable[str]) -> Self:
        """Write the lines under a name; ValueError when one would break out of the header."""
        written = tuple(lines)
        if not written or not all(line and line.isprintable() for line in written):
            raise ValueError(f"{name}: a line of a header is empty or holds a control character")
        header = super().__new__(cls, " ".join(written))
        header.name = name
        header._lines = written
        return header

    def fold(self, *, policy: EmailPolicy) -> str:
        """Give the header as it is sent; asked by the standard library."""
        separator = f"{policy.linesep} "
        return f"{self.name}: {separator.join(self._lines)}{policy.linesep}"


def text_header(name: str, text: str) -> WrittenHeader:
    """Write free text, such as a subject."""
    line = one_line(text) or "-"
    words = textwrap.wrap(line, LINE - len(name), break_long_words=False, break_on_hyphens=False)
    fits = all(len(word) <= LINE - len(name) for word in words)
    return WrittenHeader(name, words if fits and _is_plain(line) else _encoded_words(line))


def address_header(name: str, people: Sequence[Address]) -> WrittenHeader:
    """Write mail addresses with the names of their people, one below the other."""
    lines: list[str] = []
    for number, person in enumerate(people, 1):
        lines += _mailbox(person)
        if number < len(people):
            lines[-1] += ","
    return WrittenHeader(name, lines)


def ids_header(name: str, message_ids: Iterable[str]) -> WrittenHeader:
    """Write Message-IDs, one below the other."""
    return WrittenHeader(name, [f"<{message_id}>" for message_id in message_ids])


def one_line(text: str) -> str:
    """Put text on one line, without control characters."""
    return " ".join("".join(" " if unicodedata.category(c) in _BREAKING else c for c in text).split())


def _mailbox(person: Address) -> list[str]:
    name = one_line(person.name)[:LONGEST_NAME].strip()
    if not name:
        return [f"<{person.address}>"]
    if _is_plain(name) and len(name) < LINE:
        escaped = name.replace("\\", r"\\").replace('"', r"\"")
        return [f'"{escaped}"', f"<{person.address}>"]
    return [*_encoded_words(name), f"<{person.address}>"]


def _is_plain(line: str) -> bool:
    return line.isascii() and line.isprintable() and "=?" not in line


def _encoded_words(line: str) -> list[str]:
    return [f"=?utf-8?b?{base64.b64encode(piece.encode()).decode()}?=" for piece in _pieces(line)]


def _pieces(line: str) -> Iterator[str]:
    piece = ""
    for character in line:
        if len((piece + character).encode()) > ENCODED_BYTES:
            yield piece
            piece = ""
        piece += character
    yield piece
